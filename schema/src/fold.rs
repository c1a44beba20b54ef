//! The pure fold of events into the aggregate of a playback, by definition (DESIGN §4). It is the oracle of every projector and
//! query test, so it favours plainness over speed. A join-semilattice: any order, repetition or grouping of the same events
//! gives the same state.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::event::{EndReason, Event, EventData, EventKind, PlayState};
use crate::id::{EventId, PlaybackId, Source, TestId, TrackId, UserId};
use crate::playback::{Aggregate, Dimensions, Ending};
use crate::time::Timestamp;

/// An event's identity.
type Identity = (EventId, Source);

/// An attribute of the earliest event that carries it: the least (occurred_at, event id, source, value).
type Earliest<T> = Option<(Timestamp, EventId, Source, T)>;

/// The folded events of one playback.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlaybackFold {
    user_id: Earliest<UserId>,
    /// Preceded by the user of the same event.
    track_id: Earliest<(Option<UserId>, TrackId)>,
    texts: BTreeMap<&'static str, (Timestamp, EventId, Source, String)>,
    test_id: Earliest<TestId>,
    startup_ms: Earliest<u64>,
    started_at: Option<Timestamp>,
    times: BTreeSet<Timestamp>,
    ending: Option<(Timestamp, EventId, Source, &'static str)>,
    state: Option<(Timestamp, Option<u32>, EventId, Source, &'static str)>,
    played: BTreeMap<Identity, u64>,
    paused: BTreeMap<Identity, u64>,
    stalled: BTreeMap<Identity, u64>,
    stretches: BTreeSet<(u64, u64)>,
    max_position_ms: Option<u64>,
    track_duration_ms: Option<u64>,
    events: BTreeSet<Identity>,
    counted: BTreeSet<(EventKind, Identity)>,
    seqs: BTreeSet<u32>,
}

impl PlaybackFold {
    /// Adds one event.
    pub fn apply(&mut self, event: &Event) {
        let identity = (event.id.clone(), event.source.clone());
        self.events.insert(identity.clone());
        self.times.insert(event.occurred_at);
        if let Some(kind) = event.data.kind() {
            self.counted.insert((kind, identity.clone()));
        }
        self.apply_attributes(event);
        self.apply_measures(event, &identity);
        self.apply_lifecycle(event);
    }

    fn apply_attributes(&mut self, event: &Event) {
        if let Some(play) = event.data.play() {
            self.apply_names(event, Some(&play.user_id), Some(&play.track_id));
            self.seqs.extend(play.seq);
        }
        if let EventData::Custom(custom) = &event.data {
            self.apply_names(event, custom.user_id.as_ref(), custom.track_id.as_ref());
        }
        earliest(&mut self.test_id, event, event.test_id.as_ref());
        if let EventData::Started(started) = &event.data {
            earliest(&mut self.startup_ms, event, started.startup_ms.as_ref());
            let texts = [
                ("device", &started.device),
                ("platform", &started.platform),
                ("app_version", &started.app_version),
                ("country", &started.country),
                ("plan", &started.plan),
                ("context", &started.context),
            ];
            for (name, value) in texts {
                let mut slot = self.texts.remove(name);
                earliest(&mut slot, event, value.as_ref());
                self.texts.extend(slot.map(|text| (name, text)));
            }
        }
    }

    /// Of two messages with one identity and time, the lesser (user, track) wins.
    fn apply_names(&mut self, event: &Event, user: Option<&UserId>, track: Option<&TrackId>) {
        earliest(&mut self.user_id, event, user);
        let track = track.map(|track| (user.cloned(), track.clone()));
        earliest(&mut self.track_id, event, track.as_ref());
    }

    fn apply_measures(&mut self, event: &Event, identity: &Identity) {
        greater(&mut self.played, identity, event.data.played_ms());
        let (paused, stalled) = match &event.data {
            EventData::Resumed(e) => (e.paused_ms.unwrap_or(0), 0),
            EventData::Stalled(e) => (0, e.stalled_ms),
            _ => (0, 0),
        };
        greater(&mut self.paused, identity, paused);
        greater(&mut self.stalled, identity, stalled);
        let stretch = event.data.stretch();
        self.stretches.extend(stretch);
        let end = stretch.map(|(_, to)| to);
        self.max_position_ms = self.max_position_ms.max(end).max(event.data.position_ms());
        self.track_duration_ms = self.track_duration_ms.max(event.data.track_duration_ms());
    }

    fn apply_lifecycle(&mut self, event: &Event) {
        let (at, id, source) = (event.occurred_at, &event.id, &event.source);
        if let EventData::Started(_) | EventData::Recorded(_) = &event.data {
            self.started_at = Some(self.started_at.map_or(at, |known| known.min(at)));
        }
        if let EventData::Finished(finished) = &event.data {
            let ending = (at, id.clone(), source.clone(), finished.reason.as_str());
            self.ending = self.ending.take().max(Some(ending));
        }
        if let Some(state) = event.data.state() {
            let seq = event.data.play().and_then(|play| play.seq);
            let state = (at, seq, id.clone(), source.clone(), state.as_str());
            self.state = self.state.take().max(Some(state));
        }
    }

    /// The aggregate of the playback, `None` if no event was applied.
    pub fn aggregate(&self, playback_id: &PlaybackId) -> Option<Aggregate> {
        let count = |kind| self.counted.iter().filter(|(k, _)| *k == kind).count() as u64;
        Some(Aggregate {
            playback_id: playback_id.clone(),
            dimensions: self.dimensions(),
            started_at: self.started_at,
            first_event_at: *self.times.first()?,
            last_event_at: *self.times.last()?,
            ending: self.ending.as_ref().and_then(|(at, _, _, reason)| {
                let reason = EndReason::from_name(reason)?;
                Some(Ending { at: *at, reason })
            }),
            played_ms: self.played.values().sum(),
            unique_ms: union_length(&self.stretches),
            max_position_ms: self.max_position_ms,
            track_duration_ms: self.track_duration_ms,
            paused_ms: self.paused.values().sum(),
            stalled_ms: self.stalled.values().sum(),
            pause_count: count(EventKind::Paused),
            stall_count: count(EventKind::Stalled),
            seek_count: count(EventKind::Seeked),
            failure_count: count(EventKind::Failed),
            event_count: self.events.len() as u64,
            max_seq: self.seqs.last().copied(),
            distinct_seqs: self.seqs.len() as u64,
            state: self.state.as_ref().and_then(|s| PlayState::from_name(s.4)),
            ingest_to_store_ms: None,
        })
    }

    fn dimensions(&self) -> Dimensions {
        let text = |name| self.texts.get(name).map(|found| found.3.clone());
        Dimensions {
            user_id: value(self.user_id.as_ref()),
            track_id: value(self.track_id.as_ref()).map(|(_, track)| track),
            device: text("device"),
            platform: text("platform"),
            app_version: text("app_version"),
            country: text("country"),
            plan: text("plan"),
            context: text("context"),
            test_id: value(self.test_id.as_ref()),
            startup_ms: value(self.startup_ms.as_ref()),
        }
    }
}

fn value<T: Clone>(slot: Option<&(Timestamp, EventId, Source, T)>) -> Option<T> {
    slot.map(|found| found.3.clone())
}

fn earliest<T: Ord + Clone>(slot: &mut Earliest<T>, event: &Event, value: Option<&T>) {
    let Some(value) = value else { return };
    let found = (
        event.occurred_at,
        event.id.clone(),
        event.source.clone(),
        value.clone(),
    );
    *slot = Some(match slot.take() {
        Some(known) => known.min(found),
        None => found,
    });
}

/// Of two messages with one identity, a measure takes the greater value.
fn greater(map: &mut BTreeMap<Identity, u64>, identity: &Identity, value: u64) {
    if value > 0 {
        let known = map.entry(identity.clone()).or_default();
        *known = value.max(*known);
    }
}

/// The length of the union of half-open intervals.
fn union_length(intervals: &BTreeSet<(u64, u64)>) -> u64 {
    let mut length = 0;
    let mut covered_to = 0;
    for &(from, to) in intervals {
        length += to.saturating_sub(from.max(covered_to));
        covered_to = covered_to.max(to);
    }
    length
}

/// Folds events into playbacks. Ignores events without a playback.
pub fn fold<'e>(events: impl IntoIterator<Item = &'e Event>) -> HashMap<PlaybackId, PlaybackFold> {
    let mut playbacks: HashMap<PlaybackId, PlaybackFold> = HashMap::new();
    for event in events {
        if let Some(playback_id) = &event.playback_id {
            playbacks
                .entry(playback_id.clone())
                .or_default()
                .apply(event);
        }
    }
    playbacks
}
