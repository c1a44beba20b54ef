//! The JSON of the projection's progress.

use ess_schema::Timestamp;

use super::described::document;
use crate::read::{Conflicts, Partition, View};

document! {
    /// How far the log is projected into the active generation of the read model.
    pub(crate) struct Projection {
        /// The active generation.
        pub(crate) generation: u32,
        /// Records of the log that are projected, of all partitions.
        pub(crate) records: u64,
        /// Of these, records that reports, rankings and lists of playbacks include: about one second behind. Null in a generation
        /// that was built by a version without them.
        pub(crate) rolled_up_records: Option<u64>,
        /// When the newest stored event was accepted.
        pub(crate) last_ingest_time: Option<Timestamp>,
        /// When an event was last stored.
        pub(crate) stored_at: Option<Timestamp>,
        /// Age of the newest stored event, in ms: an upper bound of how far answers are behind. It grows while no events arrive.
        pub(crate) staleness_ms: Option<i64>,
        /// Event identities with different messages in the log. 0 unless a client reuses ids.
        pub(crate) conflicting_identities: Option<u64>,
        /// When they were counted. The count repeats every few seconds, less often where it takes long.
        pub(crate) conflicts_counted_at: Option<Timestamp>,
        /// The progress of each partition; a partition without stored events is absent.
        pub(crate) partitions: Vec<PartitionProgress>,
    }
}

document! {
    /// How far one partition of the log is projected.
    pub(crate) struct PartitionProgress {
        /// The partition.
        pub(crate) partition: u16,
        /// Every offset below it is projected.
        pub(crate) next_offset: u64,
        /// Reports, rankings and lists of playbacks include every offset below it.
        pub(crate) rolled_up_offset: Option<u64>,
        /// When its newest stored event was accepted.
        pub(crate) last_ingest_time: Timestamp,
        /// When one of its events was last stored.
        pub(crate) stored_at: Timestamp,
        /// Age of its newest stored event, in ms.
        pub(crate) staleness_ms: i64,
    }
}

impl Projection {
    /// The progress at `now`, of both layers, with the last count of conflicts.
    pub(crate) fn new(
        view: &View,
        rolled_up: Option<&View>,
        conflicts: Option<Conflicts>,
        now: Timestamp,
    ) -> Self {
        let View {
            generation,
            partitions,
        } = view;
        let last_ingest_time = view.last_ingest_time();
        Self {
            generation: *generation,
            records: view.records(),
            rolled_up_records: rolled_up.map(View::records),
            last_ingest_time,
            stored_at: partitions.values().map(|known| known.stored_at).max(),
            staleness_ms: last_ingest_time.map(|time| age(time, now)),
            conflicting_identities: conflicts.map(|count| count.identities),
            conflicts_counted_at: conflicts.map(|count| count.counted_at),
            partitions: partitions
                .iter()
                .map(|(partition, known)| {
                    let rolled_up = rolled_up.map(|view| view.next_offset(*partition));
                    PartitionProgress::new(*partition, *known, rolled_up, now)
                })
                .collect(),
        }
    }

    /// The example in the document.
    fn example() -> serde_json::Value {
        serde_json::json!({
            "generation": 1, "records": 120_543, "rolled_up_records": 120_490, "last_ingest_time": "2026-11-23T10:00:10.130Z",
            "stored_at": "2026-11-23T10:00:10.221Z", "staleness_ms": 412,
            "conflicting_identities": 0, "conflicts_counted_at": "2026-11-23T10:00:08.004Z", "partitions": [PartitionProgress::example()]
        })
    }
}

impl PartitionProgress {
    fn new(
        partition: u16,
        progress: Partition,
        rolled_up_offset: Option<u64>,
        now: Timestamp,
    ) -> Self {
        let Partition {
            next_offset,
            last_ingest_time,
            stored_at,
        } = progress;
        Self {
            partition,
            next_offset,
            rolled_up_offset,
            last_ingest_time,
            stored_at,
            staleness_ms: age(last_ingest_time, now),
        }
    }

    fn example() -> serde_json::Value {
        serde_json::json!({
            "partition": 7, "next_offset": 10_045, "rolled_up_offset": 10_041, "last_ingest_time": "2026-11-23T10:00:10.130Z",
            "stored_at": "2026-11-23T10:00:10.221Z", "staleness_ms": 412
        })
    }
}

/// The age of `time`, not negative even where clocks differ.
fn age(time: Timestamp, now: Timestamp) -> i64 {
    now.millis_since(time).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::view;

    #[test]
    fn totals_are_over_all_partitions() {
        let stored = view(2, &[(0, 5), (3, 7)]);
        let newest = stored.last_ingest_time().unwrap();
        let rolled_up = view(2, &[(0, 5), (3, 4)]);
        let projection = Projection::new(&stored, Some(&rolled_up), None, newest.plus_millis(250));
        assert_eq!(
            (
                projection.generation,
                projection.records,
                projection.staleness_ms
            ),
            (2, 12, Some(250))
        );
        assert_eq!(projection.rolled_up_records, Some(9));
        let ages: Vec<_> = projection
            .partitions
            .iter()
            .map(|p| (p.partition, p.staleness_ms))
            .collect();
        assert_eq!(ages, [(0, 253), (3, 250)]);
    }

    #[test]
    fn a_generation_without_events_has_no_times() {
        let projection = Projection::new(
            &view(1, &[]),
            None,
            None,
            Timestamp::from_millis(0).unwrap(),
        );
        assert_eq!(
            (
                projection.records,
                projection.last_ingest_time,
                projection.staleness_ms
            ),
            (0, None, None)
        );
    }
}
