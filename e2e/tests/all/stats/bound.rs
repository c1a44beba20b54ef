//! Parameters of questions about many playbacks are bound as values or refused by name; they never become part of the SQL. The
//! tests of each path check that special texts match the right playbacks.

use ess_e2e::Answer;
use serde_json::Value;

use super::dataset::{Dataset, SPECIAL_TEXTS, dataset};
use crate::stored::encoded;

/// Invalid values: with control characters, or too long.
fn invalid() -> Vec<String> {
    let fixed = ["\0", "t1\0", "a\nb", "\u{7f}"]
        .map(str::to_owned)
        .into_iter();
    fixed
        .chain(["x".repeat(5_000), "'".repeat(5_000), "\\".repeat(5_000)])
        .collect()
}

/// URLs, and the parameters that are added to them.
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
/// Parameters that accept any visible text.
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
        "{what}: the problem repeats the entire value"
    );
}

#[tokio::test]
async fn an_invalid_value_is_refused_by_the_parameters_name() {
    let dataset = dataset().await;
    for (question, parameters) in PARAMETERS {
        for parameter in parameters {
            let invalid = invalid();
            let others = SPECIAL_TEXTS
                .into_iter()
                .filter(|_| !TEXTS.contains(parameter));
            for text in invalid.iter().map(String::as_str).chain(others) {
                let url = format!("{question}&{parameter}={}", encoded(text));
                let shown: String = text.chars().take(40).collect();
                assert_refused(
                    dataset.app.get(&url).await,
                    &format!("?{parameter}"),
                    &format!("{question} {parameter}={shown:?}"),
                );
            }
        }
    }
}

#[tokio::test]
async fn an_invalid_filter_value_is_refused_and_a_valid_one_matches_only_itself() {
    let dataset = dataset().await;
    let get_report = async |filter: String| {
        let url = format!(
            "/stats/report?metrics=attempts&filters={}",
            encoded(&filter)
        );
        dataset.app.get(&url).await
    };
    for text in invalid() {
        for filter in [
            format!("device=={text}"),
            format!("device=={}", Value::from(text.as_str())),
        ] {
            let shown: String = filter.chars().take(40).collect();
            assert_refused(get_report(filter).await, "?filters", &shown);
        }
    }
    for text in SPECIAL_TEXTS {
        let longer = Value::from(format!("{text}{text}!"));
        let found = get_report(format!("device=={longer}"))
            .await
            .expect_status(200)
            .json();
        assert_eq!(found[0]["attempts"], 0, "{text}");
        // A field name never becomes part of the SQL either.
        assert_refused(get_report(format!("{text}==x")).await, "?filters", text);
    }
    // Bare, not as a JSON string: none of these characters is special in a filter.
    for text in [
        "'",
        "`",
        "x'/**/OR/**/1=1--",
        "{track_id:String}",
        "%27",
        "曲-ñ-🎵",
    ] {
        let found = get_report(format!("device=={text}"))
            .await
            .expect_status(200)
            .json();
        assert_eq!(found[0]["attempts"], 1, "{text}");
    }
}

#[tokio::test]
async fn an_invalid_id_is_refused_and_an_unknown_one_is_404() {
    let dataset = dataset().await;
    for path in [
        "/stats/track/{}",
        "/stats/track/{}/retention",
        "/stats/user/{}",
    ] {
        for text in invalid().iter().map(String::as_str).chain(["a b"]) {
            let url = path.replace("{}", &encoded(text));
            assert_refused(dataset.app.get(&url).await, "{id}", path);
        }
        for text in SPECIAL_TEXTS {
            let url = path.replace("{}", &encoded(&format!("{text}{text}")));
            assert_eq!(dataset.app.get(&url).await.status, 404, "{path} {text}");
        }
    }
    assert_no_row_is_missing(dataset).await;
}

async fn assert_no_row_is_missing(dataset: &Dataset) {
    let rows = dataset
        .app
        .select(
            "SELECT count() AS rows FROM playbacks FINAL SETTINGS do_not_merge_across_partitions_select_final = 1",
        )
        .await;
    assert_eq!(rows[0]["rows"], dataset.playbacks.len());
}
