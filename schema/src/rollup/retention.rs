//! The retention curve of a track: how much of it its plays hear.

use std::collections::BTreeSet;

use super::metrics::is_play;
use super::ratio;
use crate::event::Event;
use crate::id::{EventId, PlaybackId, Source, TrackId};
use crate::playback::{Playback, QUARTILES};

/// The length of a bucket, in ms of media.
pub const BUCKET_MS: u64 = 5_000;
/// The maximum length of a curve, in ms of media: six hours.
pub const MAX_RETENTION_MS: u64 = 6 * 60 * 60 * 1_000;

/// A stretch of a track that one event reports as played: [`from_ms`, `to_ms`) of media. In a set, a repeated event adds
/// nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "named as the event's fields they come from")]
pub struct PlayedStretch {
    pub track_id: TrackId,
    pub playback_id: PlaybackId,
    pub event_id: EventId,
    pub source: Source,
    pub from_ms: u64,
    pub to_ms: u64,
}

impl PlayedStretch {
    fn of(event: &Event) -> Option<Self> {
        let (from_ms, to_ms) = event.data.stretch().filter(|(from, to)| from < to)?;
        Some(Self {
            track_id: event.data.play()?.track_id.clone(),
            playback_id: event.playback_id.clone()?,
            event_id: event.id.clone(),
            source: event.source.clone(),
            from_ms,
            to_ms,
        })
    }

    /// The overlap with [`from_ms`, `to_ms`), in ms.
    fn overlap_ms(&self, from_ms: u64, to_ms: u64) -> u64 {
        let (from, to) = (self.from_ms.max(from_ms), self.to_ms.min(to_ms));
        to.saturating_sub(from)
    }
}

/// The stretches that these events report as played.
pub fn played_stretches<'e>(
    events: impl IntoIterator<Item = &'e Event>,
) -> BTreeSet<PlayedStretch> {
    events.into_iter().filter_map(PlayedStretch::of).collect()
}

/// Five seconds of a track's media.
#[derive(Debug, Clone, PartialEq)]
pub struct RetentionBucket {
    /// Its start, in ms of media.
    pub from_ms: u64,
    /// The share of the plays that heard any part of the bucket.
    pub retention: f64,
    /// Average listening time of a play in the bucket ÷ the length of the bucket: above 1 where plays repeat it. The last bucket of
    /// a track ends with the track; a bucket past a reported duration that is too short has the full length.
    pub replays: f64,
    /// Retention of the bucket before (1 for the first bucket) minus retention of this one.
    pub drop_off: f64,
}

/// The retention curve of a track.
#[derive(Debug, Clone, PartialEq)]
pub struct Retention {
    /// Playbacks of the track with listening time.
    pub plays: u64,
    /// The greatest track duration of the plays; `None` if no play has one.
    pub track_duration_ms: Option<u64>,
    /// For each of [`QUARTILES`], the share of the plays that reached it, among the plays with a duration; `None` without such plays.
    pub quartiles: Vec<(u8, Option<f64>)>,
    /// The buckets from the start of the track to the last one that a play heard, up to [`MAX_RETENTION_MS`].
    pub buckets: Vec<RetentionBucket>,
}

/// The retention curve of `track_id`. Playbacks of other tracks are ignored.
pub fn retention(
    track_id: &TrackId,
    playbacks: &[&Playback],
    stretches: &BTreeSet<PlayedStretch>,
) -> Retention {
    let is_of_track = |p: &Playback| p.aggregate.dimensions.track_id.as_ref() == Some(track_id);
    let plays: Vec<&Playback> = playbacks
        .iter()
        .copied()
        .filter(|p| is_of_track(p) && is_play(p))
        .collect();
    let ids: BTreeSet<&PlaybackId> = plays.iter().map(|p| &p.aggregate.playback_id).collect();
    let heard: Vec<&PlayedStretch> = stretches
        .iter()
        .filter(|s| s.track_id == *track_id && ids.contains(&s.playback_id))
        .collect();
    let durations = plays.iter().filter_map(|p| p.aggregate.track_duration_ms);
    let track_duration_ms = durations.max();
    Retention {
        plays: plays.len() as u64,
        track_duration_ms,
        quartiles: quartiles(&plays),
        buckets: buckets(plays.len() as u64, &heard, track_duration_ms),
    }
}

fn quartiles(plays: &[&Playback]) -> Vec<(u8, Option<f64>)> {
    let is_measured = |p: &&&Playback| p.aggregate.track_duration_ms.is_some_and(|ms| ms > 0);
    let measured = || plays.iter().filter(is_measured);
    let each = QUARTILES.into_iter().map(|percent| {
        let reached = measured().filter(|p| p.quartiles.contains(&percent));
        let share = ratio(reached.count() as u64, measured().count() as u64);
        (percent, share)
    });
    each.collect()
}

fn buckets(
    plays: u64,
    heard: &[&PlayedStretch],
    track_duration_ms: Option<u64>,
) -> Vec<RetentionBucket> {
    let furthest = heard.iter().map(|s| s.to_ms.min(MAX_RETENTION_MS)).max();
    let mut before = 1.0;
    let mut buckets = Vec::new();
    for from_ms in (0..furthest.unwrap_or_default()).step_by(BUCKET_MS as usize) {
        let overlap = |s: &PlayedStretch| s.overlap_ms(from_ms, from_ms + BUCKET_MS);
        let touching = || heard.iter().filter(|s| overlap(s) > 0);
        let hearers: BTreeSet<&PlaybackId> = touching().map(|s| &s.playback_id).collect();
        let heard_ms: u64 = touching().map(|s| overlap(s)).sum();
        let left = track_duration_ms.map(|duration| duration.saturating_sub(from_ms));
        let length = left.filter(|left| (1..BUCKET_MS).contains(left));
        let Some(retention) = ratio(hearers.len() as u64, plays) else {
            break;
        };
        buckets.push(RetentionBucket {
            from_ms,
            retention,
            replays: heard_ms as f64 / (length.unwrap_or(BUCKET_MS) * plays) as f64,
            drop_off: before - retention,
        });
        before = retention;
    }
    buckets
}
