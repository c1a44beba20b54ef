//! A load test as its author writes it: a TOML file of few fields, each with a default where one makes sense. Read, overridden
//! and held against its bounds before anything is sent; a field that is unknown or wrong is named. Never sends anything.

mod built_in;
mod human_duration;
mod overrides;
mod stages;
pub mod threshold;
mod validate;

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use built_in::NAMES;
pub use human_duration::Span;
pub use stages::{Stage, Stages};
pub use threshold::Threshold;

/// One load test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is for, in a sentence.
    pub about: String,
    /// Who sets the pace.
    pub model: Model,
    /// How facts are written, and which there are: `untyped` bodies are one playback each, all others tell simulated ones.
    #[serde(default)]
    pub body: Body,
    /// Facts a request; several are sent as NDJSON.
    #[serde(default = "one")]
    pub batch: usize,
    /// The level before the first stage; without it the first stage's own.
    #[serde(default)]
    pub start: Option<f64>,
    /// How the level goes; not for the model `players`, whose facts leave when they happen.
    #[serde(default)]
    pub stages: Vec<Stage>,
    /// Simulated playbacks, with every body but `untyped`.
    #[serde(default = "playbacks")]
    pub playbacks: u64,
    /// With the model `players`: how much faster than life.
    #[serde(default)]
    pub speed: Option<f64>,
    /// What all chance comes from.
    #[serde(default = "seed")]
    pub seed: u64,
    /// Most requests under way at once, where users do not bound them.
    #[serde(default = "connections")]
    pub connections: usize,
    /// Marks every fact of the run; by default made of the scenario's name and the time.
    #[serde(default)]
    pub test_id: Option<String>,
    /// Questions that are asked beside the writes.
    #[serde(default)]
    pub reads: Option<Reads>,
    /// Whether the read model is held against what was sent.
    #[serde(default = "yes")]
    pub check: bool,
    /// How long the read model may take to hold everything, once all is sent.
    #[serde(default = "drain")]
    pub drain_within: Span,
    /// What is killed meanwhile.
    #[serde(default)]
    pub chaos: Option<Chaos>,
    /// What must be true of the result, such as `p95 < 100ms`.
    #[serde(default)]
    pub thresholds: Vec<Threshold>,
    /// Where everything is.
    #[serde(default)]
    pub targets: Targets,
}

/// Who sets the pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// So many users, each sending again as soon as it is answered.
    Closed,
    /// So many requests a second, whatever the answers do; latency counts from when a request was due.
    Open,
    /// Simulated players: each fact leaves when it happens.
    Players,
}

/// How a fact is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Body {
    /// As the predecessor's clients do.
    Untyped,
    /// Flat commands.
    #[default]
    Command,
    /// CloudEvents in JSON.
    Cloudevent,
    /// By turns all of these.
    Mixed,
}

/// Questions beside the writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reads {
    /// Questions a second.
    pub rate: f64,
    /// Paths of the query-api, asked by turns; `{playback}` is one acknowledged lately.
    pub paths: Vec<String>,
}

/// What is killed and started again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chaos {
    /// From one kill to the next, on average.
    pub every: Span,
    /// How long the victim stays away.
    pub down_for: Span,
    /// Who may be hit.
    pub victims: Vec<Victim>,
    /// What the order of victims and the times come from.
    pub seed: u64,
}

/// A process of a stack that `cargo xtask up` started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "named as the processes are")]
pub enum Victim {
    Projector,
    CommandApi,
    Clickhouse,
    Kafka,
}

impl Victim {
    /// The name of its pid file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Projector => "projector",
            Self::CommandApi => "command-api",
            Self::Clickhouse => "clickhouse",
            Self::Kafka => "kafka",
        }
    }
}

impl Default for Chaos {
    fn default() -> Self {
        Self {
            every: Span::seconds(10),
            down_for: Span::seconds(1),
            victims: vec![
                Victim::Projector,
                Victim::CommandApi,
                Victim::Clickhouse,
                Victim::Kafka,
            ],
            seed: 1,
        }
    }
}

/// Where everything is: base URLs, and the control database of the read model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "named as the services are")]
pub struct Targets {
    pub command_api: String,
    pub query_api: String,
    pub projector: String,
    pub clickhouse: String,
    pub database: String,
}

impl Default for Targets {
    fn default() -> Self {
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        Self {
            command_api: at(8000),
            query_api: at(8001),
            projector: at(8002),
            clickhouse: at(8123),
            database: "ess".to_owned(),
        }
    }
}

/// A scenario that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum InvalidScenario {
    /// Neither a file nor a name.
    #[error("there is no scenario {0:?}: give the path of a file, or one of {names}", names = NAMES.join(", "))]
    Unknown(String),
    /// A file that is no scenario.
    #[error("{name}: {reason}")]
    Unread {
        /// The scenario.
        name: String,
        /// What the parser says; it names the field.
        reason: String,
    },
    /// A field that cannot be so.
    #[error("{name}: {field} {reason}")]
    Field {
        /// The scenario.
        name: String,
        /// The field, as `--set` takes it.
        field: String,
        /// What is wrong, and what is allowed.
        reason: String,
    },
}

impl Scenario {
    /// The scenario of this name, or in this file, with `KEY=VALUE` overrides applied.
    ///
    /// # Errors
    /// One that is not there, or not as it must be.
    pub fn open(name_or_path: &str, overrides: &[String]) -> Result<Self, InvalidScenario> {
        let text = match built_in::text(name_or_path) {
            Some(text) => text.to_owned(),
            None => fs::read_to_string(Path::new(name_or_path))
                .map_err(|_| InvalidScenario::Unknown(name_or_path.to_owned()))?,
        };
        Self::parse(name_or_path, &text, overrides)
    }

    /// The same, of a text.
    ///
    /// # Errors
    /// One that is not as it must be.
    pub fn parse(name: &str, text: &str, overrides: &[String]) -> Result<Self, InvalidScenario> {
        let unread = |reason: String| InvalidScenario::Unread {
            name: name.to_owned(),
            reason: reason.trim_end().to_owned(),
        };
        let text = overrides::apply(text, overrides).map_err(unread)?;
        let scenario: Self = toml::from_str(&text).map_err(|error| unread(error.to_string()))?;
        match scenario.first_fault() {
            None => Ok(scenario),
            Some((field, reason)) => Err(InvalidScenario::Field {
                name: name.to_owned(),
                field,
                reason,
            }),
        }
    }

    /// How its level goes.
    pub fn levels(&self) -> Stages {
        Stages::new(self.start, &self.stages)
    }
}

fn one() -> usize {
    1
}

fn playbacks() -> u64 {
    10_000_000
}

fn seed() -> u64 {
    1
}

fn connections() -> usize {
    512
}

fn yes() -> bool {
    true
}

fn drain() -> Span {
    Span::seconds(120)
}
