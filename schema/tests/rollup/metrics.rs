//! The metrics of a set of playbacks.

use ess_schema::rollup::{ActiveSpan, Metrics};
use serde_json::Value;

use super::given::{PlaybackBuilder, events, playback, playbacks};

fn metrics(builders: Vec<PlaybackBuilder>) -> Metrics {
    let playbacks = playbacks(&events(builders));
    let active = playbacks.iter().map(ActiveSpan::of);
    Metrics::of(&playbacks.iter().collect::<Vec<_>>(), active)
}

#[test]
fn without_playbacks_every_count_is_zero_and_every_ratio_null() {
    let metrics = serde_json::to_value(metrics(Vec::new())).unwrap();
    for name in Metrics::NAMES {
        let value = &metrics[name];
        assert!(value.is_null() || *value == 0, "{name}: {value}");
    }
    assert_eq!(metrics.as_object().unwrap().len(), Metrics::NAMES.len());
    assert_eq!(
        (&metrics["attempts"], &metrics["skip_rate"]),
        (&0.into(), &Value::Null)
    );
}

#[test]
fn an_attempt_is_a_play_with_listening_time_and_a_stream_from_the_threshold_on() {
    let m = metrics(vec![
        playback("a").at(0, "StartPlayback", ""),
        playback("b").plays(0, 1),
        playback("c").plays(0, 29_999),
        playback("d").plays(0, 30_000),
    ]);
    assert_eq!((m.attempts, m.plays, m.streams), (4, 3, 1));
    assert_eq!(m.played_ms, 60_000);
    assert_eq!(m.avg_played_ms, Some(20_000.0));
    assert_eq!(m.median_played_ms, Some(29_999.0));
}

#[test]
fn a_listener_with_several_plays_counts_once_and_one_without_plays_does_not_count() {
    let custom = playback("d").at(0, "RecordEvent", r#","event_type":"AdShown""#);
    let m = metrics(vec![
        playback("a").by("ann").plays(0, 10),
        playback("b").by("ann").plays(0, 10),
        playback("c").by("bob").at(0, "StartPlayback", ""),
        custom,
    ]);
    assert_eq!((m.attempts, m.unique_listeners), (4, 1));
}

#[test]
fn plays_complete_by_their_end_reason_or_by_reaching_95_percent() {
    let lasting = |id: &str| playback(id).at(0, "StartPlayback", r#","track_duration_ms":100000"#);
    let m = metrics(vec![
        playback("a").plays(0, 10).ends(1, "completed"),
        lasting("b").plays(0, 95_000),
        lasting("c").plays(0, 94_999),
        // Without listening time it is not a play, so it does not count as completed.
        playback("d").ends(1, "completed"),
    ]);
    assert_eq!((m.plays, m.completion_rate), (3, Some(2.0 / 3.0)));
}

#[test]
fn a_skip_counts_only_below_the_threshold_and_a_stop_never() {
    let m = metrics(vec![
        playback("a").plays(0, 29_999).ends(30, "skipped"),
        playback("b").plays(0, 30_000).ends(30, "skipped"),
        playback("c").ends(1, "skipped"),
        playback("d").plays(0, 10).ends(1, "stopped"),
    ]);
    assert_eq!(m.skip_rate, Some(0.5));
}

#[test]
fn only_a_playback_that_a_fatal_failure_ended_has_failed() {
    let failing = |id: &str, fatal: bool| {
        let fields = format!(r#","code":"DECODE","fatal":{fatal}"#);
        playback(id).plays(0, 10).at(1, "ReportFailure", &fields)
    };
    let m = metrics(vec![
        failing("a", true),
        failing("b", false),
        failing("c", true).at(2, "ResumePlayback", r#","position_ms":1"#),
        playback("d").plays(0, 10),
    ]);
    assert_eq!(m.failure_rate, Some(0.25));
}

#[test]
fn the_rebuffer_ratio_is_of_all_time_and_startup_times_are_of_playbacks_that_report_one() {
    let starting =
        |id: &str, ms: u64| playback(id).at(0, "StartPlayback", &format!(r#","startup_ms":{ms}"#));
    let stall = r#","position_ms":5,"stalled_ms":2000"#;
    let m = metrics(vec![
        starting("a", 100).plays(0, 6_000),
        starting("b", 300).at(1, "ReportStall", stall),
        starting("c", 400),
        playback("d").plays(0, 0),
    ]);
    assert_eq!((m.stalled_ms, m.rebuffer_ratio), (2_000, Some(0.25)));
    assert_eq!(m.startup_ms_p50, Some(300.0));
    // (3 − 1) × 0.95 = 1.9: nine tenths of the way from 300 to 400.
    let p95 = m.startup_ms_p95.unwrap();
    assert!((p95 - 390.0).abs() < 1e-9, "{p95}");
}

#[test]
fn two_playbacks_are_concurrent_when_one_ends_as_the_other_begins() {
    let m = metrics(vec![
        playback("a").at(0, "StartPlayback", "").ends(60, "stopped"),
        playback("b")
            .at(60, "StartPlayback", "")
            .ends(90, "stopped"),
        playback("c").at(91, "StartPlayback", ""),
    ]);
    assert_eq!(m.peak_concurrent, 2);
}
