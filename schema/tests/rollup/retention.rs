//! The retention curve of a track.

use ess_schema::TrackId;
use ess_schema::rollup::{Retention, played_stretches, retention};

use super::given::{PlaybackBuilder, events, playback, playbacks};

fn curve(builders: Vec<PlaybackBuilder>) -> Retention {
    let mut events = events(builders);
    // Every event arrives twice.
    events.extend(events.clone());
    let playbacks = playbacks(&events);
    let playbacks: Vec<_> = playbacks.iter().collect();
    let track = TrackId::new("t").unwrap();
    retention(&track, &playbacks, &played_stretches(&events))
}

fn lasting(id: &str, duration_ms: u64) -> PlaybackBuilder {
    let fields = format!(r#","track_duration_ms":{duration_ms}"#);
    playback(id).at(0, "StartPlayback", &fields)
}

fn column(curve: &Retention, of: fn(&ess_schema::rollup::RetentionBucket) -> f64) -> Vec<f64> {
    curve.buckets.iter().map(of).collect()
}

#[test]
fn a_track_without_plays_has_no_curve() {
    let curve = curve(vec![lasting("a", 10_000)]);
    assert_eq!((curve.plays, curve.buckets.len()), (0, 0));
    assert_eq!(curve.quartiles[0], (25, None));
}

#[test]
fn a_bucket_is_retained_by_every_play_that_touches_it_and_by_none_that_ends_at_its_start() {
    let curve = curve(vec![
        lasting("a", 20_000).plays(0, 20_000),
        lasting("b", 20_000).plays(0, 10_000),
        lasting("c", 20_000).plays(0, 10_001),
        lasting("d", 20_000).plays(7_000, 8_000),
        lasting("e", 20_000),
    ]);
    assert_eq!((curve.plays, curve.track_duration_ms), (4, Some(20_000)));
    assert_eq!(column(&curve, |b| b.retention), [0.75, 1.0, 0.5, 0.25]);
    assert_eq!(column(&curve, |b| b.drop_off), [0.25, -0.25, 0.5, 0.25]);
    let from: Vec<_> = curve.buckets.iter().map(|b| b.from_ms).collect();
    assert_eq!(from, [0, 5_000, 10_000, 15_000]);
}

#[test]
fn a_repeated_stretch_raises_replays_but_not_retention() {
    let curve = curve(vec![
        lasting("a", 10_000)
            .plays(0, 10_000)
            .plays(5_000, 10_000)
            .plays(5_000, 10_000),
        lasting("b", 10_000).plays(0, 2_500),
    ]);
    assert_eq!(column(&curve, |b| b.retention), [1.0, 0.5]);
    assert_eq!(column(&curve, |b| b.replays), [0.75, 1.5]);
}

#[test]
fn the_last_bucket_ends_with_the_track_and_has_the_full_length_past_a_duration_that_is_too_short() {
    let exact = curve(vec![lasting("a", 6_000).plays(0, 6_000)]);
    assert_eq!(column(&exact, |b| b.replays), [1.0, 1.0]);
    let past = curve(vec![lasting("a", 5_000).plays(0, 6_000)]);
    assert_eq!(column(&past, |b| b.replays), [1.0, 0.2]);
    let unknown = curve(vec![playback("a").plays(0, 6_000)]);
    assert_eq!(unknown.track_duration_ms, None);
    assert_eq!(column(&unknown, |b| b.replays), [1.0, 0.2]);
    assert_eq!(unknown.quartiles, [25, 50, 75, 95].map(|q| (q, None)));
}

#[test]
fn the_curve_ends_with_the_last_bucket_that_a_play_heard() {
    let curve = curve(vec![lasting("a", 60_000).plays(11_000, 12_000)]);
    assert_eq!(column(&curve, |b| b.retention), [0.0, 0.0, 1.0]);
}

#[test]
fn a_curve_covers_at_most_six_hours() {
    let hours = 60 * 60 * 1_000;
    let curve = curve(vec![playback("a").plays(0, 7 * hours)]);
    assert_eq!(curve.buckets.len(), 4_320);
}

#[test]
fn a_quartile_is_the_share_among_plays_with_a_duration() {
    let curve = curve(vec![
        lasting("a", 100_000).plays(0, 100_000),
        lasting("b", 100_000).plays(0, 50_000),
        lasting("c", 100_000).plays(0, 24_999),
        lasting("d", 100_000).plays(70_000, 75_000),
        playback("e").plays(0, 100_000),
    ]);
    assert_eq!(
        curve.quartiles,
        [
            (25, Some(0.75)),
            (50, Some(0.75)),
            (75, Some(0.5)),
            (95, Some(0.25))
        ]
    );
}
