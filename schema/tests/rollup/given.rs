//! Playbacks made to measure, from events as clients tell them.

use ess_schema::decode::{AcceptedShapes, ReceiveContext, decode_item};
use ess_schema::playback::{Playback, Policy};
use ess_schema::{Event, EventId, Timestamp, fold};

pub(crate) const T0: &str = "2026-11-23T10:00:00Z";

pub(crate) fn instant(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// One playback's events, one after the other.
pub(crate) struct Told {
    playback_id: String,
    user_id: String,
    begins: Timestamp,
    pub(crate) events: Vec<Event>,
}

/// Of playback `id`, of user u and track t, beginning at T0.
pub(crate) fn told(id: &str) -> Told {
    Told {
        playback_id: id.to_owned(),
        user_id: "u".to_owned(),
        begins: instant(T0),
        events: Vec::new(),
    }
}

impl Told {
    pub(crate) fn by(mut self, user_id: &str) -> Self {
        user_id.clone_into(&mut self.user_id);
        self
    }

    pub(crate) fn from(mut self, begins: &str) -> Self {
        self.begins = instant(begins);
        self
    }

    /// A command `second` seconds after the beginning; `fields` begin with a comma, or are none.
    pub(crate) fn at(mut self, second: i64, kind: &str, fields: &str) -> Self {
        let time = self.begins.plus_millis(second * 1_000);
        let (playback_id, user_id, number) = (&self.playback_id, &self.user_id, self.events.len());
        let text = format!(
            r#"{{"type":"{kind}","event_id":"{playback_id}-{number}","time":"{time}","playback_id":"{playback_id}","user_id":"{user_id}","track_id":"t"{fields}}}"#
        );
        let mut context = ReceiveContext::Request {
            received_at: time,
            generate_id: &mut || EventId::new("unused").unwrap(),
        };
        let event = decode_item(&text, AcceptedShapes::Commands, &mut context)
            .unwrap()
            .event;
        self.events.push(event);
        self
    }

    /// A stretch of the track, heard as it was played.
    pub(crate) fn plays(self, from_ms: u64, to_ms: u64) -> Self {
        let fields = format!(r#","from_ms":{from_ms},"to_ms":{to_ms}"#);
        self.at(0, "ReportProgress", &fields)
    }

    pub(crate) fn ends(self, second: i64, reason: &str) -> Self {
        self.at(
            second,
            "FinishPlayback",
            &format!(r#","reason":"{reason}""#),
        )
    }
}

/// The events of all of them.
pub(crate) fn events(told: Vec<Told>) -> Vec<Event> {
    told.into_iter().flat_map(|one| one.events).collect()
}

/// The playbacks that events make, by id, as told a day after T0.
pub(crate) fn playbacks(events: &[Event]) -> Vec<Playback> {
    let now = instant(T0).plus_millis(24 * 60 * 60 * 1_000);
    let folds = fold::fold(events);
    let aggregates = folds.iter().map(|(id, fold)| fold.aggregate(id).unwrap());
    let mut playbacks: Vec<_> = aggregates
        .map(|aggregate| Playback::new(aggregate, Policy::default(), now))
        .collect();
    playbacks.sort_by(|a, b| a.aggregate.playback_id.cmp(&b.aggregate.playback_id));
    playbacks
}
