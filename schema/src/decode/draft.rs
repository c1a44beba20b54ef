//! A draft of an event: the fields that a shape fills, and the rules that make it an [`Event`].

use super::ReceiveContext;
use crate::event::{CURRENT_VERSION, Content, Event, EventData, EventKind};
use crate::id::{EventId, PlaybackId, Source, TestId};
use crate::time::Timestamp;
use crate::violation::Violation;

/// The fields of one item, before the common rules are checked.
pub(super) struct Draft {
    pub(super) id: Option<EventId>,
    pub(super) source: Source,
    pub(super) playback_id: Option<PlaybackId>,
    pub(super) time: Option<Timestamp>,
    pub(super) ingest_time: Option<Timestamp>,
    pub(super) schemaversion: u16,
    pub(super) test_id: Option<TestId>,
    /// The kind of a playback event, even if its data is invalid.
    pub(super) kind: Option<EventKind>,
    pub(super) data: Option<EventData>,
    pub(super) content: Content,
    pub(super) extensions: Vec<(String, String)>,
    pub(super) pointers: Pointers,
    pub(super) violations: Vec<Violation>,
}

/// The pointers of the common fields in a shape.
#[derive(Clone, Copy)]
pub(super) struct Pointers {
    pub(super) id: &'static str,
    pub(super) playback_id: &'static str,
    pub(super) time: &'static str,
}

impl Draft {
    pub(super) fn new(source: Source, pointers: Pointers) -> Self {
        Self {
            id: None,
            source,
            playback_id: None,
            time: None,
            ingest_time: None,
            schemaversion: CURRENT_VERSION,
            test_id: None,
            kind: None,
            data: None,
            content: Content::default(),
            extensions: Vec::new(),
            pointers,
            violations: Vec::new(),
        }
    }

    /// The event, or all violations of the item.
    pub(super) fn assemble(
        mut self,
        context: &mut ReceiveContext<'_>,
    ) -> Result<Event, Vec<Violation>> {
        let ingest_time = match context {
            ReceiveContext::Request { received_at, .. } => *received_at,
            ReceiveContext::Kafka { timestamp } => self.ingest_time.unwrap_or(*timestamp),
        };
        let occurred_at = self.time.unwrap_or(ingest_time);
        if let Err(violation) = occurred_at.within_window_of(ingest_time, self.pointers.time) {
            self.violations.push(violation);
        }
        let id = self.resolve_id(context);
        self.resolve_playback_id(id.as_ref());
        match (id, self.data) {
            (Some(id), Some(data)) if self.violations.is_empty() => Ok(Event {
                id,
                source: self.source,
                playback_id: self.playback_id,
                occurred_at,
                ingest_time,
                schemaversion: self.schemaversion,
                test_id: self.test_id,
                data,
                content: self.content,
                extensions: self.extensions,
            }),
            _ => Err(self.violations),
        }
    }

    fn resolve_id(&mut self, context: &mut ReceiveContext<'_>) -> Option<EventId> {
        let pointer = self.pointers.id;
        let refused = self.violations.iter().any(|v| v.pointer == pointer);
        match (self.id.take(), context) {
            (Some(id), _) => Some(id),
            (None, _) if refused => None,
            (None, ReceiveContext::Request { generate_id, .. }) => Some(generate_id()),
            (None, ReceiveContext::Kafka { .. }) => {
                let violation = Violation::new(pointer, "is missing", EventId::ALLOWED);
                self.violations.push(violation);
                None
            }
        }
    }

    /// A playback event needs a playback id. A Recorded event without one takes its event id.
    fn resolve_playback_id(&mut self, id: Option<&EventId>) {
        let pointer = self.pointers.playback_id;
        if self.playback_id.is_some() || self.violations.iter().any(|v| v.pointer == pointer) {
            return;
        }
        match self.kind {
            Some(EventKind::Recorded) => self.playback_id = id.cloned().map(PlaybackId::from),
            Some(_) => {
                let violation = Violation::new(pointer, "is missing", PlaybackId::ALLOWED);
                self.violations.push(violation);
            }
            None => {}
        }
    }
}
