//! A deterministic simulation of a consumer group: several projectors against a world that knows which records are stored. A
//! seeded scheduler picks every step: batches in flight complete in any order, commits fail, partitions move, projectors crash.
//! `ESS_TEST_SEED` repeats a run.

mod projector;

use std::{
    array,
    collections::BTreeSet,
    time::{Duration, Instant},
};

use ess_fuzz::for_each_seed;
use ess_schema::Position;
use rand::prelude::*;
use rand_chacha::ChaCha12Rng;

use self::projector::{FlushCause, Projector};

const SCHEDULES: u64 = 2_000;
const STEPS: usize = 250;
const PARTITIONS: usize = 3;
const PROJECTORS: usize = 2;

/// Kafka, ClickHouse and the projectors.
struct World {
    random: ChaCha12Rng,
    now: Instant,
    /// By partition: the high watermark.
    ends: [u64; PARTITIONS],
    stored: [BTreeSet<u64>; PARTITIONS],
    recorded: [u64; PARTITIONS],
    committed: [Option<u64>; PARTITIONS],
    /// By partition: counts assignments; a commit of an earlier assignment is rejected.
    epochs: [u64; PARTITIONS],
    projectors: [Projector; PROJECTORS],
    causes: BTreeSet<FlushCause>,
}

impl World {
    fn new(random: ChaCha12Rng) -> Self {
        let now = Instant::now();
        let mut world = Self {
            random,
            now,
            ends: [0; PARTITIONS],
            stored: array::from_fn(|_| BTreeSet::new()),
            recorded: [0; PARTITIONS],
            committed: [None; PARTITIONS],
            epochs: [0; PARTITIONS],
            projectors: array::from_fn(|_| Projector::new(now)),
            causes: BTreeSet::new(),
        };
        (0..PARTITIONS).for_each(|partition| world.assign(partition));
        world
    }

    fn step(&mut self) {
        let id = self.random.random_range(0..PROJECTORS);
        let partition = self.random.random_range(0..PARTITIONS);
        match self.random.random_range(0..100) {
            0..20 => self.ends[partition] += self.random.random_range(1..4),
            20..46 => self.poll(id),
            46..66 => self.complete(id),
            66..76 => self.record(id),
            76..84 => self.commit(id),
            84..92 => self.finish_commit(id, 0.8),
            92..95 => self.rebalance(partition),
            95..96 => self.crash(id),
            _ => self.now += Duration::from_millis(self.random.random_range(0..300)),
        }
    }

    fn poll(&mut self, id: usize) {
        let cause = self.projectors[id].poll(&mut self.random, self.now, &self.ends);
        self.causes.extend(cause);
    }

    fn complete(&mut self, id: usize) {
        let records = self.projectors[id].complete(&mut self.random);
        self.store(&records);
    }

    fn store(&mut self, records: &[Position]) {
        for record in records {
            self.stored[usize::from(record.partition)].insert(record.offset);
        }
    }

    /// The read model records the oldest watermarks that wait for it.
    fn record(&mut self, id: usize) {
        if let Some(watermarks) = self.projectors[id].recording.pop_front() {
            for watermark in &watermarks {
                let partition = usize::from(watermark.partition);
                self.assert_stored_below(partition, watermark.next_offset);
                let recorded = &mut self.recorded[partition];
                *recorded = watermark.next_offset.max(*recorded);
            }
            self.projectors[id].tracker.mark_recorded(&watermarks);
        }
    }

    /// Sends commits to Kafka.
    fn commit(&mut self, id: usize) {
        for (partition, offset) in self.projectors[id].tracker.take_committable() {
            let at = usize::from(partition);
            self.assert_stored_below(at, offset);
            assert!(offset <= self.recorded[at], "committed before recorded");
            let projector = &mut self.projectors[id];
            assert!(projector.next.contains_key(&partition), "not assigned");
            let commit = (partition, offset, self.epochs[at]);
            projector.commits.push_back(commit);
        }
    }

    /// Kafka accepts or rejects the oldest commit in flight.
    fn finish_commit(&mut self, id: usize, success: f64) {
        let Some((partition, offset, epoch)) = self.projectors[id].commits.pop_front() else {
            return;
        };
        let at = usize::from(partition);
        if epoch == self.epochs[at] && self.random.random_bool(success) {
            assert!(self.committed[at] <= Some(offset), "a commit goes back");
            self.committed[at] = Some(offset);
        } else {
            self.projectors[id].tracker.commit_failed(partition);
        }
    }

    fn assert_stored_below(&self, partition: usize, offset: u64) {
        let stored = &self.stored[partition];
        let gap = (0..offset).find(|offset| !stored.contains(offset));
        assert_eq!(gap, None, "partition {partition}: {offset} passes a gap");
    }

    /// Revokes a partition after a drain, a drain that times out, or none, and assigns it again.
    fn rebalance(&mut self, partition: usize) {
        let key = partition as u16;
        let mut projectors = self.projectors.iter();
        if let Some(id) = projectors.position(|p| p.next.contains_key(&key)) {
            match self.random.random_range(0..3) {
                0 => self.drain(id),
                1 => {
                    self.complete(id);
                    self.record(id);
                    self.commit(id);
                }
                _ => {}
            }
            let projector = &mut self.projectors[id];
            projector.tracker.revoke(key);
            projector.batcher.forget_partition(key);
            projector.next.remove(&key);
        }
        self.assign(partition);
    }

    fn assign(&mut self, partition: usize) {
        let start = self.committed[partition];
        assert!(start.unwrap_or(0) <= self.recorded[partition]);
        self.epochs[partition] += 1;
        let projector = self.projectors.choose_mut(&mut self.random).unwrap();
        projector.tracker.assign(partition as u16, start);
        projector.next.insert(partition as u16, start.unwrap_or(0));
    }

    /// Stores and commits every polled record.
    fn drain(&mut self, id: usize) {
        let cause = self.projectors[id].flush_for_drain(self.now);
        self.causes.extend(cause);
        while !self.projectors[id].in_flight.is_empty() {
            self.complete(id);
        }
        while !self.projectors[id].recording.is_empty() {
            self.record(id);
        }
        while !self.projectors[id].commits.is_empty() {
            self.finish_commit(id, 0.0);
        }
        self.commit(id);
        while !self.projectors[id].commits.is_empty() {
            self.finish_commit(id, 1.0);
        }
        let projector = &self.projectors[id];
        let partitions: Vec<u16> = projector.next.keys().copied().collect();
        assert!(!projector.tracker.has_unrecorded(&partitions));
        assert_eq!(projector.tracker.oldest_in_flight(), None);
        for (partition, next) in &projector.next {
            let committed = self.committed[usize::from(*partition)];
            assert_eq!(committed.unwrap_or(0), *next, "polled and not committed");
        }
    }

    /// A projector loses its memory; its batches in flight are stored or not.
    fn crash(&mut self, id: usize) {
        let restarted = Projector::new(self.now);
        let crashed = std::mem::replace(&mut self.projectors[id], restarted);
        for (_, records) in crashed.in_flight {
            if self.random.random() {
                self.store(&records);
            }
        }
        let partitions = crashed.next.into_keys();
        partitions.for_each(|partition| self.assign(usize::from(partition)));
    }

    /// Without further faults, every record is stored and committed.
    fn assert_completes(&mut self) {
        (0..PROJECTORS).for_each(|id| self.drain(id));
        while (0..PROJECTORS).any(|id| self.has_unread(id)) {
            for id in 0..PROJECTORS {
                self.poll(id);
                self.drain(id);
            }
        }
        for partition in 0..PARTITIONS {
            let end = self.ends[partition];
            self.assert_stored_below(partition, end);
            assert_eq!(self.committed[partition].unwrap_or(0), end);
        }
    }

    fn has_unread(&self, id: usize) -> bool {
        let mut next = self.projectors[id].next.iter();
        next.any(|(partition, next)| *next < self.ends[usize::from(*partition)])
    }
}

#[test]
fn a_commit_never_passes_a_row_that_is_not_stored() {
    let mut causes = BTreeSet::new();
    let schedules = for_each_seed(SCHEDULES, |random| {
        let mut world = World::new(random.clone());
        (0..STEPS).for_each(|_| world.step());
        world.assert_completes();
        causes.append(&mut world.causes);
    });
    assert!(
        causes.len() == 5 || schedules == 1,
        "flush causes: {causes:?}"
    );
}
