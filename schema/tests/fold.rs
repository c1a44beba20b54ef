//! The definitions of DESIGN §4 one by one, and the property that makes them safe: order and repetition do not matter.

use ess_schema::decode::{AcceptedShapes, ReceiveContext, decode_item};
use ess_schema::event::{EndReason, PlayState};
use ess_schema::fold::PlaybackFold;
use ess_schema::playback::{Aggregate, Playback, Policy};
use ess_schema::{Event, EventId, PlaybackId, Timestamp};
use proptest::prelude::*;

use crate::generate;

const T0: &str = "2026-11-23T10:00:00Z";

fn t0() -> Timestamp {
    Timestamp::parse_rfc3339(T0).unwrap()
}

/// The event of a command about playback `p`, `second` seconds after T0, its id being `e<second>`.
fn at(second: i64, kind: &str, fields: &str) -> Event {
    let time = t0().plus_millis(second * 1_000);
    let text = format!(
        r#"{{"type":"{kind}","event_id":"e{second}","time":"{time}","playback_id":"p","user_id":"u","track_id":"t"{fields}}}"#
    );
    let mut context = ReceiveContext::Request {
        received_at: t0(),
        generate_id: &mut || EventId::new("unused").unwrap(),
    };
    decode_item(&text, AcceptedShapes::Commands, &mut context)
        .unwrap()
        .event
}

fn folded(events: &[Event]) -> PlaybackFold {
    let mut fold = PlaybackFold::default();
    for event in events {
        fold.apply(event);
    }
    fold
}

fn aggregate(events: &[Event]) -> Aggregate {
    folded(events)
        .aggregate(&PlaybackId::new("p").unwrap())
        .unwrap()
}

/// The playback at the time of its last event.
fn playback(events: &[Event]) -> Playback {
    let aggregate = aggregate(events);
    let now = aggregate.last_event_at;
    Playback::new(aggregate, Policy::default(), now)
}

#[test]
fn without_events_there_is_no_playback() {
    assert_eq!(folded(&[]).aggregate(&PlaybackId::new("p").unwrap()), None);
}

#[test]
fn played_time_adds_up_over_distinct_events_only() {
    let heartbeat = at(10, "ReportProgress", r#","from_ms":0,"to_ms":10000"#);
    let given = at(
        20,
        "ReportProgress",
        r#","from_ms":10000,"to_ms":20000,"played_ms":9000"#,
    );
    let sum = aggregate(&[heartbeat.clone(), given.clone(), heartbeat, given]);
    assert_eq!((sum.played_ms, sum.event_count), (19_000, 2));
}

#[test]
fn coverage_counts_media_played_twice_once() {
    let p = playback(&[
        at(0, "StartPlayback", r#","track_duration_ms":40000"#),
        at(10, "ReportProgress", r#","from_ms":0,"to_ms":10000"#),
        at(20, "ReportProgress", r#","from_ms":5000,"to_ms":15000"#),
        at(30, "ReportProgress", r#","from_ms":20000,"to_ms":25000"#),
    ]);
    assert_eq!(p.aggregate.unique_ms, 20_000);
    assert_eq!(p.coverage, Some(0.5));
    assert_eq!(p.quartiles, [25, 50]);
}

#[test]
fn coverage_never_exceeds_one_and_needs_a_duration() {
    let stretch = at(10, "ReportProgress", r#","from_ms":0,"to_ms":10000"#);
    assert_eq!(playback(std::slice::from_ref(&stretch)).coverage, None);
    let short = at(0, "StartPlayback", r#","track_duration_ms":5000"#);
    assert_eq!(playback(&[short, stretch]).coverage, Some(1.0));
}

#[test]
fn an_attribute_comes_from_the_earliest_event_that_carries_it() {
    let dimensions = aggregate(&[
        at(5, "StartPlayback", r#","device":"late","country":"de""#),
        at(
            2,
            "StartPlayback",
            r#","device":"early","device_x":1,"country":"""#,
        ),
        at(1, "PausePlayback", r#","position_ms":1,"test_id":"run""#),
    ])
    .dimensions;
    assert_eq!(dimensions.device.as_deref(), Some("early"));
    assert_eq!(dimensions.country.as_deref(), Some("DE"));
    assert_eq!(dimensions.test_id.unwrap().as_str(), "run");
}

#[test]
fn the_latest_end_wins_and_a_seek_does_not_change_the_state() {
    let p = playback(&[
        at(9, "FinishPlayback", r#","reason":"stopped""#),
        at(5, "FinishPlayback", r#","reason":"completed""#),
        at(11, "SeekPlayback", r#","from_ms":1,"to_ms":900000"#),
    ]);
    assert_eq!(p.aggregate.ending.unwrap().reason, EndReason::Stopped);
    assert_eq!(p.aggregate.state, Some(PlayState::Finished));
    assert_eq!(p.aggregate.max_position_ms, None);
    assert!(!p.completed);
}

#[test]
fn a_failure_ends_a_playback_only_when_it_is_fatal() {
    let started = at(0, "StartPlayback", "");
    let hiccup = at(1, "ReportFailure", r#","code":"net","fatal":false"#);
    let crash = at(2, "ReportFailure", r#","code":"drm","fatal":true"#);
    assert_eq!(
        playback(&[started.clone(), hiccup.clone()]).state,
        Some("playing")
    );
    let failed = playback(&[started, hiccup, crash]);
    assert_eq!((failed.state, failed.settled), (Some("failed"), true));
    assert_eq!(failed.aggregate.failure_count, 2);
}

#[test]
fn of_events_at_one_instant_the_higher_seq_sets_the_state() {
    let mut paused = at(1, "PausePlayback", r#","position_ms":1,"seq":2"#);
    let resumed = at(1, "ResumePlayback", r#","position_ms":1,"seq":1"#);
    paused.id = EventId::new("a").unwrap();
    assert_eq!(playback(&[paused, resumed]).state, Some("paused"));
}

#[test]
fn an_open_playback_is_abandoned_after_the_settle_time() {
    let policy = Policy::default();
    let later = t0().plus_millis(policy.settle_after_ms + 1);
    let open = aggregate(&[at(0, "StartPlayback", "")]);
    assert_eq!(
        Playback::new(open.clone(), policy, t0()).state,
        Some("playing")
    );
    let abandoned = Playback::new(open, policy, later);
    assert_eq!(
        (abandoned.state, abandoned.settled),
        (Some("abandoned"), true)
    );
    let ended = aggregate(&[at(0, "FinishPlayback", r#","reason":"stopped""#)]);
    assert_eq!(Playback::new(ended, policy, later).state, Some("finished"));
}

#[test]
fn lost_events_are_the_gaps_in_seq() {
    let p = playback(&[
        at(1, "PausePlayback", r#","position_ms":1,"seq":0"#),
        at(4, "PausePlayback", r#","position_ms":1,"seq":4"#),
    ]);
    assert_eq!(p.lost_events, Some(3));
    assert_eq!(
        playback(&[at(1, "PausePlayback", r#","position_ms":1"#)]).lost_events,
        None
    );
}

#[test]
fn a_playback_is_a_counted_stream_from_the_threshold_on() {
    let below = at(1, "RecordPlayback", r#","played_ms":29999"#);
    assert!(!playback(&[below]).counted_stream);
    assert!(playback(&[at(1, "RecordPlayback", r#","played_ms":30000"#)]).counted_stream);
}

#[test]
fn pauses_and_stalls_add_up_and_the_rebuffer_ratio_follows() {
    let p = playback(&[
        at(1, "ReportProgress", r#","from_ms":0,"to_ms":9000"#),
        at(2, "PausePlayback", r#","position_ms":9000"#),
        at(
            3,
            "ResumePlayback",
            r#","position_ms":9000,"paused_ms":500"#,
        ),
        at(4, "ReportStall", r#","position_ms":9000,"stalled_ms":1000"#),
    ]);
    assert_eq!(
        (p.aggregate.paused_ms, p.aggregate.stalled_ms),
        (500, 1_000)
    );
    assert_eq!((p.aggregate.pause_count, p.aggregate.stall_count), (1, 1));
    assert_eq!(p.rebuffer_ratio, Some(0.1));
    assert_eq!(playback(&[at(0, "StartPlayback", "")]).rebuffer_ratio, None);
}

#[test]
fn of_two_messages_with_one_identity_the_greater_measure_counts() {
    let short = at(1, "ReportProgress", r#","from_ms":0,"to_ms":1000"#);
    let long = at(1, "ReportProgress", r#","from_ms":0,"to_ms":3000"#);
    let sum = aggregate(&[long, short]);
    assert_eq!((sum.played_ms, sum.event_count), (3_000, 1));
}

proptest! {
    #[test]
    fn order_and_repetition_do_not_matter(
        events in prop::collection::vec(generate::event(), 1..40),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let once = folded(&events);
        let mut again: Vec<_> = picks.iter().map(|pick| pick.get(&events).clone()).collect();
        again.extend(events.iter().rev().cloned());
        prop_assert_eq!(folded(&again), once);
    }

    #[test]
    fn an_event_is_decoded_from_its_record_unchanged(event in generate::event()) {
        use ess_schema::decode::{KafkaRecord, decode_record};
        const NO_HEADERS: &[(String, Vec<u8>)] = &[];
        let record = event.to_cloudevent();
        let message = KafkaRecord {
            payload: Some(record.as_bytes()),
            headers: NO_HEADERS,
            timestamp: t0(),
        };
        prop_assert_eq!(decode_record(&message).unwrap(), event);
    }
}
