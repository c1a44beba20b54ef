//! Which listeners play which tracks.

use std::collections::BTreeMap;

use ess_schema::EventData;

use super::{PLAYBACKS, facts, simulated};

#[test]
fn a_few_tracks_are_played_most_and_some_listeners_more_than_others() {
    let playbacks = simulated(1, PLAYBACKS);
    let (mut tracks, mut users) = (BTreeMap::new(), BTreeMap::new());
    for playback in &playbacks {
        let play = playback.facts[0].data.play().unwrap();
        *tracks.entry(play.track_id.clone()).or_insert(0) += 1;
        *users.entry(play.user_id.clone()).or_insert(0) += 1;
    }
    // Zipf's law with exponent 1 over 2,000 tracks gives the first twenty 44 % of the plays.
    let head = top(tracks.values(), 20);
    assert!((0.36..0.52).contains(&head), "{head}");
    assert!(tracks.len() > 500, "{}", tracks.len());
    // If all were equally active, the hundred busiest of 5,000 would have about a tenth of the plays.
    let busiest = top(users.values(), 100);
    assert!((0.14..0.4).contains(&busiest), "{busiest}");
}

/// The share of all plays of the `count` greatest.
fn top<'c>(counts: impl Iterator<Item = &'c u32>, count: usize) -> f64 {
    let mut counts: Vec<u32> = counts.copied().collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    f64::from(counts.iter().take(count).sum::<u32>()) / f64::from(counts.iter().sum::<u32>())
}

#[test]
fn tracks_and_listeners_are_the_same_in_every_run() {
    let mut known = BTreeMap::new();
    for event in facts(&[simulated(1, 2_000), simulated(2, 2_000)].concat()) {
        if let EventData::Started(started) = &event.data {
            let listener = (
                started.device.clone(),
                started.country.clone(),
                started.plan.clone(),
            );
            let values = (started.track_duration_ms, Some(listener));
            for (id, value) in [
                (started.play.track_id.to_string(), (values.0, None)),
                (started.play.user_id.to_string(), (None, values.1.clone())),
            ] {
                assert_eq!(known.entry(id).or_insert_with(|| value.clone()), &value);
            }
        }
    }
}
