//! The JSON of a track's retention curve.

use super::described::document;
use crate::sql::{BUCKET_MS, RetentionListeningRow, RetentionPlaysRow};

document! {
    /// Which parts of a track its plays covered.
    pub(crate) struct Retention {
        /// The track.
        pub(crate) track_id: String,
        /// Plays that began in the period.
        pub(crate) plays: u64,
        /// The track's length, the greatest of all its events.
        pub(crate) track_duration_ms: Option<u64>,
        /// The shares of plays that reached each part of the track, of the plays whose track length is known.
        pub(crate) quartiles: Quartiles,
        /// The curve in steps of 5 seconds, from the start of the track to the last step that a play covered, at most six hours.
        pub(crate) buckets: Vec<RetentionBucket>,
    }
}

document! {
    /// Shares of plays; null when no play has a known track length.
    pub(crate) struct Quartiles {
        /// 25 percent.
        pub(crate) reached_25: Option<f64>,
        /// 50 percent.
        pub(crate) reached_50: Option<f64>,
        /// 75 percent.
        pub(crate) reached_75: Option<f64>,
        /// 95 percent.
        pub(crate) reached_95: Option<f64>,
    }
}

document! {
    /// Five seconds of the track.
    pub(crate) struct RetentionBucket {
        /// Its start in the track.
        pub(crate) from_ms: u64,
        /// The share of plays that covered any of it.
        pub(crate) retention: f64,
        /// How often a play covered it on average: listening time divided by length. Above 1 where listeners come back to it.
        pub(crate) replays: f64,
        /// The retention of the previous bucket, or 1 for the first, minus its own. Negative where listeners skip to it.
        pub(crate) drop_off: f64,
    }
}

impl Retention {
    /// Combines the plays with their buckets, which ascend and lack the buckets that no play covered.
    pub(crate) fn new(
        track_id: String,
        plays: &RetentionPlaysRow,
        heard: &[RetentionListeningRow],
    ) -> Self {
        let RetentionPlaysRow {
            plays,
            duration_ms,
            measured,
            reached,
        } = plays;
        let reached = |at: usize| share(reached.get(at).copied().unwrap_or_default(), *measured);
        let buckets = heard.last().map_or(0, |last| last.bucket + 1);
        let mut heard = heard.iter().peekable();
        let mut before = 1.0;
        let buckets = (0..buckets).map(|bucket| {
            let row = heard.next_if(|row| row.bucket == bucket);
            let counted = row.map_or((0, 0), |row| (row.plays, row.heard_ms));
            let length = length_of(bucket, *duration_ms);
            let next = RetentionBucket::new(bucket, counted, *plays, length, before);
            before = next.retention;
            next
        });
        Self {
            track_id,
            plays: *plays,
            track_duration_ms: *duration_ms,
            buckets: buckets.collect(),
            quartiles: Quartiles {
                reached_25: reached(0),
                reached_50: reached(1),
                reached_75: reached(2),
                reached_95: reached(3),
            },
        }
    }

    fn example() -> serde_json::Value {
        serde_json::json!({
            "track_id": "track-3", "plays": 1_204, "track_duration_ms": 183_000,
            "quartiles": Quartiles::example(), "buckets": [RetentionBucket::example()]
        })
    }
}

impl Quartiles {
    fn example() -> serde_json::Value {
        serde_json::json!({ "reached_25": 0.91, "reached_50": 0.8, "reached_75": 0.7, "reached_95": 0.61 })
    }
}

impl RetentionBucket {
    /// Limits the share to 1: events may arrive between counting the plays and reading their buckets.
    fn new(bucket: u64, (heard, ms): (u64, u64), plays: u64, length: u64, before: f64) -> Self {
        let retention = share(heard, plays).unwrap_or_default().min(1.0);
        let once = plays as f64 * length as f64;
        Self {
            from_ms: bucket * BUCKET_MS,
            retention,
            replays: if once > 0.0 { ms as f64 / once } else { 0.0 },
            drop_off: before - retention,
        }
    }

    fn example() -> serde_json::Value {
        serde_json::json!({ "from_ms": 0, "retention": 0.99, "replays": 1.04, "drop_off": 0.01 })
    }
}

/// The length of a bucket. The last bucket ends with the track; past a track length that is too short, buckets have full length.
fn length_of(bucket: u64, track_duration_ms: Option<u64>) -> u64 {
    let left = track_duration_ms.and_then(|duration| duration.checked_sub(bucket * BUCKET_MS));
    left.filter(|left| *left > 0)
        .map_or(BUCKET_MS, |left| left.min(BUCKET_MS))
}

fn share(part: u64, total: u64) -> Option<f64> {
    (total > 0).then(|| part as f64 / total as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uncovered_buckets_are_zero_and_the_last_bucket_ends_with_the_track() {
        let plays = RetentionPlaysRow {
            plays: 4,
            duration_ms: Some(12_000),
            measured: 2,
            reached: vec![2, 1, 1, 0],
        };
        let heard = |bucket, plays, heard_ms| RetentionListeningRow {
            bucket,
            plays,
            heard_ms,
        };
        let retention = Retention::new(
            "t".to_owned(),
            &plays,
            &[heard(0, 3, 30_000), heard(2, 1, 2_000)],
        );
        let curve: Vec<_> = retention
            .buckets
            .iter()
            .map(|bucket| {
                (
                    bucket.from_ms,
                    bucket.retention,
                    bucket.replays,
                    bucket.drop_off,
                )
            })
            .collect();
        let expected = [
            (0, 0.75, 1.5, 0.25),
            (5_000, 0.0, 0.0, 0.75),
            (10_000, 0.25, 0.25, -0.25),
        ];
        assert_eq!(curve, expected);
        assert_eq!(retention.quartiles.reached_25, Some(1.0));
        assert_eq!(retention.quartiles.reached_95, Some(0.0));
    }
}
