//! The facts that the log is filled with: simulated playbacks side by side, the same for the same seed. Knows nothing of a
//! log.

use ess_load::simulate::{Simulator, SimulatorConfig};
use ess_load::timeline::Timeline;
use ess_schema::{Event, Timestamp};

use crate::error::{Error, Result};

/// 2026-11-23T10:00:00Z: always the same, so that the same seed gives the same bytes and the same checksum.
const START_MS: i64 = 1_795_428_000_000;
/// Between two playbacks that begin. A playback lasts some 150 s, so that some 20,000 are under way at once.
const BEGINS_EVERY_US: u64 = 7_500;
/// More are never held open.
const MOST_OPEN: usize = 60_000;

/// `count` facts, as they come by time.
///
/// # Errors
/// Never; the start is a time.
pub(crate) fn facts(seed: u64, count: u64) -> Result<impl Iterator<Item = Event>> {
    let start = Timestamp::from_millis(START_MS).map_err(|e| Error::message(e.to_string()))?;
    // Every playback has a fact at least, so that this many suffice.
    let mut players = SimulatorConfig::new(seed, count.max(1), start);
    players.spread_ms = players.playbacks * BEGINS_EVERY_US / 1_000;
    let timeline = Timeline::with_max_open(Simulator::new(players), MOST_OPEN);
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    Ok(timeline.map(|fact| fact.event).take(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_twenty_thousand_playbacks_are_under_way_at_once() {
        let players = SimulatorConfig::new(7, 2_000, Timestamp::from_millis(START_MS).unwrap());
        let lasts_ms = |facts: &[Event]| match facts {
            [first, .., last] => last.occurred_at.millis_since(first.occurred_at),
            _ => 0,
        };
        let total: i64 = Simulator::new(players)
            .map(|playback| lasts_ms(&playback.facts))
            .sum();
        // Little's law: as many are there as begin in the time that one stays.
        let under_way = total * 1_000 / 2_000 / BEGINS_EVERY_US as i64;
        assert!((15_000..25_000).contains(&under_way), "{under_way}");
    }

    #[test]
    fn the_same_seed_gives_the_same_facts_and_as_many_as_asked_for() {
        let texts = |seed| -> Vec<String> {
            let facts = facts(seed, 500).unwrap();
            facts.map(|fact| fact.to_cloudevent()).collect()
        };
        assert_eq!(texts(3), texts(3));
        assert_ne!(texts(3), texts(4));
        assert_eq!(texts(3).len(), 500);
    }
}
