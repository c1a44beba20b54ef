//! The order of a report's rows, and its pages.

use std::cmp::Ordering;

use ess_schema::rollup::Dimension;
use serde_json::Value;

use super::{DAY, FROM, HOUR, TO};
use crate::stats::dataset::{Dataset, dataset};
use crate::stats::question::{METRICS, Question, different_lists};

/// The rows of all pages, and how many pages there were.
pub(crate) async fn all_pages(dataset: &Dataset, first: String) -> (Vec<Value>, usize) {
    let (mut rows, mut pages, mut next) = (Vec::new(), 0, Some(first));
    while let Some(url) = next {
        let answer = dataset.app.get(&url).await.expect_status(200);
        rows.extend(answer.json().as_array().unwrap().clone());
        pages += 1;
        next = answer.next_page();
    }
    (rows, pages)
}

/// Compares two rows by a key such as `-plays`; nulls come last in either direction.
fn by_key(key: &str, a: &Value, b: &Value) -> Ordering {
    let (name, descending) = key
        .strip_prefix('-')
        .map_or((key, false), |name| (name, true));
    let (a, b) = (&a[name], &b[name]);
    let known = a.is_null().cmp(&b.is_null());
    let values = match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => a.as_str().cmp(&b.as_str()),
    };
    known.then(if descending { values.reverse() } else { values })
}

fn ordered(keys: &[&str], a: &Value, b: &Value) -> Ordering {
    keys.iter().fold(Ordering::Equal, |known, key| {
        known.then_with(|| by_key(key, a, b))
    })
}

#[tokio::test]
async fn rows_are_sorted_as_requested_and_then_by_every_dimension() {
    let dataset = dataset().await;
    for (dimensions, sort, full_order) in [
        (
            &[Dimension::Country][..],
            "-played_ms",
            &["-played_ms", "country"][..],
        ),
        (&[Dimension::Country], "-country", &["-country"]),
        (
            &[Dimension::User],
            "-plays,avg_played_ms",
            &["-plays", "avg_played_ms", "user"],
        ),
        (
            &[Dimension::User],
            "startup_ms_p95",
            &["startup_ms_p95", "user"],
        ),
        (
            &[Dimension::User],
            "-startup_ms_p95",
            &["-startup_ms_p95", "user"],
        ),
        (
            &[Dimension::Track, DAY],
            "-day,completion_rate",
            &["-day", "completion_rate", "track"],
        ),
        (
            &[HOUR, Dimension::Plan],
            "-peak_concurrent",
            &["-peak_concurrent", "hour", "plan"],
        ),
    ] {
        let question = Question::of(&METRICS).by(dimensions);
        let answer = dataset
            .app
            .get(&question.url(&format!("&sort={sort}")))
            .await;
        let rows = answer.expect_status(200).json();
        let rows = rows.as_array().unwrap();
        for pair in rows.windows(2) {
            assert_eq!(
                ordered(full_order, &pair[0], &pair[1]),
                Ordering::Less,
                "{sort}: {pair:#?}"
            );
        }
        let mut by_dimensions = rows.clone();
        let names: Vec<_> = dimensions.iter().map(|d| d.name()).collect();
        by_dimensions.sort_by(|a, b| ordered(&names, a, b));
        let differences = different_lists(&question.rows(&dataset.playbacks), &by_dimensions);
        assert!(differences.is_empty(), "{sort}: {differences:#?}");
    }
}

#[tokio::test]
async fn all_pages_together_are_the_entire_list() {
    let dataset = dataset().await;
    for (question, more) in [
        (Question::of(&METRICS).by(&[Dimension::Country]), ""),
        (
            Question::of(&METRICS)
                .by(&[DAY, Dimension::Plan])
                .between(FROM, TO),
            "",
        ),
        (
            Question::of(&METRICS).by(&[Dimension::Track]),
            "&sort=-unique_listeners",
        ),
        (
            Question::of(&METRICS).by(&[Dimension::User]),
            "&sort=-startup_ms_p95,attempts",
        ),
        (
            Question::of(&METRICS).by(&[Dimension::User]),
            "&sort=skip_rate",
        ),
        (
            Question::of(&METRICS).by(&[Dimension::Track]),
            "&sort=median_played_ms",
        ),
        (
            Question::of(&METRICS[..3]).by(&[Dimension::TestId, Dimension::EndReason]),
            "&sort=-end_reason",
        ),
    ] {
        let whole = dataset
            .app
            .get(&question.url(more))
            .await
            .expect_status(200)
            .json();
        let whole = whole.as_array().unwrap();
        for limit in [whole.len().div_ceil(7), whole.len(), whole.len() + 1] {
            let first = question.url(&format!("{more}&limit={limit}"));
            let (rows, pages) = all_pages(dataset, first).await;
            assert_eq!(&rows, whole, "{more}, {limit} a page");
            assert_eq!(pages, whole.len().div_ceil(limit), "{more}, {limit} a page");
        }
    }
}

#[tokio::test]
async fn a_cursor_is_refused_for_another_report() {
    let dataset = dataset().await;
    let url = Question::of(&["plays"])
        .by(&[Dimension::Country])
        .url("&limit=2");
    let next = dataset
        .app
        .get(&url)
        .await
        .expect_status(200)
        .next_page()
        .unwrap();
    let (_, cursor) = next.split_once("cursor=").unwrap();
    for other in [
        Question::of(&["plays"]).by(&[Dimension::Plan]),
        Question::of(&["plays", "streams"]).by(&[Dimension::Country]),
        Question::of(&["plays"])
            .by(&[Dimension::Country])
            .between(FROM, TO),
        Question::of(&["plays"])
            .by(&[Dimension::Country])
            .in_time_zone("Europe/Berlin"),
        Question::of(&["plays"])
            .by(&[Dimension::Country])
            .only("plan==free", |_| true),
    ] {
        let url = other.url(&format!("&limit=2&cursor={cursor}"));
        let problem = dataset.app.get(&url).await.expect_status(422).json();
        assert_eq!(problem["errors"][0]["pointer"], "?cursor", "{problem}");
    }
}
