//! When requests are sent: by users that send again as soon as they have a response, at a rate that no response slows down, or as
//! simulated players. Never knows what is sent.

mod closed;
mod open;
mod players;
pub(crate) mod reads;

use std::sync::Arc;

use tokio::time::Instant;

pub(crate) use players::Pace;

use crate::scenario::{Model, Scenario, Stages};
use crate::send::Sender;

/// The most tasks that send the facts of players.
const MAX_LANES: usize = 512;

/// A schedule of requests.
pub(crate) enum Schedule {
    /// As many users as the stages say.
    Closed(Stages),
    /// As many requests per second as the stages say, over at most so many connections.
    Open(Stages, usize),
    /// Simulated players, over at most so many connections.
    Players(Pace, usize),
}

impl Schedule {
    /// The schedule of a scenario.
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let connections = scenario.connections;
        match scenario.model {
            Model::Closed => Self::Closed(scenario.levels()),
            Model::Open => Self::Open(scenario.levels(), connections),
            Model::Players => {
                let speed = scenario.speed.unwrap_or(1.0);
                Self::Players(Pace::Speed(speed), connections.min(MAX_LANES))
            }
        }
    }

    /// Sends from `start` on. Returns when everything is sent, or the sender is stopped and has no request in flight.
    pub(crate) async fn run(self, sender: &Arc<Sender>, start: Instant) {
        match self {
            Self::Closed(levels) => closed::run(levels, sender, start).await,
            Self::Open(levels, connections) => open::run(levels, connections, sender, start).await,
            Self::Players(pace, lanes) => players::run(pace, lanes, sender, start).await,
        }
    }
}
