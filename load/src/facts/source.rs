//! Where the facts of a run come from: the predecessor's untyped bodies, or the simulator. The same source and ledger give the
//! same facts, so that the proof can make them again after the run. Pure.

use std::collections::BTreeMap;
use std::iter;

use ess_schema::decode::{AcceptedShapes, ReceiveContext, decode_item};
use ess_schema::{Event, PlaybackId, TestId, Timestamp};

use super::ledger::{FactStatus, Ledger};
use super::untyped;
use crate::scenario::Body;
use crate::simulate::{Simulator, SimulatorConfig};
use crate::timeline::Timeline;

/// Determines every fact of a run.
#[derive(Debug, Clone)]
pub(crate) struct FactSource {
    pub(crate) kind: Kind,
    /// When the run began; times in the ledger count from here.
    pub(crate) began: Timestamp,
}

/// What kind of facts they are.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Untyped bodies, each a playback of its own, under this test id.
    Untyped(TestId),
    /// Facts of simulated playbacks, written so.
    Simulated(SimulatorConfig, Body),
}

/// The facts of one playback that the run made, in their order.
#[derive(Debug)]
pub(crate) struct SentPlayback {
    pub(crate) id: PlaybackId,
    pub(crate) facts: Vec<(Event, FactStatus)>,
}

impl FactSource {
    /// How the facts are written.
    pub(crate) fn body(&self) -> Body {
        match &self.kind {
            Kind::Untyped(_) => Body::Untyped,
            Kind::Simulated(_, body) => *body,
        }
    }

    /// Every fact in the ledger, by playback, with its status. Of a playback that the end of the run cut short, the facts that
    /// were made.
    pub(crate) fn playbacks<'l>(
        &self,
        ledger: &'l Ledger,
    ) -> Box<dyn Iterator<Item = SentPlayback> + 'l> {
        match &self.kind {
            Kind::Simulated(config, _) => Box::new(gather(config.clone(), ledger)),
            Kind::Untyped(test_id) => {
                Box::new(self.single(test_id, ledger, 0..ledger.entries().len()))
            }
        }
    }

    /// The same, with untyped playbacks in the order of their ids, in which the tables are sorted. Simulated playbacks, a tenth
    /// as many, come in the order in which they end.
    pub(crate) fn playbacks_by_id<'l>(
        &self,
        ledger: &'l Ledger,
    ) -> Box<dyn Iterator<Item = SentPlayback> + 'l> {
        let Kind::Untyped(test_id) = &self.kind else {
            return self.playbacks(ledger);
        };
        // An untyped id begins with its user; four bytes are enough for a number, whose entry takes eight.
        let mut numbers: Vec<u32> = (0..ledger.entries().len() as u32).collect();
        let user = |number: &u32| ledger.entries().get(*number as usize).map(|e| e.user);
        numbers.sort_by_key(user);
        let numbers = numbers.into_iter().map(|number| number as usize);
        Box::new(self.single(test_id, ledger, numbers))
    }

    /// Untyped facts of these numbers, each a playback.
    fn single<'l>(
        &self,
        test_id: &TestId,
        ledger: &'l Ledger,
        numbers: impl Iterator<Item = usize> + 'l,
    ) -> impl Iterator<Item = SentPlayback> + 'l {
        let (test_id, began) = (test_id.clone(), self.began);
        numbers.filter_map(move |number| {
            let entry = *ledger.entries().get(number)?;
            let sent_at = began.plus_millis(i64::from(entry.at_ms));
            let event = decode(&untyped(&test_id, entry.user, number, sent_at), sent_at)?;
            let id = event.playback_id.clone()?;
            let facts = vec![(event, entry.status)];
            Some(SentPlayback { id, facts })
        })
    }
}

/// Simulated playbacks, in the order in which they end; those that the end of the run cut short come last.
fn gather(config: SimulatorConfig, ledger: &Ledger) -> impl Iterator<Item = SentPlayback> {
    let timeline = Timeline::new(Simulator::new(config));
    let mut facts = ledger.entries().iter().zip(timeline);
    let mut open: BTreeMap<u64, Vec<(Event, FactStatus)>> = BTreeMap::new();
    iter::from_fn(move || {
        for (entry, fact) in facts.by_ref() {
            let gathered = open.entry(fact.playback).or_default();
            gathered.push((fact.event, entry.status));
            if fact.ends.is_some() {
                return sent(open.remove(&fact.playback)?);
            }
        }
        let (_, facts) = open.pop_first()?;
        sent(facts)
    })
}

/// The event that the receiver makes of a body.
pub(super) fn decode(body: &str, received_at: Timestamp) -> Option<Event> {
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

/// Every simulated fact names its playback.
fn sent(facts: Vec<(Event, FactStatus)>) -> Option<SentPlayback> {
    let id = facts.first()?.0.playback_id.clone()?;
    Some(SentPlayback { id, facts })
}
