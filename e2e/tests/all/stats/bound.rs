//! Whatever stands in a parameter of a question about many is a value, or is refused by name: never a part of the question. That
//! texts find what bears them is told beside each path.

use ess_e2e::Answer;
use serde_json::Value;

use super::dataset::{Crowd, MEANINGFUL, crowd};
use crate::stored::encoded;

/// Never a value: with control characters, or endless.
fn impossible() -> Vec<String> {
    let fixed = ["\0", "t1\0", "a\nb", "\u{7f}"]
        .map(str::to_owned)
        .into_iter();
    fixed
        .chain(["x".repeat(5_000), "'".repeat(5_000), "\\".repeat(5_000)])
        .collect()
}

/// Each with a question that it is added to.
const PARAMETERS: [(&str, &[&str]); 6] = [
    (
        "/stats/report?metrics=plays",
        &[
            "dimensions",
            "filters",
            "from",
            "to",
            "timezone",
            "sort",
            "limit",
            "cursor",
            "approx",
            "totals",
            "after",
        ],
    ),
    ("/stats/report?dimensions=day", &["metrics"]),
    ("/stats/top?limit=5", &["of"]),
    (
        "/stats/top?of=tracks",
        &[
            "by", "metrics", "filters", "from", "to", "limit", "cursor", "approx", "after",
        ],
    ),
    (
        "/stats/playbacks?",
        &[
            "user_id", "track_id", "state", "from", "to", "limit", "cursor", "after",
        ],
    ),
    ("/stats/track/track-1/retention?", &["from", "to", "after"]),
];
/// Parameters that any visible text is a value of.
const TEXTS: [&str; 2] = ["user_id", "track_id"];

fn assert_refused(answer: Answer, pointer: &str, what: &str) {
    let problem = answer.expect_status(422).json();
    assert_eq!(
        problem["type"], "/problems/invalid-query",
        "{what}: {problem}"
    );
    let error = &problem["errors"][0];
    assert_eq!(error["pointer"], pointer, "{what}: {problem}");
    assert!(!error["allowed"].as_str().unwrap().is_empty(), "{problem}");
    assert!(
        problem.to_string().len() < 4_000,
        "{what} is told back whole"
    );
}

#[tokio::test]
async fn what_no_parameter_can_be_is_refused_by_the_parameters_name() {
    let crowd = crowd().await;
    for (question, parameters) in PARAMETERS {
        for parameter in parameters {
            let impossible = impossible();
            let others = MEANINGFUL
                .into_iter()
                .filter(|_| !TEXTS.contains(parameter));
            for text in impossible.iter().map(String::as_str).chain(others) {
                let url = format!("{question}&{parameter}={}", encoded(text));
                let shown: String = text.chars().take(40).collect();
                assert_refused(
                    crowd.app.get(&url).await,
                    &format!("?{parameter}"),
                    &format!("{question} {parameter}={shown:?}"),
                );
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_a_value_of_a_filter_is_refused_and_what_can_finds_nothing_that_it_is_not() {
    let crowd = crowd().await;
    let ask = async |filter: String| {
        let url = format!(
            "/stats/report?metrics=attempts&filters={}",
            encoded(&filter)
        );
        crowd.app.get(&url).await
    };
    for text in impossible() {
        for filter in [
            format!("device=={text}"),
            format!("device=={}", Value::from(text.as_str())),
        ] {
            let shown: String = filter.chars().take(40).collect();
            assert_refused(ask(filter).await, "?filters", &shown);
        }
    }
    for text in MEANINGFUL {
        let longer = Value::from(format!("{text}{text}!"));
        let found = ask(format!("device=={longer}"))
            .await
            .expect_status(200)
            .json();
        assert_eq!(found[0]["attempts"], 0, "{text}");
        // A name is never a part of the question either.
        assert_refused(ask(format!("{text}==x")).await, "?filters", text);
    }
    // Bare, not as JSON, where no character of it means something to a filter.
    for text in [
        "'",
        "`",
        "x'/**/OR/**/1=1--",
        "{track_id:String}",
        "%27",
        "曲-ñ-🎵",
    ] {
        let found = ask(format!("device=={text}"))
            .await
            .expect_status(200)
            .json();
        assert_eq!(found[0]["attempts"], 1, "{text}");
    }
}

#[tokio::test]
async fn what_cannot_be_an_id_is_refused_and_what_nobody_has_is_not_known() {
    let crowd = crowd().await;
    for path in [
        "/stats/track/{}",
        "/stats/track/{}/retention",
        "/stats/user/{}",
    ] {
        for text in impossible().iter().map(String::as_str).chain(["a b"]) {
            let url = path.replace("{}", &encoded(text));
            assert_refused(crowd.app.get(&url).await, "{id}", path);
        }
        for text in MEANINGFUL {
            let url = path.replace("{}", &encoded(&format!("{text}{text}")));
            assert_eq!(crowd.app.get(&url).await.status, 404, "{path} {text}");
        }
    }
    everything_is_still_there(crowd).await;
}

async fn everything_is_still_there(crowd: &Crowd) {
    let rows = crowd
        .app
        .select(
            "SELECT count() AS rows FROM playbacks FINAL SETTINGS do_not_merge_across_partitions_select_final = 1",
        )
        .await;
    assert_eq!(rows[0]["rows"], crowd.playbacks.len());
}
