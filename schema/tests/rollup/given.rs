//! Builds playbacks for tests, from commands as clients send them.

use ess_schema::decode::{AcceptedShapes, ReceiveContext, decode_item};
use ess_schema::playback::{Playback, Policy};
use ess_schema::{Event, EventId, Timestamp, fold};

pub(crate) const T0: &str = "2026-11-23T10:00:00Z";

pub(crate) fn instant(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// Builds the events of one playback, in order.
pub(crate) struct PlaybackBuilder {
    playback_id: String,
    user_id: String,
    start: Timestamp,
    pub(crate) events: Vec<Event>,
}

/// A playback of user u and track t that starts at T0.
pub(crate) fn playback(id: &str) -> PlaybackBuilder {
    PlaybackBuilder {
        playback_id: id.to_owned(),
        user_id: "u".to_owned(),
        start: instant(T0),
        events: Vec::new(),
    }
}

impl PlaybackBuilder {
    pub(crate) fn by(mut self, user_id: &str) -> Self {
        user_id.clone_into(&mut self.user_id);
        self
    }

    pub(crate) fn from(mut self, start: &str) -> Self {
        self.start = instant(start);
        self
    }

    /// Adds a command `second` seconds after the start. `fields` start with a comma or are empty.
    pub(crate) fn at(mut self, second: i64, kind: &str, fields: &str) -> Self {
        let time = self.start.plus_millis(second * 1_000);
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

    /// Adds a played stretch.
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

/// The events of all builders.
pub(crate) fn events(builders: Vec<PlaybackBuilder>) -> Vec<Event> {
    builders
        .into_iter()
        .flat_map(|builder| builder.events)
        .collect()
}

/// The playbacks of these events, by id, a day after T0.
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
