//! Requests are counted by their outcome, and problems by their kind.

use super::*;

fn finished(acknowledged: u64, status: u16) -> FinishedRequest {
    let problem = Problem {
        is_refusal: status == 422,
        kind: format!("{status} /problems/x"),
        detail: "full".to_owned(),
    };
    FinishedRequest {
        took: Duration::from_millis(20),
        late: Some(Duration::from_secs(2)),
        was_overdue: false,
        facts: 2,
        acknowledged,
        completed: vec![(acknowledged as usize, format!("p-{acknowledged}"))],
        retries: 0,
        status: Some(status),
        problems: vec![problem; 2 - acknowledged as usize],
        positions: vec![Position {
            partition: 1,
            offset: acknowledged,
        }],
    }
}

#[test]
fn a_request_that_was_acknowledged_in_part_is_an_error() {
    let recorder = Recorder::new();
    for (acknowledged, status) in [(2, 202), (1, 503), (0, 503)] {
        recorder.sent(2);
        recorder.finished(finished(acknowledged, status));
    }
    let record = recorder.snapshot();
    assert_eq!((record.requests, record.failed), (3, 2));
    assert_eq!((record.sent, record.acknowledged), (6, 3));
    assert_eq!(record.problems["503 /problems/x"].count, 3);
    assert_eq!(record.statuses["2xx"], 1);
    assert_eq!(record.last_offsets[&1], 2);
    assert_eq!(record.example, Some((2, "p-2".to_owned())));
    assert_eq!(record.late_us.max() / 1_000_000, 2);
}

#[test]
fn facts_that_were_sent_and_have_no_outcome_are_unknown() {
    let recorder = Recorder::new();
    for (acknowledged, status) in [(2, 202), (0, 422), (0, 503)] {
        recorder.sent(2);
        recorder.finished(finished(acknowledged, status));
    }
    // These are still in flight.
    recorder.sent(2);
    let record = recorder.snapshot();
    assert_eq!((record.refused, record.unknown()), (2, 4));
    assert!(record.problems["422 /problems/x"].is_refusal);
    assert!(!record.problems["503 /problems/x"].is_refusal);
}

#[test]
fn a_window_begins_where_the_one_before_ended() {
    let recorder = Recorder::new();
    recorder.finished(finished(2, 202));
    assert_eq!(recorder.take_window().requests, 1);
    let window = recorder.take_window();
    assert_eq!((window.requests, window.latency_us.len()), (0, 0));
    assert_eq!(recorder.snapshot().requests, 1);
}

#[test]
fn the_number_of_kinds_of_problems_is_bounded() {
    let recorder = Recorder::new();
    for number in 0..100 {
        recorder.queried(Duration::ZERO, Err(format!("kind {number}")));
    }
    let record = recorder.snapshot();
    assert_eq!(record.problems.len(), MAX_PROBLEM_KINDS + 1);
    assert_eq!(record.reads_failed, 100);
}
