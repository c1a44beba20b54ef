//! Simulated players: one task dispatches the facts when they are due to lanes, each of which sends the facts of its playbacks one
//! request at a time. So the facts of a playback arrive in their order.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender as Inlet, channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::facts::feed::Item;
use crate::send::{Due, Sender};

/// Facts that wait in a lane, unless a request takes more. A full lane blocks the dispatcher.
const LANE_CAPACITY: usize = 16;

/// What determines when a fact is due.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// Facts are sent as fast as the receiver accepts them.
    Unlimited,
    /// Facts per second.
    Rate(f64),
    /// Facts are sent when they happen, so many times faster than in life.
    Speed(f64),
}

impl Pace {
    /// When fact number `number` is due after the start.
    fn due(self, number: u64, item: &Item) -> Option<Duration> {
        match self {
            Self::Unlimited => None,
            Self::Rate(rate) => Some(Duration::from_secs_f64(number as f64 / rate)),
            Self::Speed(speed) => {
                let seconds = item.after_ms as f64 / 1_000.0 / speed;
                Some(Duration::from_secs_f64(seconds))
            }
        }
    }
}

/// A fact, and when it is due.
type Dispatched = (Item, Option<Instant>);

/// Sends every fact of the run.
pub(super) async fn run(pace: Pace, lanes: usize, sender: &Arc<Sender>, start: Instant) {
    let mut running = JoinSet::new();
    let mut inlets = Vec::with_capacity(lanes);
    for _ in 0..lanes {
        let (inlet, inbox) = channel(sender.batch.max(LANE_CAPACITY));
        inlets.push(inlet);
        running.spawn(lane(inbox, Arc::clone(sender)));
    }
    // The lanes end when their inlets are dropped.
    let dispatched = dispatch(pace, inlets, sender, start);
    sender.stop.run_until_cancelled(dispatched).await;
    while running.join_next().await.is_some() {}
}

async fn dispatch(pace: Pace, inlets: Vec<Inlet<Dispatched>>, sender: &Sender, start: Instant) {
    for number in 0.. {
        let Some(item) = sender.take(1, 1).pop() else {
            return;
        };
        let at = pace.due(number, &item).map(|after| start + after);
        if let Some(at) = at.filter(|at| *at > Instant::now()) {
            sleep_until(at).await;
        }
        let lane = (item.playback % inlets.len() as u64) as usize;
        if inlets[lane].send((item, at)).await.is_err() {
            return;
        }
    }
}

async fn lane(mut inbox: Receiver<Dispatched>, sender: Arc<Sender>) {
    let mut received = Vec::with_capacity(sender.batch);
    loop {
        let idle_since = Instant::now();
        let receive = inbox.recv_many(&mut received, sender.batch);
        match sender.stop.run_until_cancelled(receive).await {
            None | Some(0) => return,
            Some(_) => {}
        }
        let due = received.iter().filter_map(|(_, at)| *at).min();
        let due = due.map(|at| Due {
            at,
            was_overdue: at < idle_since,
        });
        let items: Vec<_> = received.drain(..).map(|(item, _)| item).collect();
        sender.send(&items, due).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(after_ms: u64) -> Item {
        Item {
            number: 0,
            body: String::new(),
            key: String::new(),
            playback: 0,
            ends: None,
            after_ms,
        }
    }

    #[test]
    fn facts_are_due_at_a_constant_rate() {
        let due = |number| Pace::Rate(400.0).due(number, &item(7_000));
        assert_eq!(due(0), Some(Duration::ZERO));
        assert_eq!(due(1), Some(Duration::from_micros(2_500)));
        assert_eq!(due(4_000), Some(Duration::from_secs(10)));
        assert_eq!(Pace::Unlimited.due(7, &item(7_000)), None);
    }

    #[test]
    fn facts_are_due_when_they_happen_faster_than_in_life() {
        let due = |after_ms| Pace::Speed(60.0).due(3, &item(after_ms));
        assert_eq!(due(0), Some(Duration::ZERO));
        assert_eq!(due(3_600_000), Some(Duration::from_mins(1)));
    }
}
