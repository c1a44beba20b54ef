//! How long something has been played at all: of one track, or of one user.

use clickhouse::Row;
use serde::Deserialize;

use super::{FINAL_SETTINGS, Scope};
use crate::{
    queries::{Select, Sql},
    report::{Filter, Period, Text},
};

/// The playbacks with this value, whenever they began.
#[derive(Debug)]
pub(crate) struct SpanOf<'v> {
    pub(crate) field: Text,
    pub(crate) value: &'v str,
}

/// What they come to; without any the times are of 1970.
#[derive(Debug, Row, Deserialize)]
pub(crate) struct SpanRow {
    pub(crate) playbacks: u64,
    pub(crate) first_event_at: i64,
    pub(crate) last_event_at: i64,
    pub(crate) tracks: u64,
}

impl Select for SpanOf<'_> {
    type Row = SpanRow;
    const NAME: &'static str = "span";
    const UNBOUNDED: bool = true;

    fn to_sql(&self) -> Sql {
        let filter = Filter::Text {
            field: self.field,
            is: true,
            values: vec![self.value.to_owned()],
        };
        let mut scope = Scope::new(Period::default(), &[filter]);
        let source = scope.playbacks();
        let text = format!(
            "SELECT count() AS playbacks, min(first_event_at) AS first, max(last_event_at) AS last,
    uniqExactIf(track_key, played_ms > 0) AS tracks
FROM {source}"
        );
        scope.bound(text).with(FINAL_SETTINGS)
    }
}
