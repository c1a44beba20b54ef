//! A scenario: a load test as a TOML file. It is parsed, overridden and validated before anything is sent; an error names the field.
//! Never sends anything.

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
pub use human_duration::HumanDuration;
pub use stages::{Stage, Stages};
pub use threshold::Threshold;

/// One load test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it tests, in a sentence.
    pub about: String,
    /// When requests are sent.
    pub model: Model,
    /// How facts are written. An `untyped` body is a playback of its own; all others are facts of simulated playbacks.
    #[serde(default)]
    pub body: Body,
    /// Facts per request; several are sent as NDJSON.
    #[serde(default = "one")]
    pub batch: usize,
    /// The level at the start. By default that of the first stage.
    #[serde(default)]
    pub start: Option<f64>,
    /// Users, or requests per second, over time. Not for the model `players`, whose facts are sent when they happen.
    #[serde(default)]
    pub stages: Vec<Stage>,
    /// Number of simulated playbacks, with every body but `untyped`.
    #[serde(default = "playbacks")]
    pub playbacks: u64,
    /// With the model `players`: how many times faster than in life.
    #[serde(default)]
    pub speed: Option<f64>,
    /// Seed of the simulation.
    #[serde(default = "seed")]
    pub seed: u64,
    /// Maximum number of requests in flight, in the models `open` and `players`.
    #[serde(default = "connections")]
    pub connections: usize,
    /// Test id of every fact of the run. By default made of the scenario's name and the time.
    #[serde(default)]
    pub test_id: Option<String>,
    /// Questions that are sent beside the writes.
    #[serde(default)]
    pub reads: Option<Reads>,
    /// Whether the run ends with the proof.
    #[serde(default = "yes")]
    pub check: bool,
    /// How long to wait for the read model after the last response.
    #[serde(default = "drain")]
    pub drain_within: HumanDuration,
    /// Processes to kill during the run.
    #[serde(default)]
    pub chaos: Option<Chaos>,
    /// Conditions on the result, such as `p95 < 100ms`.
    #[serde(default)]
    pub thresholds: Vec<Threshold>,
    /// Addresses of the services and ClickHouse.
    #[serde(default)]
    pub targets: Targets,
}

/// When requests are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// By users, each of which sends again as soon as it has a response.
    Closed,
    /// At a rate, however long responses take. Latency counts from when a request was due.
    Open,
    /// By simulated players: each fact is sent when it happens.
    Players,
}

/// How a fact is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Body {
    /// The predecessor's untyped bodies.
    #[value(skip)]
    Untyped,
    /// Flat commands.
    #[default]
    Command,
    /// CloudEvents in JSON.
    Cloudevent,
    /// Commands and CloudEvents in turn; untyped bodies where the predecessor has one.
    Mixed,
}

/// Questions beside the writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reads {
    /// Questions per second.
    pub rate: f64,
    /// Paths of the query-api, in turn. `{playback}` stands for a playback that was acknowledged lately.
    pub paths: Vec<String>,
}

/// Processes to kill and start again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chaos {
    /// Mean time between two kills.
    pub every: HumanDuration,
    /// How long a process stays down.
    pub down_for: HumanDuration,
    /// Processes that may be killed.
    pub victims: Vec<Victim>,
    /// Seed of the times and the order of the kills.
    pub seed: u64,
}

/// A process of a stack that `cargo xtask up` started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are those of the processes")]
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
            every: HumanDuration::seconds(10),
            down_for: HumanDuration::seconds(1),
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

/// Base URLs, and the control database of the read model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the names are those of the services")]
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

/// An invalid scenario.
#[derive(Debug, thiserror::Error)]
pub enum InvalidScenario {
    /// Neither a file nor a built-in name.
    #[error("unknown scenario {0:?}; expected the path of a file, or one of {names}", names = NAMES.join(", "))]
    Unknown(String),
    /// A file that cannot be parsed.
    #[error("{name}: {reason}")]
    Syntax {
        /// The scenario.
        name: String,
        /// The error of the parser, which names the field.
        reason: String,
    },
    /// A field with an invalid value.
    #[error("{name}: {field} {reason}")]
    Field {
        /// The scenario.
        name: String,
        /// The field, in the notation of `--set`.
        field: String,
        /// The problem, and what is allowed.
        reason: String,
    },
}

impl Scenario {
    /// Opens a built-in scenario or a file, and applies `KEY=VALUE` overrides.
    ///
    /// # Errors
    /// When it does not exist or is invalid.
    pub fn open(name_or_path: &str, overrides: &[String]) -> Result<Self, InvalidScenario> {
        let text = match built_in::text(name_or_path) {
            Some(text) => text.to_owned(),
            None => fs::read_to_string(Path::new(name_or_path))
                .map_err(|_| InvalidScenario::Unknown(name_or_path.to_owned()))?,
        };
        Self::parse(name_or_path, &text, overrides)
    }

    /// Parses the text of a scenario, and applies overrides.
    ///
    /// # Errors
    /// When it is invalid.
    pub fn parse(name: &str, text: &str, overrides: &[String]) -> Result<Self, InvalidScenario> {
        let syntax = |reason: String| InvalidScenario::Syntax {
            name: name.to_owned(),
            reason: reason.trim_end().to_owned(),
        };
        let text = overrides::apply(text, overrides).map_err(syntax)?;
        let scenario: Self = toml::from_str(&text).map_err(|error| syntax(error.to_string()))?;
        match scenario.first_invalid_field() {
            None => Ok(scenario),
            Some((field, reason)) => Err(InvalidScenario::Field {
                name: name.to_owned(),
                field,
                reason,
            }),
        }
    }

    /// Its level over time.
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

fn drain() -> HumanDuration {
    HumanDuration::seconds(120)
}
