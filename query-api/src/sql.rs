//! The queries of the read model: each a struct with a pure `to_sql`. No I/O, and no value becomes part of the SQL: ClickHouse binds
//! values by name and type.

mod canonical_position;
mod conflicts;
mod event;
mod events_scan;
mod lag;
mod playback_row;
mod playback_states;
mod playbacks_by_id;
mod playbacks_list;
mod playing;
mod progress;
mod report;
mod retention;

mod stored_event;
pub(crate) mod tabular;

pub(crate) use self::{
    canonical_position::{CanonicalPosition, CanonicalPositions},
    conflicts::{ConflictingIdentities, ConflictsRow},
    event::EventById,
    events_scan::EventsScan,
    lag::{LagQuery, LagRow},
    playback_row::PlaybackRow,
    playback_states::PlaybackStates,
    playbacks_by_id::PlaybacksById,
    playbacks_list::PlaybacksList,
    playing::{Playing, PlayingRow},
    progress::{PlaybacksProgress, Progress, ProgressRow},
    report::{FINAL_SETTINGS, ReportRows, Scope, SpanOf},
    retention::{
        BUCKET_MS, RetentionListening, RetentionListeningRow, RetentionPlays, RetentionPlaysRow,
    },
    stored_event::StoredEvent,
    tabular::{Cells, SelectColumns},
};
use std::{borrow::Cow, time::Duration};

use clickhouse::{RowOwned, RowRead};
use ess_schema::{id::InvalidId, time::InvalidTime};
use serde::{Serialize, de::DeserializeOwned};

/// A query of one generation of the read model.
pub(crate) trait Select: Sync {
    /// A row of the answer.
    type Row: RowOwned + RowRead + DeserializeOwned;
    /// Its name in metrics and in ClickHouse's query log.
    const NAME: &'static str;
    /// Whether its cost depends on the caller. If not, a failure is never the caller's fault.
    const UNBOUNDED: bool;
    /// Its time limit, if not the configured one.
    const TIME: Option<Duration> = None;

    /// The statement.
    fn to_sql(&self) -> Sql;
}

/// A statement with the values of its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Sql {
    /// The text, with parameters as `{name:Type}`.
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

    /// Sets ClickHouse settings.
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

/// The read model contains a value that no event can have caused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidRow {
    #[error("invalid id in the read model: {0}")]
    Id(#[from] InvalidId),
    #[error("invalid time in the read model: {0}")]
    Time(#[from] InvalidTime),
    #[error("invalid JSON in the read model: {0}")]
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
