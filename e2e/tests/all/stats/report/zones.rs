//! Time buckets of a time zone on days when its clocks change.

use ess_e2e::{TestApp, unique};
use ess_schema::rollup::{Dimension, TimeUnit};
use ess_schema::{Event, Timestamp};
use serde_json::json;

use super::{DAY, HOUR};
use crate::stats::dataset::{dataset, instant, playbacks};
use crate::stats::question::{METRICS, Question};
use crate::stored::{Partition, alone, event_at};

const WEEK: Dimension = Dimension::Time(TimeUnit::Week);
const MONTH: Dimension = Dimension::Time(TimeUnit::Month);
const MINUTE_MS: i64 = 60_000;
/// The only zone whose clocks change by half an hour. ClickHouse counts hours from the start of the day, so on these two days of a
/// year the hours after the change are half an hour off (docs/SCHEMA.md).
const HALF_AN_HOUR: &str = "Australia/Lord_Howe";

/// Zones and the instants at which their clocks change: an hour forward or back, at midnight, by half an hour, or not at all.
const CHANGES: [(&str, &str); 9] = [
    ("Europe/Berlin", "2026-10-25T01:00:00Z"),
    ("Europe/Berlin", "2026-03-29T01:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("America/Santiago", "2026-09-06T04:00:00Z"),
    ("America/Santiago", "2026-04-05T03:00:00Z"),
    ("Africa/Cairo", "2026-04-23T22:00:00Z"),
    (HALF_AN_HOUR, "2026-10-03T15:30:00Z"),
    ("Asia/Kolkata", "2026-12-31T18:30:00Z"),
    ("Asia/Kathmandu", "2026-05-31T18:15:00Z"),
];

/// Playbacks of ten minutes, one every 25 minutes from two days before to two days after.
fn around(change: Timestamp) -> Vec<Event> {
    let two_days = 48 * 60 / 25;
    let events = (-two_days..two_days).flat_map(|number: i64| {
        let begins = change.plus_millis(number * 25 * MINUTE_MS);
        [("StartPlayback", 0), ("PausePlayback", 10)].map(|(kind, minute)| {
            let at = begins.plus_millis(minute * MINUTE_MS);
            let command = json!({
                "type": kind, "event_id": unique("e"), "playback_id": format!("{change}-{number}"), "user_id": "u",
                "track_id": "t", "position_ms": 0, "time": at.to_string()
            });
            event_at(&command, at)
        })
    });
    events.collect()
}

async fn stored(events: &[Event]) -> TestApp {
    let app = alone(&[]).await;
    let partition = Partition::of(&app).await;
    partition.store(events).await;
    partition.record_progress().await;
    app.roll_up().await;
    app
}

#[tokio::test]
async fn time_buckets_follow_the_clocks_of_the_time_zone() {
    let events: Vec<_> = CHANGES
        .iter()
        .flat_map(|(_, change)| around(instant(change)))
        .collect();
    let (app, playbacks) = (stored(&events).await, playbacks(&events));
    let mut wrong = Vec::new();
    for (zone, change) in CHANGES {
        let change = instant(change);
        let (from, to) = (
            change.plus_millis(-47 * 60 * MINUTE_MS),
            change.plus_millis(47 * 60 * MINUTE_MS),
        );
        let units = [HOUR, DAY, WEEK, MONTH].into_iter();
        for dimension in units.filter(|unit| zone != HALF_AN_HOUR || *unit != HOUR) {
            for metrics in [&METRICS[..1], &METRICS[..]] {
                let question = Question::of(metrics)
                    .by(&[dimension])
                    .between(&from.to_string(), &to.to_string())
                    .in_time_zone(zone);
                wrong.extend(question.differences_of(&app, &playbacks).await);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn the_dataset_by_time_buckets_of_several_zones_is_what_the_fold_says() {
    let dataset = dataset().await;
    for zone in [
        "Europe/Berlin",
        "Asia/Kolkata",
        "America/New_York",
        "Pacific/Kiritimati",
    ] {
        for dimensions in [
            &[DAY][..],
            &[WEEK, Dimension::Plan],
            &[MONTH, Dimension::Country],
        ] {
            let question = Question::of(&METRICS).by(dimensions).in_time_zone(zone);
            let differences = question.differences(dataset).await;
            assert!(differences.is_empty(), "{differences:#?}");
        }
    }
}
