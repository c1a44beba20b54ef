//! What the seed determines, and what makes the ids of runs different.

use std::collections::BTreeSet;

use ess_load::simulate::{MAX_PLAYBACK_MS, Simulator, SimulatorConfig};
use ess_schema::TestId;

use super::{PLAYBACKS, facts, simulated, start};

fn bytes(config: SimulatorConfig) -> String {
    let playbacks = Simulator::new(config).flat_map(|playback| playback.facts);
    playbacks
        .map(|event| event.to_cloudevent() + "\n")
        .collect()
}

fn ids(config: SimulatorConfig) -> BTreeSet<String> {
    let playbacks = Simulator::new(config).flat_map(|playback| playback.facts);
    playbacks.map(|event| event.id.to_string()).collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let config = SimulatorConfig::new(1, 200, start());
    assert_eq!(bytes(config.clone()), bytes(config));
}

#[test]
fn facts_of_another_seed_time_or_test_have_ids_of_their_own() {
    let config = SimulatorConfig::new(1, 50, start());
    let known = ids(config.clone());
    let later = start().plus_millis(60_000);
    let test_id = Some(TestId::new("t").unwrap());
    for other in [
        SimulatorConfig {
            seed: 2,
            ..config.clone()
        },
        SimulatorConfig {
            start: later,
            ..config.clone()
        },
        SimulatorConfig {
            test_id,
            ..config.clone()
        },
    ] {
        assert!(ids(other.clone()).is_disjoint(&known), "{other:?}");
    }
}

#[test]
fn every_fact_has_an_id_of_its_own() {
    let playbacks = simulated(1, PLAYBACKS);
    let ids: BTreeSet<_> = facts(&playbacks).map(|event| &event.id).collect();
    assert_eq!(ids.len(), facts(&playbacks).count());
}

#[test]
fn facts_are_in_order_and_within_the_hour_after_the_start() {
    let mut begins = start();
    for playback in simulated(1, PLAYBACKS) {
        assert!(playback.facts.is_sorted_by_key(|event| event.occurred_at));
        let (first, last) = (&playback.facts[0], playback.facts.last().unwrap());
        let duration = last.occurred_at.millis_since(playback.begins);
        assert!(
            duration <= MAX_PLAYBACK_MS as i64,
            "{} takes {duration} ms",
            playback.id
        );
        assert!(start() <= begins && begins <= playback.begins);
        begins = playback.begins;
        assert!(first.occurred_at >= begins);
        assert!(last.occurred_at <= start().plus_millis(3_600_000));
    }
}
