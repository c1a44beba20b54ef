//! The offset tracker by example, and against a world that remembers what was really stored: whatever happens in whatever
//! order, a commit must never pass a record that is not stored.

use proptest::prelude::*;

use super::*;
use crate::batch::Span;

fn spans(ends: &[(u16, u64)]) -> Spans {
    let span = |next_offset| Span {
        next_offset,
        last_ingest: None,
    };
    ends.iter().map(|(p, end)| (*p, span(*end))).collect()
}

fn take(tracker: &mut OffsetTracker, ends: &[(u16, u64)]) -> BatchId {
    tracker.take(&spans(ends), Instant::now())
}

fn store(tracker: &mut OffsetTracker, batch: BatchId) {
    let moved = tracker.acknowledge(batch);
    tracker.recorded(&moved);
}

#[test]
fn a_later_batch_waits_for_an_earlier_one() {
    let mut tracker = OffsetTracker::default();
    tracker.assign(0, None);
    let first = take(&mut tracker, &[(0, 10)]);
    let second = take(&mut tracker, &[(0, 20)]);
    store(&mut tracker, second);
    assert!(tracker.take_committable().is_empty());
    assert!(tracker.outstanding(&[0]));
    store(&mut tracker, first);
    assert_eq!(tracker.take_committable(), [(0, 20)].into());
    assert!(tracker.take_committable().is_empty(), "each offset once");
    assert!(!tracker.outstanding(&[0]));
}

#[test]
fn partitions_do_not_wait_for_each_other() {
    let mut tracker = OffsetTracker::default();
    tracker.assign(0, None);
    tracker.assign(1, Some(5));
    take(&mut tracker, &[(0, 10)]);
    let second = take(&mut tracker, &[(1, 20)]);
    store(&mut tracker, second);
    assert_eq!(tracker.take_committable(), [(1, 20)].into());
    assert_eq!(tracker.stored(), [(0, None), (1, Some(20))].into());
}

#[test]
fn what_the_read_model_does_not_yet_say_is_not_committed() {
    let mut tracker = OffsetTracker::default();
    tracker.assign(0, None);
    let batch = take(&mut tracker, &[(0, 10)]);
    let moved = tracker.acknowledge(batch);
    assert!(tracker.take_committable().is_empty());
    assert!(tracker.outstanding(&[0]));
    tracker.recorded(&moved);
    assert_eq!(tracker.take_committable(), [(0, 10)].into());
}

#[test]
fn nothing_is_committed_of_a_partition_that_was_taken_away() {
    let mut tracker = OffsetTracker::default();
    tracker.assign(0, None);
    let before = take(&mut tracker, &[(0, 10)]);
    let moved = tracker.acknowledge(before);
    let in_flight = take(&mut tracker, &[(0, 20)]);
    tracker.revoke(0);
    store(&mut tracker, in_flight);
    assert!(tracker.take_committable().is_empty());
    // It comes back, further on; what was stored before it went says nothing about this assignment.
    tracker.assign(0, Some(50));
    tracker.recorded(&moved);
    store(&mut tracker, in_flight);
    assert!(tracker.take_committable().is_empty());
    let now = take(&mut tracker, &[(0, 60)]);
    store(&mut tracker, now);
    assert_eq!(tracker.take_committable(), [(0, 60)].into());
}

#[test]
fn a_failed_commit_is_made_again() {
    let mut tracker = OffsetTracker::default();
    tracker.assign(0, None);
    let batch = take(&mut tracker, &[(0, 10)]);
    store(&mut tracker, batch);
    tracker.take_committable();
    tracker.commit_failed(0);
    assert_eq!(tracker.take_committable(), [(0, 10)].into());
}

#[test]
fn the_newest_ingest_time_of_all_steps_is_told() {
    let mut tracker = OffsetTracker::default();
    tracker.assign(0, None);
    let at = |ms| Timestamp::from_millis(ms).ok();
    let mut batch = |last_ingest| {
        let span = Span {
            next_offset: 1,
            last_ingest,
        };
        tracker.take(&[(0, span)].into(), Instant::now())
    };
    let (first, second) = (batch(at(9)), batch(at(7)));
    tracker.acknowledge(second);
    assert_eq!(tracker.acknowledge(first)[0].last_ingest, at(9));
}

#[derive(Debug, Clone)]
enum Step {
    Take(Vec<u16>),
    Store(usize),
    Commit,
    Revoke(u16),
    Assign(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(0_u16..3, 1..4).prop_map(Step::Take),
        4 => any::<usize>().prop_map(Step::Store),
        2 => Just(Step::Commit),
        1 => (0_u16..3).prop_map(Step::Revoke),
        1 => (0_u16..3).prop_map(Step::Assign),
    ]
}

/// What really happened: which offsets are stored, what is committed, and who owns what.
#[derive(Default)]
struct World {
    tracker: OffsetTracker,
    in_flight: Vec<(BatchId, Vec<(u16, u64)>)>,
    stored: BTreeMap<u16, Vec<bool>>,
    read: BTreeMap<u16, u64>,
    committed: BTreeMap<u16, u64>,
}

impl World {
    fn apply(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Assign(partition) if !self.read.contains_key(&partition) => {
                let start = self.committed.get(&partition).copied();
                self.tracker.assign(partition, start);
                self.read.insert(partition, start.unwrap_or(0));
            }
            Step::Revoke(partition) => {
                self.tracker.revoke(partition);
                self.read.remove(&partition);
            }
            Step::Take(partitions) => self.take(&partitions),
            Step::Store(at) if !self.in_flight.is_empty() => {
                let (batch, offsets) = self.in_flight.remove(at % self.in_flight.len());
                self.store(batch, &offsets);
            }
            Step::Commit => self.commit()?,
            Step::Assign(_) | Step::Store(_) => {}
        }
        Ok(())
    }

    fn take(&mut self, partitions: &[u16]) {
        let mut offsets = Vec::new();
        for partition in partitions {
            if let Some(next) = self.read.get_mut(partition) {
                offsets.push((*partition, *next));
                *next += 1;
            }
        }
        let ends: BTreeMap<u16, u64> = offsets.iter().map(|(p, o)| (*p, o + 1)).collect();
        let ends: Vec<_> = ends.into_iter().collect();
        self.in_flight
            .push((take(&mut self.tracker, &ends), offsets));
    }

    fn store(&mut self, batch: BatchId, offsets: &[(u16, u64)]) {
        for (partition, offset) in offsets {
            let stored = self.stored.entry(*partition).or_default();
            let at = *offset as usize;
            stored.resize(stored.len().max(at + 1), false);
            stored[at] = true;
        }
        store(&mut self.tracker, batch);
    }

    fn commit(&mut self) -> Result<(), TestCaseError> {
        for (partition, offset) in self.tracker.take_committable() {
            prop_assert!(self.read.contains_key(&partition), "a partition taken away");
            let stored = &self.stored[&partition];
            prop_assert!(
                stored[..offset as usize].iter().all(|stored| *stored),
                "a gap"
            );
            let before = self.committed.insert(partition, offset);
            prop_assert!(before < Some(offset), "a step back");
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn a_commit_never_passes_a_row_that_is_not_stored(steps in prop::collection::vec(step(), 0..120)) {
        let mut world = World::default();
        for partition in 0..3 {
            world.apply(Step::Assign(partition))?;
        }
        for step in steps {
            world.apply(step)?;
        }
        // When everything has been stored, everything is committed.
        while !world.in_flight.is_empty() {
            world.apply(Step::Store(0))?;
        }
        world.commit()?;
        for (partition, next) in &world.read {
            let committed = world.committed.get(partition).copied().unwrap_or(0);
            prop_assert_eq!(committed, *next);
        }
    }
}
