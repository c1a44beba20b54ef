//! The SQL of reports as snapshots: every metric, filters and pages bound, and who was there at once.

use ess_schema::Timestamp;

use super::*;
use crate::{
    question::{Attribute, Filter, KeyValue, Metric, Period, RowKey, order, report::tests::report},
    sql::shown,
};

fn shown_report(report: &Report) -> String {
    let question = ReportRows {
        report,
        threshold_ms: 30_000,
    };
    shown(&question.to_sql())
}

fn week() -> Period {
    Period {
        from: Timestamp::parse_rfc3339("2026-11-23T00:00:00Z").ok(),
        to: Timestamp::parse_rfc3339("2026-11-30T00:00:00Z").ok(),
    }
}

#[test]
fn every_metric_of_everything() {
    let metrics: Vec<_> = Metric::ALL
        .into_iter()
        .filter(|metric| *metric != Metric::PeakConcurrent)
        .collect();
    insta::assert_snapshot!(shown_report(&report(&metrics, &[])));
}

#[test]
fn estimates_of_everything() {
    let metrics = [Metric::UniqueListeners, Metric::MedianPlayedMs];
    let estimated = Report {
        approx: true,
        ..report(&metrics, &[])
    };
    insta::assert_snapshot!(shown_report(&estimated));
}

#[test]
fn filters_are_bound_and_a_page_begins_past_a_row() {
    let dimensions = [
        Dimension::Time(TimeBucket::Week),
        Dimension::Attribute(Attribute::Country),
    ];
    let metrics = [Metric::AvgPlayedMs];
    let text = Filter::Attribute {
        attribute: Attribute::Track,
        is_in: false,
        values: vec!["t'1".to_owned(), String::new()],
    };
    let number = Filter::Number {
        column: "startup_ms",
        comparison: "<",
        value: 500,
    };
    let requested = [("avg_played_ms".to_owned(), true)];
    let paged = Report {
        filters: vec![text, number],
        period: week(),
        timezone: "Europe/Berlin".to_owned(),
        sort: order(&requested, &dimensions, &metrics).unwrap(),
        start: Some(RowKey(vec![
            KeyValue::Number(1.5_f64.to_bits()),
            KeyValue::Integer(1_795_388_400_000),
            KeyValue::Text("D'E".to_owned()),
        ])),
        ..report(&metrics, &dimensions)
    };
    insta::assert_snapshot!(shown_report(&paged));
}

#[test]
fn past_a_row_with_an_unknown_value_only_others_of_its_kind_follow() {
    let dimensions = [Dimension::Attribute(Attribute::Country)];
    let paged = Report {
        start: Some(RowKey(vec![KeyValue::Unknown])),
        ..report(&[Metric::Plays], &dimensions)
    };
    assert!(shown_report(&paged).contains("HAVING 0\n"));
}

#[test]
fn how_many_were_there_at_once_by_the_hour() {
    let dimensions = [
        Dimension::Time(TimeBucket::Hour),
        Dimension::Attribute(Attribute::Plan),
    ];
    let peak = Report {
        period: week(),
        ..report(&[Metric::PeakConcurrent, Metric::Plays], &dimensions)
    };
    insta::assert_snapshot!(shown_report(&peak));
}

#[test]
fn how_many_were_there_at_once_at_all() {
    insta::assert_snapshot!(shown_report(&report(&[Metric::PeakConcurrent], &[])));
}
