//! How much of a track its plays hear: the retention curve.

use std::collections::BTreeSet;

use super::metrics::is_play;
use super::share;
use crate::event::Event;
use crate::id::{EventId, PlaybackId, Source, TrackId};
use crate::playback::{Playback, QUARTILES};

/// The length of a bucket of media, in ms.
pub const BUCKET_MS: u64 = 5_000;
/// How much of a track is told of, in ms of media: six hours.
pub const MAX_RETENTION_MS: u64 = 6 * 60 * 60 * 1_000;

/// A stretch of a track that one event reports as played: [`from_ms`, `to_ms`) of media. As a member of a set it counts once,
/// however often its event arrives.
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

    /// How much of this media lies in it, in ms.
    fn overlap_ms(&self, from_ms: u64, to_ms: u64) -> u64 {
        let (from, to) = (self.from_ms.max(from_ms), self.to_ms.min(to_ms));
        to.saturating_sub(from)
    }
}

/// What these events report as played.
pub fn played_stretches<'e>(
    events: impl IntoIterator<Item = &'e Event>,
) -> BTreeSet<PlayedStretch> {
    events.into_iter().filter_map(PlayedStretch::of).collect()
}

/// Five seconds of a track's media.
#[derive(Debug, Clone, PartialEq)]
pub struct RetentionBucket {
    /// Where it begins, in ms of media.
    pub from_ms: u64,
    /// The share of the plays that heard any of it.
    pub retention: f64,
    /// How often a play heard it on average, of its length: more than 1 where it is heard again and again. The last bucket of a track
    /// is as long as the track leaves it; one past a length that was told too short is whole.
    pub replays: f64,
    /// The share of the plays that heard the bucket before it (of all plays, for the first) less that of those that heard this.
    pub drop_off: f64,
}

/// The retention curve of a track.
#[derive(Debug, Clone, PartialEq)]
pub struct Retention {
    /// Playbacks of the track with any listening time.
    pub plays: u64,
    /// The track's length, the greatest that any of them gives; none when none does.
    pub track_duration_ms: Option<u64>,
    /// For each of [`QUARTILES`] the share of plays that reached it, of those that know the track's length; none without such.
    pub quartiles: Vec<(u8, Option<f64>)>,
    /// From the beginning of the track to the last bucket that anybody heard; none beyond [`MAX_RETENTION_MS`].
    pub buckets: Vec<RetentionBucket>,
}

/// The retention curve of `track_id` by those of `playbacks` that are of it.
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
        let share = share(reached.count() as u64, measured().count() as u64);
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
        let Some(retention) = share(hearers.len() as u64, plays) else {
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
