//! GET /stats/report against the oracle: the same events, folded and rolled up in Rust.

mod filters;
mod forms;
mod pages;
mod zones;

use ess_schema::rollup::{Dimension, TimeUnit};
use serde_json::Value;

use super::dataset::dataset;
use super::question::{METRICS, Question, ROUNDING, different_lists};

const DAY: Dimension = Dimension::Time(TimeUnit::Day);
const HOUR: Dimension = Dimension::Time(TimeUnit::Hour);

/// Some hours in the middle of the dataset: playbacks lie before, in and after them, and across either end.
const FROM: &str = "2026-10-24T18:30:15.250Z";
const TO: &str = "2026-10-25T06:10:00Z";

#[tokio::test]
async fn every_metric_alone_and_all_together_is_what_the_fold_says() {
    let dataset = dataset().await;
    for metric in METRICS.iter().copied() {
        let question = Question::of(&[metric]);
        let differences = question.differences(dataset).await;
        assert!(differences.is_empty(), "{differences:#?}");
        let question = question.between(FROM, TO);
        let differences = question.differences(dataset).await;
        assert!(differences.is_empty(), "{differences:#?}");
    }
    let together = Question::of(&METRICS);
    let differences = together.differences(dataset).await;
    assert!(differences.is_empty(), "{differences:#?}");
    let row = &together.rows(&dataset.playbacks)[0];
    for metric in METRICS.iter().copied() {
        assert_ne!(row[metric].as_f64(), Some(0.0), "{metric} is 0 in {row}");
        assert_ne!(row[metric], Value::Null, "{metric} is null in {row}");
    }
}

#[tokio::test]
async fn every_dimension_alone_is_what_the_fold_says() {
    let dataset = dataset().await;
    let mut without_peak = METRICS.to_vec();
    without_peak.retain(|metric| *metric != "peak_concurrent");
    for dimension in Dimension::all() {
        for question in [
            Question::of(&METRICS),
            Question::of(&without_peak),
            Question::of(&METRICS).between(FROM, TO),
            Question::of(&without_peak).between(FROM, TO),
        ] {
            let question = question.by(&[dimension]);
            let differences = question.differences(dataset).await;
            assert!(differences.is_empty(), "{differences:#?}");
            let rows = question.rows(&dataset.playbacks).len();
            assert!(
                rows > 1 || question.url("").contains("to="),
                "{dimension:?} has one value"
            );
        }
    }
}

#[tokio::test]
async fn several_dimensions_together_are_what_the_fold_says() {
    let dataset = dataset().await;
    for dimensions in [
        &[DAY, Dimension::Country][..],
        &[Dimension::Country, DAY],
        &[Dimension::Platform, Dimension::Device],
        &[Dimension::Plan, HOUR],
        &[Dimension::User, Dimension::Track],
        &[Dimension::EndReason, Dimension::TestId],
        &[Dimension::Context, Dimension::AppVersion, Dimension::Plan],
        &[
            Dimension::Country,
            DAY,
            Dimension::Platform,
            Dimension::EndReason,
        ],
    ] {
        let question = Question::of(&METRICS).by(dimensions);
        let differences = question.differences(dataset).await;
        assert!(differences.is_empty(), "{differences:#?}");
        let question = question.between(FROM, TO);
        let differences = question.differences(dataset).await;
        assert!(differences.is_empty(), "{differences:#?}");
    }
}

#[tokio::test]
async fn without_playbacks_there_is_one_row_without_rates_and_none_by_a_dimension() {
    let dataset = dataset().await;
    let (from, to) = ("2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z");
    let question = Question::of(&METRICS).between(from, to);
    let differences = question.differences(dataset).await;
    assert!(differences.is_empty(), "{differences:#?}");
    let url = question.by(&[Dimension::Country]).url("");
    assert_eq!(dataset.app.get(&url).await.expect_status(200).text, "[]");
}

#[tokio::test]
async fn totals_are_of_all_pages_together() {
    let dataset = dataset().await;
    for question in [
        Question::of(&METRICS),
        Question::of(&METRICS).by(&[Dimension::Track, DAY]),
        Question::of(&METRICS)
            .by(&[Dimension::User])
            .between(FROM, TO),
    ] {
        let url = question.url("&limit=3&totals=true");
        let answer = dataset.app.get(&url).await.expect_status(200);
        let totals: Value = serde_json::from_str(answer.header("ess-totals").unwrap()).unwrap();
        let differences = different_lists(&[question.totals(&dataset.playbacks)], &[totals]);
        assert!(differences.is_empty(), "{differences:#?}");
        let without = dataset.app.get(&question.url("&limit=3")).await;
        assert_eq!(without.header("ess-totals"), None);
        assert_eq!(without.text, answer.text);
    }
}

#[tokio::test]
async fn estimates_are_near_the_exact_values_and_counts_are_never_estimated() {
    let dataset = dataset().await;
    let question = Question::of(&METRICS);
    let url = question.url("&approx=true");
    let found = &dataset.app.get(&url).await.expect_status(200).json()[0];
    let exact = &question.rows(&dataset.playbacks)[0];
    let document = dataset.app.get("/openapi.json").await.expect_status(200);
    let documented = &document.json()["components"]["schemas"]["ReportRow"]["properties"];
    for metric in METRICS.iter().copied() {
        let about = documented[metric]["description"].as_str().unwrap();
        let is_estimated = about.contains("approx=true");
        assert!(
            !is_estimated || metric == "unique_listeners" || !exact[metric].is_u64(),
            "{metric} is a count"
        );
        let (exact, found) = (
            exact[metric].as_f64().unwrap(),
            found[metric].as_f64().unwrap(),
        );
        let allowed = if is_estimated { 0.05 } else { ROUNDING };
        assert!(
            (exact - found).abs() <= allowed * exact,
            "{metric}: {found} is far from {exact}"
        );
    }
}
