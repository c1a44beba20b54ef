//! The filters of a report: every field with every operator, and special texts as values.

use ess_schema::playback::Playback;
use ess_schema::rollup::Dimension;
use serde_json::json;

use super::{FROM, TO};
use crate::stats::dataset::{SPECIAL_TEXTS, dataset};
use crate::stats::question::{METRICS, Question};

/// Returns the text of a filter field.
type Text = fn(&Playback) -> Option<String>;
/// Returns the number of a filter field.
type Number = fn(&Playback) -> Option<u64>;

/// Compares a number with another.
type Comparison = fn(&u64, &u64) -> bool;

const TEXTS: [(&str, Text); 13] = [
    ("track", |p| text(p.aggregate.dimensions.track_id.as_ref())),
    ("track_id", |p| {
        text(p.aggregate.dimensions.track_id.as_ref())
    }),
    ("user", |p| text(p.aggregate.dimensions.user_id.as_ref())),
    ("playback", |p| text(Some(&p.aggregate.playback_id))),
    ("country", |p| p.aggregate.dimensions.country.clone()),
    ("device", |p| p.aggregate.dimensions.device.clone()),
    ("platform", |p| p.aggregate.dimensions.platform.clone()),
    ("app_version", |p| {
        p.aggregate.dimensions.app_version.clone()
    }),
    ("plan", |p| p.aggregate.dimensions.plan.clone()),
    ("context", |p| p.aggregate.dimensions.context.clone()),
    ("test_id", |p| text(p.aggregate.dimensions.test_id.as_ref())),
    ("end_reason", |p| {
        p.aggregate.ending.map(|e| e.reason.as_str().to_owned())
    }),
    ("user_id", |p| text(p.aggregate.dimensions.user_id.as_ref())),
];

const NUMBERS: [(&str, Number); 12] = [
    ("played_ms", |p| Some(p.aggregate.played_ms)),
    ("unique_ms", |p| Some(p.aggregate.unique_ms)),
    ("startup_ms", |p| p.aggregate.dimensions.startup_ms),
    ("stalled_ms", |p| Some(p.aggregate.stalled_ms)),
    ("paused_ms", |p| Some(p.aggregate.paused_ms)),
    ("track_duration_ms", |p| p.aggregate.track_duration_ms),
    ("max_position_ms", |p| p.aggregate.max_position_ms),
    ("event_count", |p| Some(p.aggregate.event_count)),
    ("pause_count", |p| Some(p.aggregate.pause_count)),
    ("stall_count", |p| Some(p.aggregate.stall_count)),
    ("seek_count", |p| Some(p.aggregate.seek_count)),
    ("failure_count", |p| Some(p.aggregate.failure_count)),
];

const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", u64::eq),
    ("!=", u64::ne),
    ("<", u64::lt),
    ("<=", u64::le),
    (">", u64::gt),
    (">=", u64::ge),
];

fn text(id: Option<&impl ToString>) -> Option<String> {
    id.map(ToString::to_string)
}

/// The median of these values.
fn median<T: Ord + Clone>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<_> = values.collect();
    values.sort();
    values[values.len() / 2].clone()
}

/// Asserts that the report equals the oracle's, and that the filter matches some playbacks but not all.
async fn assert_filtered(question: Question) {
    let dataset = dataset().await;
    let differences = question.differences(dataset).await;
    assert!(differences.is_empty(), "{differences:#?}");
    let attempts = question.rows(&dataset.playbacks)[0]["attempts"]
        .as_u64()
        .unwrap();
    let all = dataset.playbacks.len() as u64;
    assert!(
        (1..all).contains(&attempts),
        "{attempts} of {all}: {}",
        question.url("")
    );
}

#[tokio::test]
async fn a_text_filter_includes_or_excludes_the_named_values() {
    let dataset = dataset().await;
    for (name, of) in TEXTS {
        let known = median(dataset.playbacks.iter().filter_map(of));
        let value = json!(known).to_string();
        let is = known.clone();
        assert_filtered(
            Question::of(&METRICS).only(&format!("{name}=={value}"), move |p| {
                of(p) == Some(is.clone())
            }),
        )
        .await;
        let is = known.clone();
        assert_filtered(
            Question::of(&METRICS).only(&format!("{name}!={value}"), move |p| {
                of(p) != Some(is.clone())
            }),
        )
        .await;
        let other = dataset
            .playbacks
            .iter()
            .filter_map(of)
            .find(|value| *value != known);
        let other = other.unwrap();
        let list = format!("{name} in {value}, {}, unknown", json!(other));
        assert_filtered(Question::of(&METRICS).only(&list, move |p| {
            let value = of(p);
            value == Some(known.clone()) || value == Some(other.clone())
        }))
        .await;
        if name != "playback" {
            assert_filtered(
                Question::of(&METRICS).only(&format!("{name}==null"), move |p| of(p).is_none()),
            )
            .await;
            assert_filtered(
                Question::of(&METRICS).only(&format!("{name}!=null"), move |p| of(p).is_some()),
            )
            .await;
        }
    }
}

#[tokio::test]
async fn a_number_filter_compares_and_never_matches_null() {
    let dataset = dataset().await;
    for (name, of) in NUMBERS {
        // The least value may be the median, and then no value is less: choose among the greater ones.
        let least = dataset.playbacks.iter().filter_map(of).min().unwrap();
        let greater = dataset
            .playbacks
            .iter()
            .filter_map(of)
            .filter(|value| *value > least);
        let value = median(greater);
        for (operator, compare) in COMPARISONS {
            let question = Question::of(&METRICS)
                .only(&format!("{name}{operator}{value}"), move |p| {
                    of(p).is_some_and(|known| compare(&known, &value))
                });
            let differences = question.differences(dataset).await;
            assert!(differences.is_empty(), "{differences:#?}");
        }
    }
}

#[tokio::test]
async fn every_condition_must_be_met_in_the_period_and_by_any_dimension() {
    let dataset = dataset().await;
    let question = Question::of(&METRICS)
        .only(
            "country in DE,US; platform!=ios;played_ms>=30000;played_ms<200000",
            |p| {
                let of = &p.aggregate.dimensions;
                matches!(of.country.as_deref(), Some("DE" | "US"))
                    && of.platform.as_deref() != Some("ios")
                    && (30_000..200_000).contains(&p.aggregate.played_ms)
            },
        )
        .by(&[Dimension::Plan])
        .between(FROM, TO);
    let differences = question.differences(dataset).await;
    assert!(differences.is_empty(), "{differences:#?}");
    assert!(question.rows(&dataset.playbacks).len() > 1);
}

#[tokio::test]
async fn a_special_text_is_an_ordinary_filter_value() {
    for special_text in SPECIAL_TEXTS {
        for (name, of) in TEXTS {
            if ["playback", "country", "end_reason"].contains(&name) {
                continue;
            }
            let filter = format!("{name}=={}", json!(special_text));
            assert_filtered(
                Question::of(&["attempts", "plays"])
                    .only(&filter, move |p| of(p).as_deref() == Some(special_text)),
            )
            .await;
        }
    }
}
