//! The retention of a track: its plays, and their listening time by bucket.

use clickhouse::Row;
use serde::Deserialize;

use super::{FINAL_SETTINGS, Scope, Select, Sql};
use crate::question::{Attribute, Filter, RetentionQuestion};

/// Length of a bucket, in ms.
pub(crate) const BUCKET_MS: u64 = 5_000;
/// The last position of the answer: six hours.
const LAST_MS: u64 = 6 * 3_600_000;

/// The settings of all queries of `playbacks`, and two more: read the stretches in the order of the key, and by track only, because
/// a hundred thousand look-ups of playbacks in the index take longer than reading all stretches of the track.
const IN_ORDER: &[(&str, &str)] = &[
    ("optimize_aggregation_in_order", "1"),
    ("use_index_for_in_with_subqueries", "0"),
    FINAL_SETTINGS[0],
    FINAL_SETTINGS[1],
    FINAL_SETTINGS[2],
];

impl RetentionQuestion {
    fn scope(&self) -> Scope {
        let filter = Filter::Attribute {
            attribute: Attribute::Track,
            is_in: true,
            values: vec![self.track_id.clone()],
        };
        let mut scope = Scope::new(self.period, &[filter]);
        scope.and("played_ms > 0");
        scope
    }
}

/// Counts the plays, and those that reached each quartile.
#[derive(Debug)]
pub(crate) struct RetentionPlays<'p>(pub(crate) &'p RetentionQuestion);

/// The answer: one row.
#[derive(Debug, Row, Deserialize)]
pub(crate) struct RetentionPlaysRow {
    pub(crate) plays: u64,
    /// The track's duration: the maximum of its plays.
    pub(crate) duration_ms: Option<u64>,
    /// Plays with a known duration of the track.
    pub(crate) measured: u64,
    /// Of these, those that reached 25, 50, 75 and 95 percent.
    pub(crate) reached: Vec<u64>,
}

impl Select for RetentionPlays<'_> {
    type Row = RetentionPlaysRow;
    const NAME: &'static str = "retention_plays";
    const UNBOUNDED: bool = true;

    fn to_sql(&self) -> Sql {
        let mut scope = self.0.scope();
        let source = scope.playbacks();
        let text = format!(
            "SELECT count() AS plays, max(track_duration_ms) AS duration_ms, countIf(track_duration_ms > 0) AS measured,
    [countIf(reached_percent >= 25), countIf(reached_percent >= 50), countIf(reached_percent >= 75), countIf(reached_percent >= 95)] AS reached
FROM {source}"
        );
        scope.bound(text).with(FINAL_SETTINGS)
    }
}

/// Selects the listening time by bucket.
#[derive(Debug)]
pub(crate) struct RetentionListening<'p>(pub(crate) &'p RetentionQuestion);

/// A bucket with listening time.
#[derive(Debug, Row, Deserialize)]
pub(crate) struct RetentionListeningRow {
    /// Counted from 0.
    pub(crate) bucket: u64,
    /// Plays with a played stretch in it.
    pub(crate) plays: u64,
    /// Listening time in it, repeated listening included.
    pub(crate) heard_ms: u64,
}

impl Select for RetentionListening<'_> {
    type Row = RetentionListeningRow;
    const NAME: &'static str = "retention_heard";
    const UNBOUNDED: bool = true;

    fn to_sql(&self) -> Sql {
        let mut scope = self.0.scope();
        let source = scope.playbacks();
        // Distinct stretches by playback, in the order of the key, so that memory does not grow with the number of plays. Only the
        // first of a playback's stretches in a bucket counts as a play.
        let touched =
            format!("range(intDiv(f, {BUCKET_MS}), intDiv(toUInt64(t - 1), {BUCKET_MS}) + 1)");
        let heard_ms =
            format!("toUInt32(least(t, (b + 1) * {BUCKET_MS}) - greatest(f, b * {BUCKET_MS}))");
        let text = format!(
            "SELECT bucket, countIf(time = 1) AS plays, sum(ms) AS heard_ms
FROM (
    SELECT groupArray(from_ms) AS froms, groupArray(least(to_ms, {LAST_MS})) AS tos,
        arrayFlatten(arrayMap((f, t) -> {touched}, froms, tos)) AS buckets,
        arrayFlatten(arrayMap((f, t) -> arrayMap(b -> {heard_ms}, {touched}), froms, tos)) AS parts,
        arrayEnumerateUniq(buckets) AS times
    FROM played_stretches FINAL
    WHERE track_id = {{track_id:String}} AND from_ms < {LAST_MS} AND playback_id IN (SELECT playback_id FROM {source})
    GROUP BY playback_id
)
ARRAY JOIN buckets AS bucket, parts AS ms, times AS time
GROUP BY bucket
ORDER BY bucket"
        );
        scope.bind("track_id", self.0.track_id.as_str());
        scope.bound(text).with(IN_ORDER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{question::Period, sql::shown};

    fn plays() -> RetentionQuestion {
        RetentionQuestion {
            track_id: "t'1".to_owned(),
            period: Period::default(),
        }
    }

    #[test]
    fn the_plays_of_a_track() {
        insta::assert_snapshot!(shown(&RetentionPlays(&plays()).to_sql()));
    }

    #[test]
    fn what_was_heard_by_bucket() {
        insta::assert_snapshot!(shown(&RetentionListening(&plays()).to_sql()));
    }
}
