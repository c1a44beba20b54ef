//! Which facts a run sends: numbered, made one by one as they are wanted, and made again afterwards for whoever checks. The same
//! origin and ledger give the same facts. Pure.

use std::collections::BTreeMap;

use ess_schema::decode::{AcceptedShapes, ReceiveContext, decode_item};
use ess_schema::{Event, PlaybackId, TestId, Timestamp};

use crate::facts::ledger::{Entry, Fate, Ledger};
use crate::facts::shape::Shape;
use crate::facts::{untyped, untyped_id};
use crate::scenario::{Body, Scenario};
use crate::simulate::{Simulator, SimulatorConfig};
use crate::timeline::Timeline;

/// What all facts of a run follow from.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) test_id: TestId,
    /// None for untyped bodies.
    simulated: Option<(SimulatorConfig, Shape)>,
    /// When the run began; times in the ledger count from here.
    pub(crate) began: Timestamp,
}

/// One fact on its way.
#[derive(Debug)]
pub(crate) struct Item {
    /// Its place in the ledger.
    pub(crate) number: usize,
    pub(crate) body: String,
    pub(crate) playback: Option<String>,
    /// How long after the first moment of the simulation it happened, ms; 0 for untyped bodies.
    pub(crate) after_ms: u64,
}

/// Makes facts, and keeps the ledger of what became of them.
pub(crate) struct Feed {
    origin: Origin,
    timeline: Option<(Timeline, Shape)>,
    pub(crate) ledger: Ledger,
}

impl Origin {
    /// `simulation_begins`: when the first simulated playback may begin.
    pub(crate) fn new(
        scenario: &Scenario,
        test_id: TestId,
        began: Timestamp,
        simulation_begins: Timestamp,
    ) -> Self {
        let shape = match scenario.body {
            Body::Untyped => None,
            Body::Command => Some(Shape::Command),
            Body::Cloudevent => Some(Shape::Cloudevent),
            Body::Mixed => Some(Shape::Mixed),
        };
        let config = SimulatorConfig {
            test_id: Some(test_id.clone()),
            ..SimulatorConfig::new(scenario.seed, scenario.playbacks, simulation_begins)
        };
        Self {
            test_id,
            simulated: shape.map(|shape| (config, shape)),
            began,
        }
    }

    /// Where its facts are sent to.
    pub(crate) fn path(&self) -> &'static str {
        self.simulated
            .as_ref()
            .map_or("/events/", |(_, shape)| shape.path())
    }

    /// The media type of a request of so many facts.
    pub(crate) fn media_type(&self, batch: usize) -> &'static str {
        match &self.simulated {
            _ if batch > 1 => "application/x-ndjson",
            Some((_, shape)) => shape.media_type(),
            None => "application/json",
        }
    }

    fn timeline(&self) -> Option<(Timeline, Shape)> {
        let (config, shape) = self.simulated.clone()?;
        Some((Timeline::new(Simulator::new(config)), shape))
    }

    fn sent_at(&self, entry: Entry) -> Timestamp {
        self.began.plus_millis(i64::from(entry.at_ms))
    }

    fn untyped(&self, number: usize, entry: Entry) -> String {
        untyped(&self.test_id, entry.user, number, self.sent_at(entry))
    }

    /// Every fact in the ledger, by playback: what its events were, and what became of each. Of the playbacks that the end of
    /// the run cut short the facts that were made.
    pub(crate) fn playbacks<'l>(&self, ledger: &'l Ledger) -> Box<dyn Iterator<Item = Sent> + 'l> {
        match self.gathered(ledger) {
            Some(gathered) => Box::new(gathered),
            None => Box::new(self.single(ledger, 0..ledger.entries().len())),
        }
    }

    /// The same, untyped ones with neighbours in the read model, which is sorted by id, close to each other. Simulated ones are a
    /// tenth as many, and come as they end.
    pub(crate) fn playbacks_by_id<'l>(
        &self,
        ledger: &'l Ledger,
    ) -> Box<dyn Iterator<Item = Sent> + 'l> {
        if let Some(gathered) = self.gathered(ledger) {
            return Box::new(gathered);
        }
        // An untyped id begins with its user; four bytes are enough for a number, whose entry takes eight.
        let mut numbers: Vec<u32> = (0..ledger.entries().len() as u32).collect();
        let user = |number: &u32| ledger.entries().get(*number as usize).map(|e| e.user);
        numbers.sort_by_key(user);
        Box::new(self.single(ledger, numbers.into_iter().map(|number| number as usize)))
    }

    /// Simulated playbacks, in the order in which they end.
    fn gathered<'l>(&self, ledger: &'l Ledger) -> Option<Gathered<'l>> {
        let (timeline, _) = self.timeline()?;
        let facts = ledger.entries().iter().copied().zip(timeline);
        Some(Gathered {
            facts: Box::new(facts.map(|(entry, fact)| (fact, entry))),
            open: BTreeMap::new(),
        })
    }

    /// Untyped facts of these numbers, each a playback.
    fn single<'l>(
        &self,
        ledger: &'l Ledger,
        numbers: impl Iterator<Item = usize> + 'l,
    ) -> impl Iterator<Item = Sent> + 'l {
        let origin = self.clone();
        numbers.filter_map(move |number| {
            let entry = *ledger.entries().get(number)?;
            let event = read(&origin.untyped(number, entry), origin.sent_at(entry))?;
            let id = event.playback_id.clone()?;
            let facts = vec![(event, entry.fate)];
            Some(Sent { id, facts })
        })
    }
}

/// The event that the receiver makes of a body.
fn read(body: &str, received_at: Timestamp) -> Option<Event> {
    let mut generate_id = || unreachable_id();
    let mut context = ReceiveContext::Request {
        received_at,
        generate_id: &mut generate_id,
    };
    let item = decode_item(body, AcceptedShapes::Any, &mut context).ok()?;
    Some(item.event)
}

/// Every body names its id, so none is ever made.
fn unreachable_id() -> ess_schema::EventId {
    #[expect(clippy::expect_used, reason = "a letter is an id")]
    ess_schema::EventId::new("unnamed").expect("an id")
}

/// The facts of one playback.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) id: PlaybackId,
    pub(crate) facts: Vec<(Event, Fate)>,
}

/// Playbacks gathered from a timeline: each is held until its last fact comes, or there are no more.
struct Gathered<'l> {
    facts: Box<dyn Iterator<Item = (crate::timeline::Fact, Entry)> + 'l>,
    open: BTreeMap<u64, Vec<(Event, Fate)>>,
}

impl Iterator for Gathered<'_> {
    type Item = Sent;

    fn next(&mut self) -> Option<Sent> {
        for (fact, entry) in self.facts.by_ref() {
            let facts = self.open.entry(fact.playback).or_default();
            facts.push((fact.event, entry.fate));
            if fact.ends.is_some() {
                let facts = self.open.remove(&fact.playback)?;
                return sent(facts);
            }
        }
        let (_, facts) = self.open.pop_first()?;
        sent(facts)
    }
}

/// Every simulated fact names its playback.
fn sent(facts: Vec<(Event, Fate)>) -> Option<Sent> {
    let id = facts.first()?.0.playback_id.clone()?;
    Some(Sent { id, facts })
}

impl Feed {
    pub(crate) fn new(origin: Origin) -> Self {
        Self {
            timeline: origin.timeline(),
            origin,
            ledger: Ledger::default(),
        }
    }

    /// The next facts, at most so many; fewer when there are no more. They are `user`'s, and sent at `now`.
    pub(crate) fn take(&mut self, count: usize, user: u32, now: Timestamp) -> Vec<Item> {
        let at_ms = now
            .millis_since(self.origin.began)
            .clamp(0, i64::from(u32::MAX)) as u32;
        let entry = Entry {
            at_ms,
            user: user.min(u32::from(u16::MAX)) as u16,
            fate: Fate::Unsent,
        };
        (0..count).map_while(|_| self.next(entry)).collect()
    }

    fn next(&mut self, entry: Entry) -> Option<Item> {
        let number = self.ledger.entries().len();
        let item = match &mut self.timeline {
            Some((timeline, shape)) => {
                let event = timeline.next()?.event;
                let begins = self
                    .origin
                    .simulated
                    .as_ref()
                    .map(|(config, _)| config.start);
                let after = begins.map_or(0, |begins| event.occurred_at.millis_since(begins));
                Item {
                    number,
                    body: shape.body(number as u64, &event),
                    playback: event.playback_id.map(|id| id.to_string()),
                    after_ms: after.unsigned_abs(),
                }
            }
            None => Item {
                number,
                body: self.origin.untyped(number, entry),
                playback: Some(untyped_id(&self.origin.test_id, entry.user, number)),
                after_ms: 0,
            },
        };
        self.ledger.push(entry);
        Some(item)
    }
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
