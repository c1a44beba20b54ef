//! What an HTTP response says of the facts of its request. Pure: parses, never sends.

use serde::Deserialize;

use crate::record::outcome::{Outcome, Reason};

/// A problem document, RFC 9457.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProblemDocument {
    /// A URI reference that names the kind of problem. Absent, it means `about:blank`: nothing beyond the status.
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    detail: String,
}

/// The response to several items.
#[derive(Debug, Deserialize)]
struct ItemResults {
    items: Vec<ItemResult>,
}

#[derive(Debug, Deserialize)]
struct ItemResult {
    index: usize,
    position: Option<String>,
    problem: Option<ProblemDocument>,
}

/// The outcome of each of the `count` facts of a request. The outcome of a fact that the response does not mention is unknown.
pub(super) fn outcomes(status: u16, body: &[u8], count: usize) -> Vec<Outcome> {
    match (status, count) {
        (200..=202, 1) => vec![Outcome::Acknowledged],
        (202 | 207, _) => item_outcomes(status, body, count),
        _ => {
            let problem = serde_json::from_slice(body).unwrap_or_else(|_| ProblemDocument {
                kind: String::new(),
                title: "without a problem document".into(),
                detail: String::from_utf8_lossy(body).chars().take(200).collect(),
                status,
            });
            vec![outcome(status, problem); count]
        }
    }
}

fn item_outcomes(status: u16, body: &[u8], count: usize) -> Vec<Outcome> {
    let unknown = |detail: String| {
        Outcome::Unknown(Reason {
            kind: format!("{status} without a result for each item"),
            detail,
        })
    };
    let results: ItemResults = match serde_json::from_slice(body) {
        Ok(results) => results,
        Err(error) => return vec![unknown(error.to_string()); count],
    };
    let mut outcomes = vec![unknown("the item is not in the response".into()); count];
    for item in results.items {
        if let Some(found) = outcomes.get_mut(item.index) {
            *found = match (item.problem, item.position) {
                (Some(problem), _) => outcome(problem.status, problem),
                (None, Some(_)) => Outcome::Acknowledged,
                (None, None) => unknown("neither a position nor a problem".into()),
            };
        }
    }
    outcomes
}

/// After a server error, a timeout or a rate limit the outcome is unknown, and a retry may succeed. Other problems are final.
fn outcome(status: u16, problem: ProblemDocument) -> Outcome {
    let ProblemDocument {
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
    fn the_status_acknowledges_a_single_item_as_clients_of_the_predecessor_expect() {
        for status in [200, 202] {
            assert_eq!(outcomes(status, b"{}", 1), [Outcome::Acknowledged]);
        }
    }

    #[test]
    fn each_of_several_items_has_an_outcome_of_its_own() {
        let body = br#"{"appended":1,"refused":2,"items":[
            {"index":2,"event_id":"c","problem":{"type":"/problems/overloaded","title":"Overloaded","status":503,"detail":"full"}},
            {"index":0,"event_id":"a","position":"7:1"},
            {"index":1,"event_id":"b","problem":{"type":"/problems/invalid-item","title":"Invalid","status":422,"detail":"no"}}
        ]}"#;
        let found = kinds(&outcomes(207, body, 4));
        let expected = [
            "acknowledged",
            "refused: 422 /problems/invalid-item",
            "unknown: 503 /problems/overloaded",
            "unknown: 207 without a result for each item",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_success_without_item_results_acknowledges_no_item() {
        for body in [&b"{}"[..], b"", br#"{"items":[{"index":0},{"index":9}]}"#] {
            let found = outcomes(202, body, 2);
            assert!(
                found.iter().all(|o| matches!(o, Outcome::Unknown(_))),
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_problem_applies_to_every_item_of_the_request() {
        let problem = br#"{"type":"/problems/x","title":"X","status":413,"detail":"d"}"#;
        assert_eq!(
            kinds(&outcomes(413, problem, 2)),
            ["refused: 413 /problems/x", "refused: 413 /problems/x"]
        );
        for status in [429, 500, 503, 504] {
            let found = outcomes(status, problem, 1);
            assert!(
                matches!(found[0], Outcome::Unknown(_)),
                "{status}: {found:?}"
            );
        }
        let blank = br#"{"type":"about:blank","title":"Bad Gateway","status":502,"detail":"d"}"#;
        assert_eq!(
            kinds(&outcomes(502, blank, 1)),
            ["unknown: 502 Bad Gateway"]
        );
        let plain = outcomes(502, b"<html>bad gateway</html>", 1);
        assert_eq!(kinds(&plain), ["unknown: 502 without a problem document"]);
    }
}
