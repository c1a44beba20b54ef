//! What an HTTP answer says of the facts of its request. Pure: reads, never sends.

use serde::Deserialize;

use crate::target::{Outcome, Reason};

/// RFC 9457.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    /// A URI reference that names the kind of problem; left out it means `about:blank`, which says nothing beyond the status.
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    detail: String,
}

/// The answer to many items.
#[derive(Debug, Deserialize)]
struct Many {
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    index: usize,
    position: Option<String>,
    problem: Option<Problem>,
}

/// What `status` and `body` say of each of `count` facts sent in one request. Facts that the answer does not speak of are
/// unknown.
pub(crate) fn read(status: u16, body: &[u8], count: usize) -> Vec<Outcome> {
    match (status, count) {
        (200..=202, 1) => vec![Outcome::Acknowledged],
        (202 | 207, _) => read_many(status, body, count),
        _ => {
            let problem = serde_json::from_slice(body).unwrap_or_else(|_| Problem {
                kind: String::new(),
                title: "without a problem document".into(),
                detail: String::from_utf8_lossy(body).chars().take(200).collect(),
                status,
            });
            vec![judge(status, problem); count]
        }
    }
}

fn read_many(status: u16, body: &[u8], count: usize) -> Vec<Outcome> {
    let unread = |detail: String| {
        Outcome::Unknown(Reason {
            kind: format!("{status} that does not say what became of each item"),
            detail,
        })
    };
    let many: Many = match serde_json::from_slice(body) {
        Ok(many) => many,
        Err(error) => return vec![unread(error.to_string()); count],
    };
    let mut outcomes = vec![unread("the item is not in the answer".into()); count];
    for item in many.items {
        if let Some(outcome) = outcomes.get_mut(item.index) {
            *outcome = match (item.problem, item.position) {
                (Some(problem), _) => judge(problem.status, problem),
                (None, Some(_)) => Outcome::Acknowledged,
                (None, None) => unread("neither a position nor a problem".into()),
            };
        }
    }
    outcomes
}

/// A server that could not is asked again, as is one that is asked too often; a request that it would not take is not.
fn judge(status: u16, problem: Problem) -> Outcome {
    let Problem {
        kind,
        title,
        detail,
        ..
    } = problem;
    let kind = match kind.as_str() {
        "" | "about:blank" => format!("{status} {title}"),
        kind => format!("{status} {kind}"),
    };
    let reason = Reason { kind, detail };
    match status {
        408 | 429 | 500.. => Outcome::Unknown(reason),
        _ => Outcome::Refused(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(outcomes: &[Outcome]) -> Vec<String> {
        let kind = |outcome: &Outcome| match outcome {
            Outcome::Acknowledged => "acknowledged".to_owned(),
            Outcome::Refused(reason) => format!("refused: {}", reason.kind),
            Outcome::Unknown(reason) => format!("unknown: {}", reason.kind),
        };
        outcomes.iter().map(kind).collect()
    }

    #[test]
    fn one_item_is_acknowledged_by_the_status_as_the_predecessors_clients_expect_too() {
        for status in [200, 202] {
            assert_eq!(read(status, b"{}", 1), [Outcome::Acknowledged]);
        }
    }

    #[test]
    fn each_of_many_items_is_judged_by_itself() {
        let body = br#"{"appended":1,"refused":2,"items":[
            {"index":2,"event_id":"c","problem":{"type":"/problems/overloaded","title":"Overloaded","status":503,"detail":"full"}},
            {"index":0,"event_id":"a","position":"7:1"},
            {"index":1,"event_id":"b","problem":{"type":"/problems/invalid-item","title":"Invalid","status":422,"detail":"no"}}
        ]}"#;
        let found = kinds(&read(207, body, 4));
        let expected = [
            "acknowledged",
            "refused: 422 /problems/invalid-item",
            "unknown: 503 /problems/overloaded",
            "unknown: 207 that does not say what became of each item",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn success_without_a_word_of_the_items_acknowledges_none() {
        for body in [&b"{}"[..], b"", br#"{"items":[{"index":0},{"index":9}]}"#] {
            let found = read(202, body, 2);
            assert!(
                found.iter().all(|o| matches!(o, Outcome::Unknown(_))),
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_problem_holds_for_every_item_of_the_request() {
        let problem = br#"{"type":"/problems/x","title":"X","status":413,"detail":"d"}"#;
        assert_eq!(
            kinds(&read(413, problem, 2)),
            ["refused: 413 /problems/x", "refused: 413 /problems/x"]
        );
        for status in [429, 500, 503, 504] {
            let found = read(status, problem, 1);
            assert!(
                matches!(found[0], Outcome::Unknown(_)),
                "{status}: {found:?}"
            );
        }
        let blank = br#"{"type":"about:blank","title":"Bad Gateway","status":502,"detail":"d"}"#;
        assert_eq!(kinds(&read(502, blank, 1)), ["unknown: 502 Bad Gateway"]);
        let plain = read(502, b"<html>bad gateway</html>", 1);
        assert_eq!(kinds(&plain), ["unknown: 502 without a problem document"]);
    }
}
