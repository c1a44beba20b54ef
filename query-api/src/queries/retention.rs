//! How plays of a track held their listeners: how many there are, and what of the track each heard.

use clickhouse::Row;
use serde::Deserialize;

use super::{FINAL_SETTINGS, Scope, Select, Sql};
use crate::report::{Filter, Period, Text};

/// Length of a bucket, in ms.
pub(crate) const BUCKET_MS: u64 = 5_000;
/// Positions past this are not told: six hours.
const LAST_MS: u64 = 6 * 3_600_000;

/// The plays of a track that began in a period.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Plays {
    pub(crate) track_id: String,
    pub(crate) period: Period,
}

impl Plays {
    fn scope(&self) -> Scope {
        let filter = Filter::Text {
            field: Text::Track,
            is: true,
            values: vec![self.track_id.clone()],
        };
        let mut scope = Scope::new(self.period, &[filter]);
        scope.and("played_ms > 0");
        scope
    }
}

/// How many plays there are, and how far they came.
#[derive(Debug)]
pub(crate) struct PlaysOf<'p>(pub(crate) &'p Plays);

/// The answer: one row.
#[derive(Debug, Row, Deserialize)]
pub(crate) struct PlaysRow {
    pub(crate) plays: u64,
    pub(crate) track_duration_ms: Option<u64>,
    /// Plays whose track's length is known.
    pub(crate) measured: u64,
    /// Of these, those that reached 25, 50, 75 and 95 percent.
    pub(crate) reached: Vec<u64>,
}

impl Select for PlaysOf<'_> {
    type Row = PlaysRow;
    const NAME: &'static str = "retention_plays";
    const UNBOUNDED: bool = true;

    fn to_sql(&self) -> Sql {
        let mut scope = self.0.scope();
        let source = scope.playbacks();
        let text = format!(
            "SELECT count() AS plays, max(track_duration_ms) AS duration, countIf(track_duration_ms > 0) AS measured,
    [countIf(reached_percent >= 25), countIf(reached_percent >= 50), countIf(reached_percent >= 75), countIf(reached_percent >= 95)] AS reached
FROM {source}"
        );
        scope.bound(text).with(FINAL_SETTINGS)
    }
}

/// What was heard, by bucket.
#[derive(Debug)]
pub(crate) struct Heard<'p>(pub(crate) &'p Plays);

/// One bucket that something was heard of.
#[derive(Debug, Row, Deserialize)]
pub(crate) struct HeardRow {
    /// Counted from 0.
    pub(crate) bucket: u64,
    /// Plays that heard something of it.
    pub(crate) plays: u64,
    /// Listening time in it, repetitions by the listener included.
    pub(crate) played_ms: u64,
}

impl Select for Heard<'_> {
    type Row = HeardRow;
    const NAME: &'static str = "retention_heard";
    const UNBOUNDED: bool = true;

    fn to_sql(&self) -> Sql {
        let mut scope = self.0.scope();
        let source = scope.playbacks();
        // Every column of a stretch is in its key, so distinct rows are distinct stretches.
        let text = format!(
            "SELECT bucket, uniqExact(playback_key) AS plays,
    sum(least(until_ms, (bucket + 1) * {BUCKET_MS}) - greatest(from_ms, bucket * {BUCKET_MS})) AS heard_ms
FROM (
    SELECT DISTINCT cityHash64(playback_id) AS playback_key, event_key, from_ms, least(to_ms, {LAST_MS}) AS until_ms
    FROM played_stretches
    WHERE track_id = {{track_id:String}} AND from_ms < {LAST_MS} AND playback_id IN (SELECT playback_id FROM {source})
)
ARRAY JOIN range(intDiv(from_ms, {BUCKET_MS}), intDiv(until_ms - 1, {BUCKET_MS}) + 1) AS bucket
GROUP BY bucket
ORDER BY bucket"
        );
        scope.bind("track_id", self.0.track_id.as_str());
        scope.bound(text).with(FINAL_SETTINGS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queries::shown;

    fn plays() -> Plays {
        Plays {
            track_id: "t'1".to_owned(),
            period: Period::default(),
        }
    }

    #[test]
    fn the_plays_of_a_track() {
        insta::assert_snapshot!(shown(&PlaysOf(&plays()).to_sql()));
    }

    #[test]
    fn what_was_heard_by_bucket() {
        insta::assert_snapshot!(shown(&Heard(&plays()).to_sql()));
    }
}
