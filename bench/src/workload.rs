//! The events of the benchmarks: concurrent simulated playbacks, the same for the same seed. Never does I/O.

use ess_load::simulate::{Simulator, SimulatorConfig};
use ess_load::timeline::Timeline;
use ess_schema::{Event, Timestamp};

use crate::error::{Error, Result};

/// 2026-11-23T10:00:00Z: always the same, so that the same seed gives the same bytes and the same checksum.
const START_MS: i64 = 1_795_428_000_000;
/// Time between the starts of two playbacks. A playback takes some 150 s, so that some 20,000 are concurrent.
const START_INTERVAL_US: u64 = 7_500;
/// Maximum number of open playbacks.
const MAX_OPEN: usize = 60_000;

/// `count` events in the order of time.
///
/// # Errors
/// Never: the start is a valid time.
pub(crate) fn facts(seed: u64, count: u64) -> Result<impl Iterator<Item = Event>> {
    let start = Timestamp::from_millis(START_MS).map_err(|e| Error::message(e.to_string()))?;
    // Every playback has at least one event, so that this many are enough.
    let mut players = SimulatorConfig::new(seed, count.max(1), start);
    players.spread_ms = players.playbacks * START_INTERVAL_US / 1_000;
    let timeline = Timeline::with_max_open(Simulator::new(players), MAX_OPEN);
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    Ok(timeline.map(|fact| fact.event).take(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_twenty_thousand_playbacks_are_concurrent() {
        let players = SimulatorConfig::new(7, 2_000, Timestamp::from_millis(START_MS).unwrap());
        let lasts_ms = |facts: &[Event]| match facts {
            [first, .., last] => last.occurred_at.millis_since(first.occurred_at),
            _ => 0,
        };
        let total: i64 = Simulator::new(players)
            .map(|playback| lasts_ms(&playback.facts))
            .sum();
        // Little's law: concurrency = start rate × duration.
        let concurrent = total * 1_000 / 2_000 / START_INTERVAL_US as i64;
        assert!((15_000..25_000).contains(&concurrent), "{concurrent}");
    }

    #[test]
    fn the_same_seed_gives_the_same_number_of_equal_events() {
        let texts = |seed| -> Vec<String> {
            let facts = facts(seed, 500).unwrap();
            facts.map(|fact| fact.to_cloudevent()).collect()
        };
        assert_eq!(texts(3), texts(3));
        assert_ne!(texts(3), texts(4));
        assert_eq!(texts(3).len(), 500);
    }
}
