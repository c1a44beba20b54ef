//! How tracks are listened to: heartbeats, stretches, ends, and the result of the oracle.

use std::collections::BTreeMap;

use ess_load::simulate::{HEARTBEAT_MS, SimulatedPlayback};
use ess_schema::EventData;
use ess_schema::event::EndReason;
use ess_schema::fold::fold;
use ess_schema::playback::{Playback, Policy};

use super::{PLAYBACKS, end_reason, facts, simulated, start};

/// The share of the playbacks that match.
fn share(playbacks: &[SimulatedPlayback], matches: impl Fn(&SimulatedPlayback) -> bool) -> f64 {
    playbacks
        .iter()
        .filter(|playback| matches(playback))
        .count() as f64
        / playbacks.len() as f64
}

#[test]
fn a_heartbeat_comes_every_ten_seconds_of_media_time_across_pauses_and_breaks_at_seeks() {
    let (mut across_pauses, mut cut_short) = (0, 0);
    for playback in simulated(1, PLAYBACKS) {
        let mut reported_to = 0;
        let mut paused = false;
        for (at, event) in playback.facts.iter().enumerate() {
            match &event.data {
                EventData::Paused(_) => paused = true,
                EventData::Seeked(seeked) => {
                    assert_eq!(seeked.from_ms, reported_to);
                    reported_to = seeked.to_ms;
                }
                EventData::Progressed(progressed) => {
                    assert_eq!(progressed.from_ms, reported_to);
                    reported_to = progressed.to_ms;
                    let length = progressed.to_ms - progressed.from_ms;
                    let breaks = playback.facts.get(at + 1).is_some_and(|next| {
                        matches!(next.data, EventData::Seeked(_) | EventData::Failed(_))
                    });
                    assert!(
                        length == HEARTBEAT_MS || breaks && length < HEARTBEAT_MS,
                        "{event:?}"
                    );
                    cut_short += u32::from(length < HEARTBEAT_MS);
                    across_pauses += u32::from(std::mem::take(&mut paused));
                }
                EventData::Finished(finished) => assert_eq!(finished.from_ms, Some(reported_to)),
                _ => {}
            }
        }
    }
    assert!(
        across_pauses > 100 && cut_short > 100,
        "{across_pauses} {cut_short}"
    );
}

#[test]
fn no_stretch_or_position_runs_past_the_duration() {
    for playback in simulated(1, PLAYBACKS) {
        let Some(duration) = playback.facts[0].data.track_duration_ms() else {
            assert_eq!(playback.facts.len(), 1);
            continue;
        };
        for event in &playback.facts {
            let ends = event
                .data
                .stretch()
                .map(|(_, to)| to)
                .max(event.data.position_ms());
            assert!(ends.unwrap_or(0) <= duration, "{event:?}");
        }
    }
}

#[test]
fn playbacks_end_in_every_way_and_many_are_skipped_early() {
    let playbacks = simulated(1, PLAYBACKS);
    let ended = |reason| share(&playbacks, |playback| end_reason(playback) == Some(reason));
    let early = share(&playbacks, |playback| {
        let listened: u64 = playback
            .facts
            .iter()
            .map(|event| event.data.played_ms())
            .sum();
        end_reason(playback) == Some(EndReason::Skipped) && listened < 30_000
    });
    let failed = share(
        &playbacks,
        |playback| matches!(&playback.facts.last().unwrap().data, EventData::Failed(e) if e.fatal),
    );
    let silent = share(&playbacks, |playback| {
        playback
            .facts
            .last()
            .unwrap()
            .data
            .state()
            .is_none_or(|state| state.as_str() != "finished")
    });
    assert!((0.18..0.30).contains(&early), "{early}");
    assert!(
        (0.45..0.60).contains(&ended(EndReason::Completed)),
        "{}",
        ended(EndReason::Completed)
    );
    assert!(
        (0.04..0.12).contains(&ended(EndReason::Stopped)),
        "{}",
        ended(EndReason::Stopped)
    );
    assert!((0.005..0.04).contains(&failed), "{failed}");
    assert!((0.03..0.12).contains(&(silent - failed)), "{silent}");
}

#[test]
fn every_kind_of_fact_is_simulated() {
    let playbacks = simulated(1, PLAYBACKS);
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for event in facts(&playbacks) {
        *counts.entry(event.data.type_name()).or_default() += 1;
    }
    let names: Vec<_> = counts.keys().copied().collect();
    let expected = [
        "AdShown",
        "LyricsOpened",
        "PlaybackFailed",
        "PlaybackFinished",
        "PlaybackPaused",
        "PlaybackProgressed",
        "PlaybackRecorded",
        "PlaybackResumed",
        "PlaybackSeeked",
        "PlaybackStalled",
        "PlaybackStarted",
    ];
    assert_eq!(names, expected, "{counts:?}");
}

#[test]
fn the_oracle_finds_simulated_playbacks_plausible() {
    let playbacks = simulated(1, PLAYBACKS);
    let folds = fold(facts(&playbacks));
    assert_eq!(folds.len(), playbacks.len());
    let now = start().plus_millis(3_600_000);
    for playback in &playbacks {
        let aggregate = folds[&playback.id].aggregate(&playback.id).unwrap();
        assert_eq!(aggregate.event_count, playback.facts.len() as u64);
        assert!(aggregate.unique_ms <= aggregate.played_ms);
        let duration = aggregate
            .last_event_at
            .millis_since(aggregate.first_event_at) as u64;
        let playback_now = Playback::new(aggregate, Policy::default(), now);
        let aggregate = &playback_now.aggregate;
        let is_recorded = playback.facts.len() == 1 && aggregate.max_seq.is_none();
        if is_recorded {
            continue;
        }
        assert_eq!(playback_now.lost_events, Some(0));
        let busy = aggregate.played_ms + aggregate.paused_ms + aggregate.stalled_ms;
        assert!(busy <= duration, "{playback_now:?}");
        let is_ended = end_reason(playback).is_some();
        assert!(!is_ended || busy == duration, "{playback_now:?}");
        assert!(!is_ended || playback_now.state == Some("finished"));
    }
}
