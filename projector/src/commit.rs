//! Which offsets may be committed: only those below which every record is stored, of partitions that are still assigned
//! (I4). Pure: it must never do I/O.

pub(crate) mod progress;
pub(crate) mod shared;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use ess_schema::Timestamp;

/// A batch in flight. Ids rise in the order in which the batches were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BatchId(u64);

/// The records of one partition in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// One past the last offset.
    pub(crate) next_offset: u64,
    /// The latest ingest time of its events; none when all records are dead letters.
    pub(crate) last_ingest: Option<Timestamp>,
}

/// The spans of a batch, by partition.
pub(crate) type Spans = BTreeMap<u16, Span>;

/// Everything below `next_offset` of a partition is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Watermark {
    pub(crate) partition: u16,
    /// Every record below it is a row or a dead letter.
    pub(crate) next_offset: u64,
    /// The latest ingest time of the events since the previous watermark; none without events.
    pub(crate) last_ingest: Option<Timestamp>,
    assignment: u64,
}

/// Tracks the offsets of each assigned partition: in flight → stored → recorded → committed.
#[derive(Debug, Default)]
pub(crate) struct OffsetTracker {
    partitions: BTreeMap<u16, Partition>,
    assignments: u64,
    batches: u64,
}

/// A partition during one assignment. Reports about an earlier assignment are ignored.
#[derive(Debug, Default)]
struct Partition {
    assignment: u64,
    pending: VecDeque<Pending>,
    stored: Option<u64>,
    recorded: Option<u64>,
    committing: Option<u64>,
}

#[derive(Debug)]
struct Pending {
    batch: BatchId,
    span: Span,
    since: Instant,
    stored: bool,
}

impl OffsetTracker {
    /// Adds a partition. `start` is its start offset; none when consumption starts at the beginning.
    pub(crate) fn assign(&mut self, partition: u16, start: Option<u64>) {
        self.assignments += 1;
        let assigned = Partition {
            assignment: self.assignments,
            stored: start,
            recorded: start,
            committing: start,
            ..Partition::default()
        };
        self.partitions.insert(partition, assigned);
    }

    /// Removes a partition with all its state.
    pub(crate) fn revoke(&mut self, partition: u16) {
        self.partitions.remove(&partition);
    }

    /// Registers a batch that is sent to be stored. Spans of partitions that are not assigned are ignored.
    pub(crate) fn register(&mut self, spans: &Spans, now: Instant) -> BatchId {
        self.batches += 1;
        let batch = BatchId(self.batches);
        for (partition, span) in spans {
            if let Some(assigned) = self.partitions.get_mut(partition) {
                assigned.pending.push_back(Pending {
                    batch,
                    span: *span,
                    since: now,
                    stored: false,
                });
            }
        }
        batch
    }

    /// Marks all records of a batch as stored. Returns the watermarks that advance: those with no earlier batch in flight.
    pub(crate) fn mark_stored(&mut self, batch: BatchId) -> Vec<Watermark> {
        let mut advanced = Vec::new();
        for (partition, assigned) in &mut self.partitions {
            if let Some(pending) = assigned.pending.iter_mut().find(|p| p.batch == batch) {
                pending.stored = true;
            }
            advanced.extend(assigned.advance(*partition));
        }
        advanced
    }

    /// Marks these watermarks as recorded in the read model: their offsets may be committed.
    pub(crate) fn mark_recorded(&mut self, watermarks: &[Watermark]) {
        for watermark in watermarks {
            let assigned = self.partitions.get_mut(&watermark.partition);
            if let Some(assigned) = assigned.filter(|a| a.assignment == watermark.assignment) {
                assigned.recorded = assigned.recorded.max(Some(watermark.next_offset));
            }
        }
    }

    /// The offsets to commit now. Returns each offset once, unless its commit fails.
    pub(crate) fn take_committable(&mut self) -> BTreeMap<u16, u64> {
        let mut offsets = BTreeMap::new();
        for (partition, assigned) in &mut self.partitions {
            if assigned.recorded > assigned.committing {
                assigned.committing = assigned.recorded;
                offsets.extend(assigned.recorded.map(|offset| (*partition, offset)));
            }
        }
        offsets
    }

    /// Makes the offset of a failed commit committable again, if the partition is still assigned.
    pub(crate) fn commit_failed(&mut self, partition: u16) {
        if let Some(assigned) = self.partitions.get_mut(&partition) {
            assigned.committing = None;
        }
    }

    /// Whether these partitions have records that are in flight, or stored but not recorded.
    pub(crate) fn has_unrecorded(&self, partitions: &[u16]) -> bool {
        let mut assigned = partitions.iter().filter_map(|p| self.partitions.get(p));
        assigned.any(|a| !a.pending.is_empty() || a.recorded != a.stored)
    }

    /// The assigned partitions.
    pub(crate) fn assigned(&self) -> Vec<u16> {
        self.partitions.keys().copied().collect()
    }

    /// The stored watermark of each assigned partition; none while nothing is stored and consumption started at the
    /// beginning.
    pub(crate) fn stored(&self) -> BTreeMap<u16, Option<u64>> {
        let each = self.partitions.iter();
        each.map(|(partition, assigned)| (*partition, assigned.stored))
            .collect()
    }

    /// When the oldest batch in flight was registered.
    pub(crate) fn oldest_in_flight(&self) -> Option<Instant> {
        let oldest = self.partitions.values().filter_map(|a| a.pending.front());
        oldest.map(|pending| pending.since).min()
    }
}

impl Partition {
    fn advance(&mut self, partition: u16) -> Option<Watermark> {
        let mut watermark: Option<Watermark> = None;
        while let Some(Pending { span, .. }) = self.pending.pop_front_if(|pending| pending.stored) {
            self.stored = Some(span.next_offset);
            watermark = Some(Watermark {
                partition,
                next_offset: span.next_offset,
                last_ingest: watermark.and_then(|w| w.last_ingest).max(span.last_ingest),
                assignment: self.assignment,
            });
        }
        watermark
    }
}

#[cfg(test)]
mod tests;
