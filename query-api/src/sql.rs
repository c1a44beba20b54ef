//! What the read model is asked: each question a struct that cannot hold a bad value, with a pure `to_sql`. No I/O here, and
//! no value ever becomes part of the text: values are bound by name and type, on the server.

mod conflicts;
mod event;
mod events_scan;
mod lag;
mod playback_states;
mod playbacks;
mod playbacks_list;
mod playing;
mod progress;
mod report;
mod retention;
mod standing;
mod stored_event;
pub(crate) mod tabular;

pub(crate) use self::{
    conflicts::{ConflictingIdentities, ConflictsRow},
    event::EventById,
    events_scan::EventsScan,
    lag::{Lag, LagRow},
    playback_states::PlaybackStates,
    playbacks::{PlaybackRow, PlaybacksById},
    playbacks_list::PlaybacksList,
    playing::{Playing, PlayingRow},
    progress::{PlaybacksProgress, Progress, ProgressRow},
    report::{FINAL_SETTINGS, ReportRows, Scope, SpanOf},
    retention::{BUCKET_MS, Heard, HeardRow, PlaysOf, PlaysRow},
    standing::{Standing, StandingPositions},
    stored_event::StoredEvent,
    tabular::{Cells, SelectColumns},
};
use std::{borrow::Cow, time::Duration};

use clickhouse::{RowOwned, RowRead};
use ess_schema::{id::InvalidId, time::InvalidTime};
use serde::{Serialize, de::DeserializeOwned};

/// A question to one generation of the read model.
pub(crate) trait Select: Sync {
    /// What it is answered with.
    type Row: RowOwned + RowRead + DeserializeOwned;
    /// Its name in metrics and in ClickHouse's query log.
    const NAME: &'static str;
    /// Whether callers can make it cost any amount; one that cannot only fails for reasons of ours.
    const UNBOUNDED: bool;
    /// How long it may run, if that is not for the configuration to say.
    const TIME: Option<Duration> = None;

    /// The question as text and values.
    fn to_sql(&self) -> Sql;
}

/// A statement with the values of its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Sql {
    /// The text; a parameter stands in it as `{name:Type}`.
    pub(crate) text: String,
    /// The parameters by name.
    pub(crate) parameters: Vec<(Cow<'static, str>, Value)>,
    /// Settings that make this statement faster.
    pub(crate) settings: &'static [(&'static str, &'static str)],
}

impl Sql {
    /// A statement without parameters.
    fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            parameters: Vec::new(),
            settings: &[],
        }
    }

    /// Binds a parameter.
    fn bind(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Sets how it is executed.
    fn with(self, settings: &'static [(&'static str, &'static str)]) -> Self {
        Self { settings, ..self }
    }
}

/// A bound value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Value {
    /// A number: a limit, or a time in ms.
    Number(i64),
    /// Text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Vec<String>> for Value {
    fn from(texts: Vec<String>) -> Self {
        Self::Texts(texts)
    }
}

/// The read model holds something that no event can have put there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidRow {
    #[error("an id in the read model {0}")]
    Id(#[from] InvalidId),
    #[error("a time in the read model {0}")]
    Time(#[from] InvalidTime),
    #[error("data in the read model are not JSON: {0}")]
    Json(#[from] serde_json::Error),
}

#[cfg(test)]
pub(crate) fn shown(sql: &Sql) -> String {
    let bound = sql
        .parameters
        .iter()
        .map(|(name, value)| format!("-- {name} = {}\n", serde_json::to_string(value).unwrap()));
    let set = sql
        .settings
        .iter()
        .map(|(name, value)| format!("-- SET {name} = {value}\n"));
    bound.chain(set).collect::<String>() + &sql.text
}
