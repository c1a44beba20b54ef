//! GET /stats/top against the oracle: a report by one dimension, sorted by a metric descending.

use std::cmp::Reverse;

use ess_schema::rollup::Dimension;
use serde_json::Value;

use super::dataset::{Dataset, dataset};
use super::question::{METRICS, Question, different_rows};

const OF: [(&str, Dimension); 10] = [
    ("tracks", Dimension::Track),
    ("users", Dimension::User),
    ("countries", Dimension::Country),
    ("devices", Dimension::Device),
    ("platforms", Dimension::Platform),
    ("app_versions", Dimension::AppVersion),
    ("plans", Dimension::Plan),
    ("contexts", Dimension::Context),
    ("end_reasons", Dimension::EndReason),
    ("test_ids", Dimension::TestId),
];

/// The rows of a report sorted by a count, descending; equal rows keep their order.
fn ranked(question: &Question, by: &str, dataset: &Dataset) -> Vec<Value> {
    let mut rows = question.rows(&dataset.playbacks);
    rows.sort_by_key(|row| Reverse(row[by].as_u64()));
    rows
}

#[tokio::test]
async fn every_dimension_is_ranked_by_the_metric_descending() {
    let dataset = dataset().await;
    for (of, dimension) in OF {
        for by in ["plays", "played_ms", "unique_listeners", "peak_concurrent"] {
            let question = Question::of(&METRICS).by(&[dimension]);
            let url = format!(
                "/stats/top?of={of}&by={by}&limit=50&metrics={}",
                METRICS.join(",")
            );
            let mut expected = ranked(&question, by, dataset);
            expected.truncate(50);
            let differences = different_rows(&expected, &dataset.app.get(&url).await);
            assert!(differences.is_empty(), "{url}: {differences:#?}");
        }
    }
}

#[tokio::test]
async fn the_default_is_ten_by_plays() {
    let dataset = dataset().await;
    let mut expected = ranked(
        &Question::of(&["plays"]).by(&[Dimension::Track]),
        "plays",
        dataset,
    );
    expected.truncate(10);
    let differences = different_rows(&expected, &dataset.app.get("/stats/top?of=tracks").await);
    assert!(differences.is_empty(), "{differences:#?}");
}

#[tokio::test]
async fn a_ranking_honours_the_period_and_the_filters_page_by_page() {
    let dataset = dataset().await;
    let (from, to) = ("2026-10-24T18:00:00Z", "2026-10-25T18:00:00Z");
    let question = Question::of(&["streams", "completion_rate"])
        .by(&[Dimension::User])
        .only("platform==web", |p| {
            p.aggregate.dimensions.platform.as_deref() == Some("web")
        })
        .between(from, to);
    let expected = ranked(&question, "streams", dataset);
    assert!(expected.len() > 12);
    let mut next = Some(format!(
        "/stats/top?of=users&by=streams&metrics=streams,completion_rate&filters=platform%3D%3Dweb&from={from}&to={to}&limit=5"
    ));
    let mut pages = expected.chunks(5);
    while let Some(url) = next {
        let answer = dataset.app.get(&url).await;
        let differences = different_rows(pages.next().unwrap(), &answer);
        assert!(differences.is_empty(), "{url}: {differences:#?}");
        next = answer.next_page();
    }
    assert_eq!(pages.next(), None);
}
