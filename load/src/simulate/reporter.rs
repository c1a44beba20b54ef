//! Turns what happens in a playback into events with ids, a running `seq`, and the content that a client would send. Never decides
//! what happens.

use ess_schema::event::{CURRENT_VERSION, Content, CustomEvent, Event, EventData, Play};
use ess_schema::{EventType, PlaybackId, Source, TestId, Timestamp, TrackId, UserId};
use serde::Serialize;

use super::ids::PlaybackIds;

/// Collects the facts of one playback.
#[derive(Debug)]
pub(super) struct Reporter {
    ids: PlaybackIds,
    playback_id: PlaybackId,
    user_id: UserId,
    track_id: TrackId,
    test_id: Option<TestId>,
    /// The `seq` of the next playback event; custom events have none.
    seq: u32,
    facts: Vec<Event>,
}

impl Reporter {
    pub(super) fn new(
        ids: PlaybackIds,
        playback_id: PlaybackId,
        (user_id, track_id): (UserId, TrackId),
        test_id: Option<TestId>,
    ) -> Self {
        Self {
            ids,
            playback_id,
            user_id,
            track_id,
            test_id,
            seq: 0,
            facts: Vec::with_capacity(24),
        }
    }

    pub(super) fn into_facts(self) -> Vec<Event> {
        self.facts
    }

    /// Reports a playback event.
    pub(super) fn report(&mut self, at: Timestamp, data: impl FnOnce(Play) -> EventData) {
        let play = self.play(Some(self.seq));
        self.seq += 1;
        self.push_playback_event(at, data(play));
    }

    /// Reports a playback event of a client that sends no `seq`.
    pub(super) fn report_without_seq(
        &mut self,
        at: Timestamp,
        data: impl FnOnce(Play) -> EventData,
    ) {
        let play = self.play(None);
        self.push_playback_event(at, data(play));
    }

    /// Reports a custom event; `name` matches [`EventType::ALLOWED`].
    pub(super) fn report_custom(&mut self, at: Timestamp, name: &str, content: &serde_json::Value) {
        #[expect(clippy::expect_used, reason = "the simulator's own names are letters")]
        let name = EventType::new(name).expect("an event name");
        let data = EventData::Custom(CustomEvent {
            name,
            user_id: Some(self.user_id.clone()),
            track_id: Some(self.track_id.clone()),
        });
        self.push(at, data, Content::json(content.to_string()));
    }

    fn play(&self, seq: Option<u32>) -> Play {
        Play {
            user_id: self.user_id.clone(),
            track_id: self.track_id.clone(),
            seq,
        }
    }

    fn push_playback_event(&mut self, at: Timestamp, data: EventData) {
        let content = Content::json(json(&data));
        self.push(at, data, content);
    }

    fn push(&mut self, at: Timestamp, data: EventData, content: Content) {
        self.facts.push(Event {
            id: self.ids.event(self.facts.len() as u32),
            source: Source::command_api(),
            playback_id: Some(self.playback_id.clone()),
            occurred_at: at,
            ingest_time: at,
            schemaversion: CURRENT_VERSION,
            test_id: self.test_id.clone(),
            data,
            content,
            extensions: Vec::new(),
        });
    }
}

fn json(data: &impl Serialize) -> String {
    #[expect(
        clippy::expect_used,
        reason = "structs of strings, numbers and booleans always serialise"
    )]
    serde_json::to_string(data).expect("JSON")
}
