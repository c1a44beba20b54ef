//! One observation of a layer of the active generation: what it is known to include.

use std::collections::BTreeMap;

use ess_schema::{Position, Timestamp};

use crate::sql::{InvalidRow, ProgressRow};

/// What a generation is known to include.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    /// The active generation.
    pub(crate) generation: u32,
    /// The progress of each partition; a partition without stored events is absent.
    pub(crate) partitions: BTreeMap<u16, Partition>,
}

/// How far one partition is projected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Partition {
    /// Every offset below it is stored.
    pub(crate) next_offset: u64,
    /// When the newest stored event was accepted.
    pub(crate) last_ingest_time: Timestamp,
    /// When an event was last stored.
    pub(crate) stored_at: Timestamp,
}

impl View {
    /// The view of these rows of a generation.
    ///
    /// # Errors
    /// An invalid time.
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

    /// The first offset of a partition that is not stored.
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

    /// The number of log records that it includes.
    pub(crate) fn records(&self) -> u64 {
        self.partitions
            .values()
            .map(|known| known.next_offset)
            .sum()
    }

    /// When the newest stored event was accepted; none before the first.
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
    fn a_view_includes_the_positions_below_its_next_offset() {
        let view = view(1, &[(0, 5), (3, 1)]);
        assert!(view.holds(&[]));
        assert!(view.holds(&positions(&["0:4", "3:0"])));
        assert!(!view.holds(&positions(&["0:5"])));
        assert!(!view.holds(&positions(&["0:4", "3:1"])));
        assert!(!view.holds(&positions(&["7:0"])), "nothing is stored of it");
    }

    #[test]
    fn the_header_has_generation_and_freshness() {
        let header = view(2, &[(0, 5), (3, 1)]).header();
        assert_eq!(
            header,
            r#"generation=2, last-ingest-time="2026-11-23T09:46:40.003Z""#
        );
        assert_eq!(view(1, &[]).header(), "generation=1");
    }
}
