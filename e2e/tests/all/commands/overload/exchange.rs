//! One request and its response, read as a client reads it: the fate of each of its events. A response that a client could not
//! use fails the test.

use std::time::Instant;

use ess_e2e::Answer;
use ess_schema::Position;
use serde_json::Value;

/// What a client knows about an event that it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is in the log at this position.
    Acknowledged(Position),
    /// It is not in the log: too much was in flight.
    Overloaded,
    /// It is not in the log: Kafka is unavailable.
    Unavailable,
    /// It may or may not be in the log; repeating it with its id is safe.
    Unknown,
}

/// One request with its response.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) sent: Instant,
    pub(super) answered: Instant,
    /// The events of the request, in its order.
    pub(super) events: Vec<(String, Fate)>,
}

/// The fates of a request's events, by their ids.
pub(super) fn fates(ids: Vec<String>, is_list: bool, answer: &Answer) -> Vec<(String, Fate)> {
    match (answer.status, is_list) {
        (503, _) => {
            let fate = rejection(&answer.json(), answer);
            let seconds = answer.header("retry-after").unwrap();
            assert!(seconds.parse::<u32>().unwrap() > 0, "{answer:?}");
            ids.into_iter().map(|id| (id, fate)).collect()
        }
        (202, false) => vec![item_fate(&ids[0], &answer.json(), answer)],
        (504, false) => {
            let problem = answer.json();
            assert_unknown(&ids[0], &problem, answer);
            ids.into_iter().map(|id| (id, Fate::Unknown)).collect()
        }
        (202 | 207, true) => list_fates(&ids, answer),
        _ => panic!("{answer:?}"),
    }
}

fn list_fates(ids: &[String], answer: &Answer) -> Vec<(String, Fate)> {
    let response = answer.json();
    let items = response["items"].as_array().unwrap();
    assert_eq!(items.len(), ids.len(), "{answer:?}");
    let each = ids.iter().zip(items).enumerate();
    let fates: Vec<_> = each
        .map(|(index, (id, item))| {
            assert_eq!(item["index"], index, "{answer:?}");
            item_fate(id, item, answer)
        })
        .collect();
    let acknowledged = |(_, fate): &&(String, Fate)| matches!(fate, Fate::Acknowledged(_));
    let appended = fates.iter().filter(acknowledged).count();
    assert_eq!(response["appended"], appended, "{answer:?}");
    assert_eq!(response["refused"], ids.len() - appended, "{answer:?}");
    assert_eq!(answer.status == 202, appended == ids.len(), "{answer:?}");
    fates
}

fn item_fate(id: &str, item: &Value, answer: &Answer) -> (String, Fate) {
    assert_eq!(item["event_id"], id, "{answer:?}");
    let problem = &item["problem"];
    let fate = match (item["position"].as_str(), problem["status"].as_u64()) {
        (Some(position), None) => Fate::Acknowledged(position.parse().unwrap()),
        (None, Some(503)) => rejection(problem, answer),
        (None, Some(504)) => {
            assert_unknown(id, problem, answer);
            Fate::Unknown
        }
        _ => panic!("{item} in {answer:?}"),
    };
    (id.to_owned(), fate)
}

fn rejection(problem: &Value, answer: &Answer) -> Fate {
    assert!(problem["retry_after"].as_u64() > Some(0), "{answer:?}");
    match problem["type"].as_str() {
        Some("/problems/overloaded") => Fate::Overloaded,
        Some("/problems/log-unavailable") => Fate::Unavailable,
        _ => panic!("{answer:?}"),
    }
}

/// Asserts that the problem says what is unknown, of which event, and what to do.
fn assert_unknown(id: &str, problem: &Value, answer: &Answer) {
    assert_eq!(problem["type"], "/problems/outcome-unknown", "{answer:?}");
    assert_eq!(problem["event_id"], id, "{answer:?}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("repeat it with the same id"), "{answer:?}");
}
