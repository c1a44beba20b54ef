//! Hands out the facts of a run one by one, each with its number, and owns the ledger of their statuses. Makes a fact only when
//! it is requested, and never sends one.

use ess_schema::{TestId, Timestamp};

use super::ledger::{Entry, FactStatus, Ledger};
use super::source::{FactSource, Kind};
use super::{untyped, untyped_id};
use crate::scenario::Body;
use crate::simulate::Simulator;
use crate::timeline::Timeline;

/// One fact to send.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Its index in the ledger.
    pub(crate) number: usize,
    pub(crate) body: String,
    /// The key of its record in the log: the id of its playback.
    pub(crate) key: String,
    /// The number of its playback.
    pub(crate) playback: u64,
    /// Set on the last fact of a playback: how many facts that has.
    pub(crate) ends: Option<usize>,
    /// When it happens, ms after the start of the simulation; 0 for untyped bodies.
    pub(crate) after_ms: u64,
}

/// Makes facts, and owns their ledger.
pub(crate) struct FactFeed {
    maker: Maker,
    began: Timestamp,
    made: usize,
    /// None when nothing is proved after the run.
    ledger: Option<Ledger>,
}

enum Maker {
    Untyped(TestId),
    Simulated {
        timeline: Box<Timeline>,
        /// When the simulation starts.
        start: Timestamp,
        body: Body,
    },
}

impl FactFeed {
    /// A feed that records each fact in a ledger.
    pub(crate) fn new(source: FactSource) -> Self {
        Self {
            ledger: Some(Ledger::default()),
            ..Self::without_ledger(source)
        }
    }

    /// A feed without a ledger: its memory does not grow with the run.
    pub(crate) fn without_ledger(source: FactSource) -> Self {
        let maker = match source.kind {
            Kind::Untyped(test_id) => Maker::Untyped(test_id),
            Kind::Simulated(config, body) => Maker::Simulated {
                start: config.start,
                timeline: Box::new(Timeline::new(Simulator::new(config))),
                body,
            },
        };
        Self {
            maker,
            began: source.began,
            made: 0,
            ledger: None,
        }
    }

    /// The next facts, at most `count`, sent by `user` at `now`. Fewer when there are no more.
    pub(crate) fn take(&mut self, count: usize, user: u32, now: Timestamp) -> Vec<Item> {
        let at_ms = now.millis_since(self.began).clamp(0, i64::from(u32::MAX)) as u32;
        let entry = Entry {
            at_ms,
            user: user.min(u32::from(u16::MAX)) as u16,
            status: FactStatus::Unsent,
        };
        (0..count).map_while(|_| self.next(entry)).collect()
    }

    fn next(&mut self, entry: Entry) -> Option<Item> {
        let number = self.made;
        let item = match &mut self.maker {
            Maker::Simulated {
                timeline,
                start,
                body,
            } => {
                let fact = timeline.next()?;
                let after_ms = fact.event.occurred_at.millis_since(*start);
                Item {
                    number,
                    body: body.write(number as u64, &fact.event),
                    key: fact.event.key().to_owned(),
                    playback: fact.playback,
                    ends: fact.ends,
                    after_ms: after_ms.unsigned_abs(),
                }
            }
            Maker::Untyped(test_id) => {
                let sent_at = self.began.plus_millis(i64::from(entry.at_ms));
                Item {
                    number,
                    body: untyped(test_id, entry.user, number, sent_at),
                    key: untyped_id(test_id, entry.user, number),
                    playback: number as u64,
                    ends: Some(1),
                    after_ms: 0,
                }
            }
        };
        self.made += 1;
        if let Some(ledger) = &mut self.ledger {
            ledger.push(entry);
        }
        Some(item)
    }

    /// Records the status of a fact.
    pub(crate) fn set_status(&mut self, number: usize, status: FactStatus) {
        if let Some(ledger) = &mut self.ledger {
            ledger.set(number, status);
        }
    }

    /// Moves the ledger out, at the end of a run.
    pub(crate) fn take_ledger(&mut self) -> Ledger {
        self.ledger.take().unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
