//! Questions for pages of raw events.

use ess_schema::{EventId, EventType, PlaybackId, Source, TestId, Timestamp, TrackId, UserId};
use ess_service::problem::FieldError;

use super::cursor::{Fingerprint, Keyset};

/// The conditions that events meet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct EventFilter {
    pub(crate) playback_id: Option<PlaybackId>,
    pub(crate) user_id: Option<UserId>,
    pub(crate) track_id: Option<TrackId>,
    pub(crate) r#type: Option<EventType>,
    pub(crate) test_id: Option<TestId>,
    pub(crate) source: Option<Source>,
    /// The earliest `occurred_at`.
    pub(crate) from: Option<Timestamp>,
    /// The end of `occurred_at`, exclusive.
    pub(crate) to: Option<Timestamp>,
}

/// The start of a page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Start {
    /// The newest event.
    Newest,
    /// After this many of the newest events.
    Offset(u16),
    /// After this event.
    After(EventKey),
}

/// One page of at most `limit` events.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct EventsPage {
    pub(crate) filter: EventFilter,
    pub(crate) start: Start,
    pub(crate) limit: u16,
}

/// The sort key of `events`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct EventKey {
    pub(crate) occurred_at: Timestamp,
    pub(crate) source: Source,
    pub(crate) event_id: EventId,
}

/// Ms since the epoch (8 bytes, big-endian), the source, a NUL, the event id.
impl Keyset for EventKey {
    const LIST: &'static str = "events";

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.occurred_at.as_millis().to_be_bytes());
        bytes.extend(self.source.as_str().as_bytes());
        bytes.push(0);
        bytes.extend(self.event_id.as_str().as_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (time, rest) = bytes.split_first_chunk()?;
        let (source, event_id) = std::str::from_utf8(rest).ok()?.split_once('\0')?;
        Some(Self {
            occurred_at: Timestamp::from_millis(i64::from_be_bytes(*time)).ok()?,
            source: Source::new(source).ok()?,
            event_id: EventId::new(event_id).ok()?,
        })
    }
}

impl EventFilter {
    /// The list of the events that meet it.
    pub(crate) fn list(&self) -> Fingerprint {
        let texts = self
            .texts()
            .into_iter()
            .filter_map(|(name, text)| Some((name, text?.to_owned())));
        let times = self
            .times()
            .into_iter()
            .filter_map(|(name, time)| Some((name, time?.to_string())));
        Fingerprint::of::<EventKey>(texts.chain(times))
    }

    /// The conditions on texts, by column.
    pub(crate) fn texts(&self) -> [(&'static str, Option<&str>); 6] {
        let Self {
            playback_id,
            user_id,
            track_id,
            r#type,
            test_id,
            source,
            from: _,
            to: _,
        } = self;
        [
            ("playback_id", playback_id.as_ref().map(PlaybackId::as_str)),
            ("user_id", user_id.as_ref().map(UserId::as_str)),
            ("track_id", track_id.as_ref().map(TrackId::as_str)),
            ("type", r#type.as_ref().map(EventType::as_str)),
            ("test_id", test_id.as_ref().map(TestId::as_str)),
            ("source", source.as_ref().map(Source::as_str)),
        ]
    }

    /// The conditions on `occurred_at`.
    pub(crate) fn times(&self) -> [(&'static str, Option<Timestamp>); 2] {
        [("from", self.from), ("to", self.to)]
    }
}

impl EventsPage {
    /// Checks the parameters together.
    ///
    /// # Errors
    /// The parameter that contradicts another.
    pub(crate) fn new(filter: EventFilter, start: Start, limit: u16) -> Result<Self, FieldError> {
        if let (Some(from), Some(to)) = (filter.from, filter.to)
            && from > to
        {
            return Err(FieldError {
                pointer: "?to".to_owned(),
                detail: format!("{to} is earlier than ?from, {from}"),
                allowed: Some("?from or a later time".to_owned()),
            });
        }
        Ok(Self {
            filter,
            start,
            limit,
        })
    }

    /// The list that it is a page of.
    pub(crate) fn list(&self) -> Fingerprint {
        self.filter.list()
    }
}
