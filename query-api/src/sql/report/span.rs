//! The time span of all playbacks of one track or one user.

use clickhouse::Row;
use serde::Deserialize;

use super::{FINAL_SETTINGS, Scope};
use crate::{
    question::{Attribute, Filter, Period},
    sql::{Select, Sql},
};

/// Selects the span of the playbacks with this value, whenever they began, and the number of distinct tracks in the period.
#[derive(Debug)]
pub(crate) struct SpanOf<'v> {
    pub(crate) attribute: Attribute,
    pub(crate) value: &'v str,
    pub(crate) period: Period,
}

/// The answer; without playbacks the times are 0.
#[derive(Debug, Row, Deserialize)]
pub(crate) struct SpanRow {
    pub(crate) playbacks: u64,
    /// The time of the earliest event, in ms.
    pub(crate) earliest: i64,
    /// The time of the latest event, in ms.
    pub(crate) latest: i64,
    /// Distinct tracks of the plays that began in the period.
    pub(crate) tracks: u64,
}

impl Select for SpanOf<'_> {
    type Row = SpanRow;
    const NAME: &'static str = "span";
    const UNBOUNDED: bool = true;

    fn to_sql(&self) -> Sql {
        let filter = Filter::Attribute {
            attribute: self.attribute,
            is_in: true,
            values: vec![self.value.to_owned()],
        };
        let mut scope = Scope::new(Period::default(), &[filter]);
        let source = scope.playbacks();
        let began = scope.began_in(self.period);
        let text = format!(
            "SELECT count() AS playbacks, min(first_event_at) AS earliest, max(last_event_at) AS latest,
    uniqExactIf(track_key, played_ms > 0{began}) AS tracks
FROM {source}"
        );
        scope.bound(text).with(FINAL_SETTINGS)
    }
}
