//! An event being read: what a shape found, and the rules that turn it into an [`Event`].

use super::ReceiveContext;
use crate::event::{CURRENT_VERSION, Content, Event, EventData, EventKind};
use crate::id::{EventId, PlaybackId, Source, TestId};
use crate::time::Timestamp;
use crate::violation::Violation;

/// What one item says of itself, and where violations of the common rules point.
pub(super) struct Draft {
    pub(super) id: Option<EventId>,
    pub(super) source: Source,
    pub(super) playback_id: Option<PlaybackId>,
    pub(super) time: Option<Timestamp>,
    pub(super) ingest_time: Option<Timestamp>,
    pub(super) schemaversion: u16,
    pub(super) test_id: Option<TestId>,
    /// Which playback event it claims to be, readable or not.
    pub(super) kind: Option<EventKind>,
    pub(super) data: Option<EventData>,
    pub(super) content: Content,
    pub(super) extensions: Vec<(String, String)>,
    pub(super) pointers: Pointers,
    pub(super) violations: Vec<Violation>,
}

/// The names a shape has for the common fields.
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

    /// The event, or everything that is wrong with the item.
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
        let id = self.identify(context);
        self.place(id.as_ref());
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

    fn identify(&mut self, context: &mut ReceiveContext<'_>) -> Option<EventId> {
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

    /// A playback event belongs to a playback; one told after the fact may be its own.
    fn place(&mut self, id: Option<&EventId>) {
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
