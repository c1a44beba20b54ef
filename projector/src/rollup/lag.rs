//! How far the table `playbacks` lags behind the stored events. Pure.

use std::collections::BTreeMap;

use crate::commit::progress::ProgressRow;

/// The offsets of one generation: of the stored events, and of the events that `playbacks` includes.
#[derive(Debug, Clone)]
pub(super) struct ProjectedOffsets {
    pub(super) stored: Vec<ProgressRow>,
    rolled_up: BTreeMap<u16, u64>,
    /// The sum over all partitions, also over those that [`ProjectedOffsets::only`] removes.
    version: u64,
}

/// The events of one partition that `playbacks` lacks: from one offset up to another, which is excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lag {
    pub(crate) partition: u16,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Lag {
    /// The number of offsets; a few of them may have no event.
    pub(crate) fn events(&self) -> u64 {
        self.to - self.from
    }
}

impl ProjectedOffsets {
    pub(super) fn new(stored: Vec<ProgressRow>, rolled_up: &[ProgressRow]) -> Self {
        let rolled_up = rolled_up.iter();
        Self {
            version: stored.iter().map(|row| row.next_offset).sum(),
            rolled_up: rolled_up
                .map(|row| (row.partition, row.next_offset))
                .collect(),
            stored,
        }
    }

    /// The version of rows that are written now. It grows whenever a partition advances.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// The partitions that lag.
    pub(super) fn lagging(&self) -> Vec<Lag> {
        let each = self.stored.iter().map(|stored| Lag {
            partition: stored.partition,
            from: self
                .rolled_up
                .get(&stored.partition)
                .copied()
                .unwrap_or_default(),
            to: stored.next_offset,
        });
        each.filter(|lag| lag.to > lag.from).collect()
    }

    /// The offsets of these partitions only; the version stays.
    pub(super) fn only(&self, lagging: &[Lag]) -> Self {
        let is_lagging =
            |row: &ProgressRow| lagging.iter().any(|lag| lag.partition == row.partition);
        let mut offsets = self.clone();
        offsets.stored.retain(is_lagging);
        offsets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(stored: &[(u16, u64)], rolled_up: &[(u16, u64)]) -> ProjectedOffsets {
        let rows = |offsets: &[(u16, u64)]| -> Vec<ProgressRow> {
            let rows = offsets.iter().map(|&(partition, next_offset)| ProgressRow {
                partition,
                next_offset,
                last_ingest_time: 0,
            });
            rows.collect()
        };
        ProjectedOffsets::new(rows(stored), &rows(rolled_up))
    }

    #[test]
    fn the_lag_is_from_the_rolled_up_to_the_stored_offset() {
        let offsets = offsets(&[(0, 10), (1, 5), (2, 7)], &[(0, 10), (1, 2)]);
        let lag = |partition, from, to| Lag {
            partition,
            from,
            to,
        };
        let lagging = offsets.lagging();
        assert_eq!(lagging, [lag(1, 2, 5), lag(2, 0, 7)]);
        assert_eq!(lagging.iter().map(Lag::events).sum::<u64>(), 10);
    }

    #[test]
    fn the_version_is_the_sum_over_all_partitions_whichever_are_rolled_up() {
        let offsets = offsets(&[(0, 10), (1, 5)], &[(0, 10)]);
        let only = offsets.only(&offsets.lagging());
        assert_eq!((offsets.version(), only.version()), (15, 15));
        let partitions = only.stored.iter().map(|row| row.partition);
        assert_eq!(partitions.collect::<Vec<_>>(), [1]);
    }
}
