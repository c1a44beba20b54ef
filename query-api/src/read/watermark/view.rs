//! One look at the active generation: which it is, and what it is known to hold.

use std::collections::BTreeMap;

use ess_schema::{Position, Timestamp};

use crate::sql::{InvalidRow, ProgressRow};

/// What a generation held at least when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    /// The active generation.
    pub(crate) generation: u32,
    /// By partition; one that nothing was stored of is absent.
    pub(crate) partitions: BTreeMap<u16, Partition>,
}

/// How far one partition has been folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Partition {
    /// Every offset below it is stored.
    pub(crate) next_offset: u64,
    /// When the newest event stored was accepted.
    pub(crate) last_ingest_time: Timestamp,
    /// When something was stored last.
    pub(crate) stored_at: Timestamp,
}

impl View {
    /// The view that these rows of a generation give.
    ///
    /// # Errors
    /// Times that no projector writes.
    pub(crate) fn new(generation: u32, rows: &[ProgressRow]) -> Result<Self, InvalidRow> {
        let partition = |row: &ProgressRow| {
            let progress = Partition {
                next_offset: row.next_offset,
                last_ingest_time: Timestamp::from_millis(row.last_ingest_time)?,
                stored_at: Timestamp::from_millis(row.stored_at)?,
            };
            Ok((row.partition, progress))
        };
        Ok(Self {
            generation,
            partitions: rows
                .iter()
                .map(partition)
                .collect::<Result<_, InvalidRow>>()?,
        })
    }

    /// Where a partition's next event will be stored from.
    pub(crate) fn next_offset(&self, partition: u16) -> u64 {
        self.partitions
            .get(&partition)
            .map_or(0, |known| known.next_offset)
    }

    /// Whether everything at these positions is stored.
    pub(crate) fn holds(&self, positions: &[Position]) -> bool {
        positions
            .iter()
            .all(|position| position.offset < self.next_offset(position.partition))
    }

    /// Records of the log that it holds, all partitions together.
    pub(crate) fn records(&self) -> u64 {
        self.partitions
            .values()
            .map(|known| known.next_offset)
            .sum()
    }

    /// When the newest event stored was accepted; none before the first.
    pub(crate) fn last_ingest_time(&self) -> Option<Timestamp> {
        self.partitions
            .values()
            .map(|known| known.last_ingest_time)
            .max()
    }

    /// The `Ess-Watermark` header: a dictionary of RFC 9651.
    pub(crate) fn header(&self) -> String {
        let generation = self.generation;
        match self.last_ingest_time() {
            Some(time) => format!("generation={generation}, last-ingest-time=\"{time}\""),
            None => format!("generation={generation}"),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn view(generation: u32, next_offsets: &[(u16, u64)]) -> View {
        let row = |&(partition, next_offset): &(u16, u64)| ProgressRow {
            partition,
            next_offset,
            last_ingest_time: 1_795_427_200_000 + i64::from(partition),
            stored_at: 1_795_427_201_000,
        };
        let rows: Vec<_> = next_offsets.iter().map(row).collect();
        View::new(generation, &rows).unwrap()
    }

    fn positions(texts: &[&str]) -> Vec<Position> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_position_is_held_once_the_next_offset_has_passed_it() {
        let view = view(1, &[(0, 5), (3, 1)]);
        assert!(view.holds(&[]));
        assert!(view.holds(&positions(&["0:4", "3:0"])));
        assert!(!view.holds(&positions(&["0:5"])));
        assert!(!view.holds(&positions(&["0:4", "3:1"])));
        assert!(!view.holds(&positions(&["7:0"])), "nothing is stored of it");
    }

    #[test]
    fn the_header_tells_generation_and_freshness() {
        let told = view(2, &[(0, 5), (3, 1)]).header();
        assert_eq!(
            told,
            r#"generation=2, last-ingest-time="2026-11-23T09:46:40.003Z""#
        );
        assert_eq!(view(1, &[]).header(), "generation=1");
    }
}
