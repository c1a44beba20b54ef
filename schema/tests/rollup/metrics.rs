//! The metrics of a set.

use ess_schema::rollup::{ActiveSpan, Metrics};

use super::given::{Told, events, playbacks, told};

fn metrics(told: Vec<Told>) -> Metrics {
    let playbacks = playbacks(&events(told));
    let present = playbacks.iter().map(ActiveSpan::of);
    Metrics::of(&playbacks.iter().collect::<Vec<_>>(), present)
}

#[test]
fn nothing_amounts_to_nothing_and_has_no_rates() {
    let expected = Metrics {
        attempts: 0,
        plays: 0,
        streams: 0,
        played_ms: 0,
        unique_listeners: 0,
        avg_played_ms: None,
        median_played_ms: None,
        completion_rate: None,
        skip_rate: None,
        failure_rate: None,
        rebuffer_ratio: None,
        stalled_ms: 0,
        startup_ms_p50: None,
        startup_ms_p95: None,
        peak_concurrent: 0,
    };
    assert_eq!(metrics(Vec::new()), expected);
}

#[test]
fn an_attempt_is_a_play_when_anything_was_heard_and_a_stream_from_the_threshold_on() {
    let m = metrics(vec![
        told("a").at(0, "StartPlayback", ""),
        told("b").plays(0, 1),
        told("c").plays(0, 29_999),
        told("d").plays(0, 30_000),
    ]);
    assert_eq!((m.attempts, m.plays, m.streams), (4, 3, 1));
    assert_eq!(m.played_ms, 60_000);
    assert_eq!(m.avg_played_ms, Some(20_000.0));
    assert_eq!(m.median_played_ms, Some(29_999.0));
}

#[test]
fn a_listener_is_who_plays_once_however_often_and_nobody_who_only_tried() {
    let custom = told("d").at(0, "RecordEvent", r#","event_type":"AdShown""#);
    let m = metrics(vec![
        told("a").by("ann").plays(0, 10),
        told("b").by("ann").plays(0, 10),
        told("c").by("bob").at(0, "StartPlayback", ""),
        custom,
    ]);
    assert_eq!((m.attempts, m.unique_listeners), (4, 1));
}

#[test]
fn plays_complete_by_their_end_or_by_reaching_the_last_twentieth() {
    let lasting = |id: &str| told(id).at(0, "StartPlayback", r#","track_duration_ms":100000"#);
    let m = metrics(vec![
        told("a").plays(0, 10).ends(1, "completed"),
        lasting("b").plays(0, 95_000),
        lasting("c").plays(0, 94_999),
        // Nothing was heard, so it is no play, and no completed one either.
        told("d").ends(1, "completed"),
    ]);
    assert_eq!((m.plays, m.completion_rate), (3, Some(2.0 / 3.0)));
}

#[test]
fn a_skip_counts_only_before_the_threshold_and_a_stop_never() {
    let m = metrics(vec![
        told("a").plays(0, 29_999).ends(30, "skipped"),
        told("b").plays(0, 30_000).ends(30, "skipped"),
        told("c").ends(1, "skipped"),
        told("d").plays(0, 10).ends(1, "stopped"),
    ]);
    assert_eq!(m.skip_rate, Some(0.5));
}

#[test]
fn only_a_failure_that_ended_it_is_a_failure_however_long_ago() {
    let failing = |id: &str, fatal: bool| {
        let fields = format!(r#","code":"DECODE","fatal":{fatal}"#);
        told(id).plays(0, 10).at(1, "ReportFailure", &fields)
    };
    let m = metrics(vec![
        failing("a", true),
        failing("b", false),
        failing("c", true).at(2, "ResumePlayback", r#","position_ms":1"#),
        told("d").plays(0, 10),
    ]);
    assert_eq!(m.failure_rate, Some(0.25));
}

#[test]
fn rebuffering_is_a_share_of_the_whole_and_start_ups_are_of_those_that_told_one() {
    let starting =
        |id: &str, ms: u64| told(id).at(0, "StartPlayback", &format!(r#","startup_ms":{ms}"#));
    let stall = r#","position_ms":5,"stalled_ms":2000"#;
    let m = metrics(vec![
        starting("a", 100).plays(0, 6_000),
        starting("b", 300).at(1, "ReportStall", stall),
        starting("c", 400),
        told("d").plays(0, 0),
    ]);
    assert_eq!((m.stalled_ms, m.rebuffer_ratio), (2_000, Some(0.25)));
    assert_eq!(m.startup_ms_p50, Some(300.0));
    // (3 − 1) × 0.95 = 1.9: nine tenths of the way from 300 to 400.
    let p95 = m.startup_ms_p95.unwrap();
    assert!((p95 - 390.0).abs() < 1e-9, "{p95}");
}

#[test]
fn two_are_there_at_once_when_one_ends_as_the_other_begins() {
    let m = metrics(vec![
        told("a").at(0, "StartPlayback", "").ends(60, "stopped"),
        told("b").at(60, "StartPlayback", "").ends(90, "stopped"),
        told("c").at(91, "StartPlayback", ""),
    ]);
    assert_eq!(m.peak_concurrent, 2);
}
