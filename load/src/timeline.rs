//! The facts of many concurrent playbacks in the order of their times. Holds the facts of a bounded number of playbacks; where more
//! are open at once, some begin later than their time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter::Peekable;
use std::vec;

use ess_schema::{Event, Timestamp};

use crate::simulate::{SimulatedPlayback, Simulator};

/// Playbacks whose facts are held at once: some 30 MB.
const MAX_OPEN: usize = 2_000;

/// One fact of a timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The event.
    pub event: Event,
    /// The number of its playback, from 0.
    pub playback: u64,
    /// Set on the last fact of a playback: how many facts that has.
    pub ends: Option<usize>,
}

/// An iterator over the facts.
pub struct Timeline {
    simulator: Peekable<Simulator>,
    /// The open playbacks; the one with the earliest next fact is on top.
    open: BinaryHeap<Reverse<Open>>,
    begun: u64,
    max_open: usize,
}

impl Timeline {
    /// The facts of these playbacks, of which some 2,000 are open at once.
    pub fn new(simulator: Simulator) -> Self {
        Self::with_max_open(simulator, MAX_OPEN)
    }

    /// The facts of these playbacks, of which at most `max_open` are open at once: each takes some 15 KB.
    pub fn with_max_open(simulator: Simulator, max_open: usize) -> Self {
        Self {
            simulator: simulator.peekable(),
            open: BinaryHeap::new(),
            begun: 0,
            max_open,
        }
    }

    /// Opens every playback that begins before the next known fact.
    fn open_playbacks(&mut self) {
        while self.open.len() < self.max_open {
            let next_known = self.open.peek().map(|Reverse(open)| open.next_at);
            let is_due = |playback: &SimulatedPlayback| {
                next_known.is_none_or(|known| playback.begins <= known)
            };
            let Some(playback) = self.simulator.next_if(is_due) else {
                return;
            };
            let (index, count) = (self.begun, playback.facts.len());
            self.begun += 1;
            let facts = playback.facts.into_iter();
            self.open
                .extend(Open::new(index, count, facts).map(Reverse));
        }
    }
}

impl Iterator for Timeline {
    type Item = Fact;

    fn next(&mut self) -> Option<Fact> {
        self.open_playbacks();
        let Reverse(Open {
            index,
            count,
            next,
            rest,
            ..
        }) = self.open.pop()?;
        let following = Open::new(index, count, rest);
        let ends = following.is_none().then_some(count);
        self.open.extend(following.map(Reverse));
        Some(Fact {
            event: next,
            playback: index,
            ends,
        })
    }
}

/// A playback with facts left.
struct Open {
    next_at: Timestamp,
    index: u64,
    count: usize,
    next: Event,
    rest: vec::IntoIter<Event>,
}

impl Open {
    fn new(index: u64, count: usize, mut rest: vec::IntoIter<Event>) -> Option<Self> {
        let next = rest.next()?;
        Some(Self {
            next_at: next.occurred_at,
            index,
            count,
            next,
            rest,
        })
    }

    fn order(&self) -> (Timestamp, u64) {
        (self.next_at, self.index)
    }
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Open {}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Open {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::simulate::SimulatorConfig;

    fn simulator(playbacks: u64) -> Simulator {
        let start = Timestamp::from_millis(1_795_428_000_000).unwrap();
        Simulator::new(SimulatorConfig::new(3, playbacks, start))
    }

    #[test]
    fn the_facts_of_all_playbacks_are_in_the_order_of_their_times() {
        let facts: Vec<_> = Timeline::new(simulator(500)).collect();
        assert!(facts.is_sorted_by_key(|fact| fact.event.occurred_at));
        let changes = facts
            .windows(2)
            .filter(|pair| pair[0].playback != pair[1].playback);
        assert!(changes.count() > facts.len() / 2, "not side by side");
    }

    #[test]
    fn no_playback_is_opened_before_its_time() {
        let mut timeline = Timeline::new(simulator(500));
        let first = timeline.next().unwrap();
        let is_open = |playback: &SimulatedPlayback| playback.begins <= first.event.occurred_at;
        let open = simulator(500).filter(is_open).count() as u64;
        assert_eq!(timeline.begun, open);
    }

    #[test]
    fn every_playback_is_complete_and_in_order_even_where_too_many_are_open() {
        let (count, max_open) = (500, 5);
        let mut found: BTreeMap<u64, Vec<Event>> = BTreeMap::new();
        let mut ended = BTreeMap::new();
        for fact in Timeline::with_max_open(simulator(count), max_open) {
            assert_eq!(ended.get(&fact.playback), None, "a fact after the last");
            found.entry(fact.playback).or_default().push(fact.event);
            ended.extend(fact.ends.map(|facts| (fact.playback, facts)));
        }
        for (index, playback) in (0..).zip(simulator(count)) {
            assert_eq!(ended.get(&index), Some(&playback.facts.len()));
            assert_eq!(found.remove(&index), Some(playback.facts));
        }
    }
}
