//! The part of the Compose specification (compose-spec.io) that compose.yml uses, as types. A key that is not here is
//! refused: it is added once somebody needs it, together with its rule.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// The file.
#[derive(Debug, Deserialize)]
pub(super) struct Compose {
    #[serde(rename = "name")]
    _name: Option<String>,
    pub(super) services: BTreeMap<String, Service>,
    #[serde(default)]
    pub(super) volumes: BTreeMap<String, Option<Volume>>,
    #[serde(default)]
    pub(super) networks: BTreeMap<String, Option<Network>>,
    /// Everything else; only extensions (`x-…`) are allowed.
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

/// One service.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Service {
    pub(super) image: Option<String>,
    pub(super) build: Option<Build>,
    #[serde(default)]
    pub(super) environment: Environment,
    #[serde(default)]
    pub(super) ports: Vec<Scalar>,
    #[serde(default)]
    pub(super) volumes: Vec<String>,
    #[serde(default)]
    pub(super) networks: Vec<String>,
    #[serde(default)]
    pub(super) depends_on: BTreeMap<String, DependsOn>,
    pub(super) healthcheck: Option<HealthCheck>,
    #[serde(default)]
    pub(super) profiles: Vec<String>,
    pub(super) stop_grace_period: Option<String>,
    pub(super) restart: Option<String>,
    pub(super) deploy: Option<Deploy>,
    pub(super) container_name: Option<String>,
    command: Option<Words>,
    #[serde(rename = "entrypoint")]
    _entrypoint: Option<Words>,
    #[serde(rename = "hostname")]
    _hostname: Option<String>,
    #[serde(rename = "pull_policy")]
    _pull_policy: Option<String>,
    #[serde(rename = "user")]
    _user: Option<String>,
    #[serde(rename = "init")]
    _init: Option<bool>,
    #[serde(rename = "read_only")]
    _read_only: Option<bool>,
    #[serde(rename = "tmpfs")]
    _tmpfs: Option<Words>,
    #[serde(rename = "cap_drop")]
    _cap_drop: Option<Vec<String>>,
    #[serde(rename = "cap_add")]
    _cap_add: Option<Vec<String>>,
    #[serde(rename = "security_opt")]
    _security_opt: Option<Vec<String>>,
    #[serde(rename = "ulimits")]
    _ulimits: Option<IgnoredAny>,
    #[serde(rename = "mem_limit")]
    _mem_limit: Option<Scalar>,
    #[serde(rename = "labels")]
    _labels: Option<IgnoredAny>,
    #[serde(rename = "logging")]
    _logging: Option<IgnoredAny>,
}

/// How an image is built.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Build {
    Context(String),
    Full(FullBuild),
}

/// A build with more than its context.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FullBuild {
    pub(super) context: String,
    pub(super) dockerfile: Option<String>,
    pub(super) target: Option<String>,
    #[serde(rename = "args")]
    _args: Option<Environment>,
}

/// A condition on another service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DependsOn {
    pub(super) condition: Condition,
    #[serde(rename = "required")]
    _required: Option<bool>,
    #[serde(rename = "restart")]
    _restart: Option<bool>,
}

/// What has to be true of the other service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::enum_variant_names, reason = "the specification's own names")]
pub(super) enum Condition {
    ServiceStarted,
    ServiceHealthy,
    ServiceCompletedSuccessfully,
}

/// How the engine sees that a service is well.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HealthCheck {
    pub(super) test: Option<Words>,
    pub(super) interval: Option<String>,
    pub(super) timeout: Option<String>,
    pub(super) start_period: Option<String>,
    pub(super) start_interval: Option<String>,
    #[serde(rename = "retries")]
    _retries: Option<u32>,
    #[serde(default)]
    pub(super) disable: bool,
}

/// How many, and how large.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deploy {
    pub(super) replicas: Option<Scalar>,
    #[serde(rename = "resources")]
    _resources: Option<IgnoredAny>,
}

/// A named volume.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Volume {
    #[serde(rename = "name")]
    _name: Option<String>,
    #[serde(rename = "driver")]
    _driver: Option<String>,
}

/// A network.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Network {
    #[serde(rename = "name")]
    _name: Option<String>,
    #[serde(rename = "driver")]
    _driver: Option<String>,
    #[serde(rename = "internal")]
    _internal: Option<bool>,
}

/// A command line, as one string or as a list.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Words {
    Shell(String),
    Exec(Vec<Scalar>),
}

/// Variables, as a mapping or as a list of `KEY=value`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Environment {
    Map(BTreeMap<String, Option<Scalar>>),
    List(Vec<String>),
}

/// A value that YAML may read as something else than text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

impl Compose {
    /// Parses the file.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let compose: Self = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        match compose.rest.keys().find(|key| !key.starts_with("x-")) {
            Some(key) => Err(format!("unknown top-level key \"{key}\"")),
            None => Ok(compose),
        }
    }
}

impl Service {
    /// The program it starts, as its command names it.
    pub(super) fn program(&self) -> Option<String> {
        match self.command.as_ref()? {
            Words::Shell(line) => line.split_whitespace().next().map(str::to_owned),
            Words::Exec(words) => words.first().map(Scalar::to_string),
        }
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self::Map(BTreeMap::new())
    }
}

impl Environment {
    /// The variables that are given a value, `${…}` resolved to their defaults.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        match self {
            Self::Map(map) => map
                .iter()
                .filter_map(|(key, value)| {
                    Some((key.clone(), interpolate(&value.as_ref()?.to_string())))
                })
                .collect(),
            Self::List(list) => list
                .iter()
                .filter_map(|pair| pair.split_once('='))
                .map(|(key, value)| (key.to_owned(), interpolate(value)))
                .collect(),
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}

/// `${NAME:-default}` and `${NAME-default}` become the default, other variables nothing, `$$` a dollar.
pub(super) fn interpolate(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            after
        } else if let Some((variable, after)) = after
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
        {
            let default = variable
                .split_once(":-")
                .or_else(|| variable.split_once('-'));
            out.push_str(default.map_or("", |(_, default)| default));
            after
        } else {
            after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_')
        };
    }
    out + rest
}
