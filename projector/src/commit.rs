//! Which offsets may be committed: only those below which everything is stored, of partitions that are still ours (I4).
//! Pure; who stores, records and commits is not known here.

pub(crate) mod offsets;
pub(crate) mod progress;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use ess_schema::Timestamp;

use crate::batch::Spans;

/// One batch on its way; batches are numbered in the order in which they were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BatchId(u64);

/// How far a partition is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Watermark {
    pub(crate) partition: u16,
    /// Every offset below it is a row or a dead letter.
    pub(crate) next_offset: u64,
    /// The latest ingest time among the events this step added, none when it added none.
    pub(crate) last_ingest: Option<Timestamp>,
    assignment: u64,
}

/// Follows each assigned partition through taken → stored → recorded → committed.
#[derive(Debug, Default)]
pub(crate) struct OffsetTracker {
    partitions: BTreeMap<u16, Partition>,
    assignments: u64,
    batches: u64,
}

/// One partition during one assignment; what concerns an earlier one finds no entry here.
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
    next_offset: u64,
    last_ingest: Option<Timestamp>,
    since: Instant,
    stored: bool,
}

impl OffsetTracker {
    /// A partition became ours; `start` is where reading it starts, none when that is its beginning.
    pub(crate) fn assign(&mut self, partition: u16, start: Option<u64>) {
        self.assignments += 1;
        let fresh = Partition {
            assignment: self.assignments,
            stored: start,
            recorded: start,
            committing: start,
            ..Partition::default()
        };
        self.partitions.insert(partition, fresh);
    }

    /// A partition was taken away: nothing that is known of it counts any more.
    pub(crate) fn revoke(&mut self, partition: u16) {
        self.partitions.remove(&partition);
    }

    /// A batch is on its way. Spans of partitions that are not ours are ignored.
    pub(crate) fn take(&mut self, spans: &Spans, now: Instant) -> BatchId {
        self.batches += 1;
        let batch = BatchId(self.batches);
        for (partition, span) in spans {
            if let Some(known) = self.partitions.get_mut(partition) {
                known.pending.push_back(Pending {
                    batch,
                    next_offset: span.next_offset,
                    last_ingest: span.last_ingest,
                    since: now,
                    stored: false,
                });
            }
        }
        batch
    }

    /// All of a batch is stored. Returns the watermarks that this moved: those where nothing before it is still on its way.
    pub(crate) fn acknowledge(&mut self, batch: BatchId) -> Vec<Watermark> {
        let mut moved = Vec::new();
        for (partition, known) in &mut self.partitions {
            if let Some(pending) = known.pending.iter_mut().find(|p| p.batch == batch) {
                pending.stored = true;
            }
            moved.extend(known.advance(*partition));
        }
        moved
    }

    /// These watermarks stand in the read model, so they may be committed.
    pub(crate) fn recorded(&mut self, watermarks: &[Watermark]) {
        for watermark in watermarks {
            let known = self.partitions.get_mut(&watermark.partition);
            if let Some(known) = known.filter(|known| known.assignment == watermark.assignment) {
                known.recorded = known.recorded.max(Some(watermark.next_offset));
            }
        }
    }

    /// The offsets to commit now, each once.
    pub(crate) fn take_committable(&mut self) -> BTreeMap<u16, u64> {
        let mut offsets = BTreeMap::new();
        for (partition, known) in &mut self.partitions {
            if known.recorded > known.committing {
                known.committing = known.recorded;
                offsets.extend(known.recorded.map(|offset| (*partition, offset)));
            }
        }
        offsets
    }

    /// A commit failed: what it held is to be committed again, if the partition is still ours.
    pub(crate) fn commit_failed(&mut self, partition: u16) {
        if let Some(known) = self.partitions.get_mut(&partition) {
            known.committing = None;
        }
    }

    /// Whether anything of these partitions is on its way, or stored but not recorded.
    pub(crate) fn outstanding(&self, partitions: &[u16]) -> bool {
        let ours = partitions.iter().filter_map(|p| self.partitions.get(p));
        ours.into_iter()
            .any(|known| !known.pending.is_empty() || known.recorded != known.stored)
    }

    /// The partitions that are ours.
    pub(crate) fn assigned(&self) -> Vec<u16> {
        self.partitions.keys().copied().collect()
    }

    /// How far each of our partitions is stored; none: nothing yet, and it started at its beginning.
    pub(crate) fn stored(&self) -> BTreeMap<u16, Option<u64>> {
        let each = self.partitions.iter();
        each.map(|(partition, known)| (*partition, known.stored))
            .collect()
    }

    /// Since when the oldest batch is on its way.
    pub(crate) fn oldest(&self) -> Option<Instant> {
        let fronts = self.partitions.values().filter_map(|p| p.pending.front());
        fronts.map(|pending| pending.since).min()
    }
}

impl Partition {
    fn advance(&mut self, partition: u16) -> Option<Watermark> {
        let mut moved: Option<Watermark> = None;
        while let Some(pending) = self.pending.pop_front_if(|pending| pending.stored) {
            self.stored = Some(pending.next_offset);
            moved = Some(Watermark {
                partition,
                next_offset: pending.next_offset,
                last_ingest: moved.and_then(|m| m.last_ingest).max(pending.last_ingest),
                assignment: self.assignment,
            });
        }
        moved
    }
}

#[cfg(test)]
mod tests;
