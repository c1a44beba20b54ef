//! Requests are counted by their outcome, and problems by their kind.

use ess_schema::Position;

use super::*;

fn finish(recorder: &Recorder, outcomes: Vec<Outcome>, status: u16) {
    let item = |number: usize| Item {
        number,
        body: String::new(),
        key: format!("p-{number}"),
        playback: number as u64,
        ends: Some(number + 1),
        after_ms: 0,
    };
    let items: Vec<_> = (0..outcomes.len()).map(item).collect();
    let delivery = Delivery {
        outcomes,
        status: Some(status),
        positions: vec![Position {
            partition: 1,
            offset: u64::from(status),
        }],
        ..Delivery::default()
    };
    let timing = Timing {
        took: Duration::from_millis(20),
        late: Some(Duration::from_secs(2)),
        was_overdue: false,
    };
    recorder.sent(items.len());
    recorder.finished(&items, delivery, &timing);
}

fn reason(kind: &str) -> Reason {
    Reason {
        kind: kind.to_owned(),
        detail: "full".to_owned(),
    }
}

fn unknown() -> Outcome {
    Outcome::Unknown(reason("503 /problems/overloaded"))
}

#[test]
fn a_request_that_was_acknowledged_in_part_is_an_error() {
    let recorder = Recorder::default();
    finish(&recorder, vec![Outcome::Acknowledged; 2], 202);
    finish(&recorder, vec![Outcome::Acknowledged, unknown()], 207);
    finish(&recorder, vec![unknown(), unknown()], 503);
    let record = recorder.snapshot();
    assert_eq!((record.requests, record.failed), (3, 2));
    assert_eq!((record.sent, record.acknowledged), (6, 3));
    assert_eq!(record.problems["503 /problems/overloaded"].count, 3);
    assert_eq!(record.statuses["2xx"], 2);
    assert_eq!(record.last_offsets[&1], 503);
    assert_eq!(record.playbacks, 3);
    assert_eq!(record.example, Some((2, "p-1".to_owned())));
    assert_eq!(record.late.max() / 1_000_000, 2);
}

#[test]
fn facts_that_were_sent_and_have_no_outcome_are_unknown() {
    let recorder = Recorder::default();
    let refused = Outcome::Refused(reason("422 /problems/invalid-item"));
    finish(&recorder, vec![Outcome::Acknowledged; 2], 202);
    finish(&recorder, vec![refused.clone(), refused], 422);
    finish(&recorder, vec![unknown(), unknown()], 503);
    // These are still in flight.
    recorder.sent(2);
    let record = recorder.snapshot();
    assert_eq!((record.refused, record.unknown()), (2, 4));
    assert!(record.problems["422 /problems/invalid-item"].is_refusal);
    assert!(!record.problems["503 /problems/overloaded"].is_refusal);
}

#[test]
fn a_window_begins_where_the_one_before_ended() {
    let recorder = Recorder::default();
    finish(&recorder, vec![Outcome::Acknowledged], 202);
    assert_eq!(recorder.take_window().requests, 1);
    let window = recorder.take_window();
    assert_eq!((window.requests, window.latency.len()), (0, 0));
    assert_eq!(recorder.snapshot().requests, 1);
}

#[test]
fn the_number_of_kinds_of_problems_is_bounded() {
    let recorder = Recorder::default();
    for number in 0..100 {
        recorder.queried(Duration::ZERO, Err(format!("kind {number}")));
    }
    let record = recorder.snapshot();
    assert_eq!(record.problems.len(), MAX_PROBLEM_KINDS + 1);
    assert_eq!(record.reads_failed, 100);
}
