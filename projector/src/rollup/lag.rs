//! How far the rows in `playbacks` are behind the events that are stored. Pure.

use std::collections::BTreeMap;

use super::ProgressRow;

/// How far one generation is: what is stored, and what the rows hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Held {
    pub(super) stored: BTreeMap<u16, Stored>,
    made: BTreeMap<u16, u64>,
    /// Of all partitions, also those left out since.
    version: u64,
}

/// How far one partition is stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored {
    pub(super) next_offset: u64,
    /// ms since 1970.
    pub(super) last_ingest_time: i64,
}

/// The events of one partition that the rows lack: from one offset up to another one, not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lag {
    pub(crate) partition: u16,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Lag {
    /// Positions of the log; a few of them may be no events.
    pub(crate) fn events(&self) -> u64 {
        self.to - self.from
    }
}

impl Held {
    pub(super) fn new(stored: Vec<ProgressRow>, made: BTreeMap<u16, u64>) -> Self {
        let stored: BTreeMap<_, _> = stored
            .into_iter()
            .map(|row| {
                let stored = Stored {
                    next_offset: row.next_offset,
                    last_ingest_time: row.last_ingest_time,
                };
                (row.partition, stored)
            })
            .collect();
        let version = stored.values().map(|stored| stored.next_offset).sum();
        Self {
            stored,
            made,
            version,
        }
    }

    /// What rows made now bear: it only grows, whatever partition moves.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// The partitions that lag.
    pub(super) fn behind(&self) -> Vec<Lag> {
        let each = self.stored.iter().map(|(partition, stored)| Lag {
            partition: *partition,
            from: self.made.get(partition).copied().unwrap_or_default(),
            to: stored.next_offset,
        });
        each.filter(|lag| lag.to > lag.from).collect()
    }

    /// Of these partitions only; the version stays.
    pub(super) fn only(&self, lagging: &[Lag]) -> Self {
        let mut held = self.clone();
        held.stored
            .retain(|partition, _| lagging.iter().any(|lag| lag.partition == *partition));
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(stored: &[(u16, u64)], made: &[(u16, u64)]) -> Held {
        let row = |&(partition, next_offset): &(u16, u64)| ProgressRow {
            partition,
            next_offset,
            last_ingest_time: 0,
        };
        Held::new(
            stored.iter().map(row).collect(),
            made.iter().copied().collect(),
        )
    }

    #[test]
    fn what_the_rows_lack_is_what_is_stored_past_them() {
        let held = held(&[(0, 10), (1, 5), (2, 7)], &[(0, 10), (1, 2)]);
        let (of_1, of_2) = (
            Lag {
                partition: 1,
                from: 2,
                to: 5,
            },
            Lag {
                partition: 2,
                from: 0,
                to: 7,
            },
        );
        assert_eq!(held.behind(), [of_1, of_2]);
        assert_eq!(of_1.events() + of_2.events(), 10);
    }

    #[test]
    fn the_version_is_of_all_partitions_whichever_are_rolled_up() {
        let held = held(&[(0, 10), (1, 5)], &[(0, 10)]);
        let only = held.only(&held.behind());
        assert_eq!((held.version(), only.version()), (15, 15));
        assert_eq!(only.stored.keys().collect::<Vec<_>>(), [&1]);
    }
}
