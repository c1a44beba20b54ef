//! Metrics by dimensions, above all by time.

use std::ops::Range;

use ess_schema::Timestamp;
use ess_schema::rollup::{Calendar, Dimension, Period, ReportRow, TimeUnit, report};

use super::given::{PlaybackBuilder, events, instant, playback, playbacks};

const DAY: Dimension = Dimension::Time(TimeUnit::Day);
const HOUR: Dimension = Dimension::Time(TimeUnit::Hour);

/// Berlin in the week in which its clocks go back. Hours are those of UTC; that Sunday has 25.
struct Berlin;

const DAYS: [&str; 4] = [
    "2026-10-23T22:00:00Z",
    "2026-10-24T22:00:00Z",
    "2026-10-25T23:00:00Z",
    "2026-10-26T23:00:00Z",
];

impl Calendar for Berlin {
    fn bucket(&self, unit: TimeUnit, at: Timestamp) -> Range<Timestamp> {
        let hour = 60 * 60 * 1_000;
        match unit {
            TimeUnit::Hour => {
                let start = at.plus_millis(-(at.as_millis() % hour));
                start..start.plus_millis(hour)
            }
            TimeUnit::Day => {
                let days = DAYS.map(instant);
                let day = days.windows(2).find(|day| (day[0]..day[1]).contains(&at));
                day.map(|day| day[0]..day[1]).unwrap()
            }
            other => panic!("no test uses {other:?}"),
        }
    }
}

fn rows(
    builders: Vec<PlaybackBuilder>,
    dimensions: &[Dimension],
    period: &Period,
) -> Vec<ReportRow> {
    let playbacks = playbacks(&events(builders));
    let playbacks: Vec<_> = playbacks.iter().collect();
    report(&playbacks, dimensions, period, &Berlin)
}

/// Value of the only dimension, attempts, peak.
fn summary(rows: &[ReportRow]) -> Vec<(Option<&str>, u64, u64)> {
    rows.iter()
        .map(|row| {
            let value = row.values[0].as_deref();
            (value, row.metrics.attempts, row.metrics.peak_concurrent)
        })
        .collect()
}

fn started(id: &str, start: &str, fields: &str) -> PlaybackBuilder {
    playback(id).from(start).at(0, "StartPlayback", fields)
}

fn between(from: &str, to: &str) -> Period {
    Period {
        from: Some(instant(from)),
        to: Some(instant(to)),
    }
}

#[test]
fn without_dimensions_there_is_one_row_even_without_playbacks() {
    let rows = rows(Vec::new(), &[], &Period::default());
    assert_eq!((rows.len(), rows[0].metrics.attempts), (1, 0));
}

#[test]
fn an_absent_value_is_a_group_of_its_own() {
    let rows = rows(
        vec![
            started("a", DAYS[0], r#","country":"DE""#),
            started("b", DAYS[0], ""),
            started("c", DAYS[0], r#","country":"DE""#),
        ],
        &[Dimension::Country],
        &Period::default(),
    );
    assert_eq!(summary(&rows), [(None, 1, 1), (Some("DE"), 2, 2)]);
}

#[test]
fn a_playback_belongs_to_the_instant_of_its_first_event_with_from_included_and_to_excluded() {
    let one = |start: &str, period: &Period| {
        rows(vec![started("a", start, "")], &[], period)[0]
            .metrics
            .attempts
    };
    let period = between("2026-10-24T10:00:00Z", "2026-10-24T11:00:00Z");
    assert_eq!(one("2026-10-24T09:59:59.999Z", &period), 0);
    assert_eq!(one("2026-10-24T10:00:00Z", &period), 1);
    assert_eq!(one("2026-10-24T10:59:59.999Z", &period), 1);
    assert_eq!(one("2026-10-24T11:00:00Z", &period), 0);
}

#[test]
fn the_day_the_clocks_go_back_has_25_hours() {
    let rows = rows(
        vec![
            started("a", "2026-10-24T21:59:59Z", ""),
            started("b", "2026-10-24T22:00:00Z", ""),
            started("c", "2026-10-25T22:59:59Z", ""),
            started("d", "2026-10-25T23:00:00Z", ""),
        ],
        &[DAY],
        &Period::default(),
    );
    assert_eq!(
        summary(&rows),
        [
            (Some("2026-10-23T22:00:00.000Z"), 1, 1),
            (Some("2026-10-24T22:00:00.000Z"), 2, 1),
            (Some("2026-10-25T23:00:00.000Z"), 1, 1),
        ]
    );
}

#[test]
fn a_peak_by_time_counts_playbacks_that_started_earlier_and_are_still_active() {
    let builders = vec![
        started("a", "2026-10-24T09:30:00Z", "").ends(3_600, "stopped"),
        started("b", "2026-10-24T10:15:00Z", "").ends(60, "stopped"),
        started("c", "2026-10-24T10:45:00Z", "").ends(60, "stopped"),
    ];
    let rows = rows(builders, &[HOUR], &Period::default());
    assert_eq!(
        summary(&rows),
        [
            (Some("2026-10-24T09:00:00.000Z"), 1, 1),
            (Some("2026-10-24T10:00:00.000Z"), 2, 2),
        ]
    );
}

#[test]
fn a_peak_by_time_ignores_playbacks_that_ended_before_the_period_or_started_after_it() {
    let builders = || {
        vec![
            started("a", "2026-10-24T10:00:00Z", "").ends(600, "stopped"),
            started("a2", "2026-10-24T10:00:00Z", "").ends(600, "stopped"),
            started("b", "2026-10-24T10:05:00Z", "").ends(1_800, "stopped"),
            started("c", "2026-10-24T10:20:00Z", "").ends(60, "stopped"),
            started("d", "2026-10-24T10:20:30Z", "").ends(60, "stopped"),
        ]
    };
    // b started before the period and is active when c starts; a and a2 have ended; d starts after the period.
    let period = between("2026-10-24T10:15:00Z", "2026-10-24T10:20:30Z");
    let found = rows(builders(), &[HOUR], &period);
    assert_eq!(summary(&found), [(Some("2026-10-24T10:00:00.000Z"), 1, 2)]);
    // The same without a time dimension.
    let total = &rows(builders(), &[], &period)[0].metrics;
    assert_eq!((total.attempts, total.peak_concurrent), (1, 2));
}

#[test]
fn a_time_bucket_with_active_playbacks_but_no_new_ones_is_a_row_without_attempts() {
    let builders =
        || vec![started("a", "2026-10-24T09:30:00Z", r#","plan":"free""#).ends(7_200, "stopped")];
    let hours = rows(
        builders(),
        &[HOUR],
        &between("2026-10-24T09:00:00Z", "2026-10-24T11:00:00Z"),
    );
    assert_eq!(
        summary(&hours),
        [
            (Some("2026-10-24T09:00:00.000Z"), 1, 1),
            (Some("2026-10-24T10:00:00.000Z"), 0, 1),
        ]
    );
    let plans = rows(
        builders(),
        &[Dimension::Plan],
        &between("2026-10-24T11:30:00Z", "2026-10-24T12:00:00Z"),
    );
    assert_eq!(summary(&plans), [(Some("free"), 0, 1)]);
}

#[test]
fn by_two_dimensions_each_pair_of_values_is_a_row() {
    let builders = vec![
        started("a", "2026-10-24T10:00:00Z", r#","plan":"free""#),
        started("b", "2026-10-24T10:10:00Z", r#","plan":"free""#),
        started("c", "2026-10-24T11:00:00Z", r#","plan":"free""#),
        started("d", "2026-10-24T11:00:00Z", r#","plan":"family""#),
    ];
    let rows = rows(builders, &[Dimension::Plan, HOUR], &Period::default());
    let found: Vec<_> = rows
        .iter()
        .map(|row| {
            let values: Vec<_> = row.values.iter().flatten().map(String::as_str).collect();
            (values.join(" "), row.metrics.attempts)
        })
        .collect();
    let expected = [
        ("family 2026-10-24T11:00:00.000Z", 1),
        ("free 2026-10-24T10:00:00.000Z", 2),
        ("free 2026-10-24T11:00:00.000Z", 1),
    ];
    assert_eq!(found, expected.map(|(text, n)| (text.to_owned(), n)));
}
