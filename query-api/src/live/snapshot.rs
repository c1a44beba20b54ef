//! One event of a stream with its id, and the last few events, which clients that reconnect get first.

use std::{collections::VecDeque, fmt, str::FromStr, sync::Arc, time::Duration};

use bytes::Bytes;
use ess_schema::Position;
use poem::web::sse::Event;
use tokio::time::Instant;

use super::LiveState;
use crate::read::View;

/// The name of every event.
const EVENT: &str = "live";
/// The maximum number of retained events: with the default interval, those of the last minute.
const MAX_EVENTS: usize = 30;
/// The maximum number of their bytes; the newest event is always retained.
const MAX_BYTES: usize = 1 << 20;

/// The id of an event: the time of its query, so that ids of two instances of the service, or of one before and after a restart, have
/// the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LastEventId(i64);

/// The prefix of ids of this format.
const VERSION: &str = "1-";

impl fmt::Display for LastEventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}{:x}", self.0)
    }
}

/// The text is not an id of this service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InvalidId;

impl FromStr for LastEventId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let number = text.strip_prefix(VERSION).ok_or(InvalidId)?;
        let number = i64::from_str_radix(number, 16).map_err(|_| InvalidId)?;
        Ok(Self(number))
    }
}

/// One event, shared by all subscribers.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) id: LastEventId,
    /// The bytes to send.
    pub(super) event: Bytes,
    created: Instant,
    view: Arc<View>,
}

impl Snapshot {
    /// Whether it includes these positions.
    pub(super) fn includes(&self, positions: &[Position]) -> bool {
        self.view.holds(positions)
    }
}

/// The retained events of one question, oldest first.
#[derive(Debug, Default)]
pub(super) struct Recent {
    events: VecDeque<Arc<Snapshot>>,
    bytes: usize,
}

impl Recent {
    /// Adds an event. Its id is greater than that of every event before, even if the clock goes back.
    pub(super) fn add(&mut self, LiveState { as_of, view, body }: LiveState) {
        let before = self.events.back().map_or(i64::MIN, |last| last.id.0);
        let id = LastEventId(as_of.as_millis().max(before.saturating_add(1)));
        let text = String::from_utf8_lossy(&body);
        let event = Event::message(text).event_type(EVENT).id(id.to_string());
        let event = Bytes::from(event.to_string());
        self.bytes += event.len();
        self.events.push_back(Arc::new(Snapshot {
            id,
            event,
            created: Instant::now(),
            view,
        }));
        while self.events.len() > MAX_EVENTS || (self.events.len() > 1 && self.bytes > MAX_BYTES) {
            let oldest = self.events.pop_front();
            self.bytes -= oldest.map_or(0, |oldest| oldest.event.len());
        }
    }

    /// The newest event, unless it is older than `age`.
    pub(super) fn newest(&self, age: Duration) -> Option<Arc<Snapshot>> {
        let newest = self.events.back()?;
        (newest.created.elapsed() <= age).then(|| Arc::clone(newest))
    }

    /// The oldest event that is newer than `id` and includes these positions.
    pub(super) fn next(&self, id: LastEventId, after: &[Position]) -> Option<Arc<Snapshot>> {
        let mut newer = self.events.iter().filter(|event| event.id > id);
        newer.find(|event| event.includes(after)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use ess_schema::Timestamp;

    use super::*;
    use crate::read::view;

    fn recent(times: impl IntoIterator<Item = i64>, body: &str) -> Recent {
        let mut recent = Recent::default();
        for time in times {
            recent.add(LiveState {
                as_of: Timestamp::from_millis(time).unwrap(),
                view: Arc::new(view(1, &[])),
                body: body.as_bytes().to_vec(),
            });
        }
        recent
    }

    #[test]
    fn an_event_has_the_format_of_server_sent_events() {
        let recent = recent([255], r#"{"playing":1}"#);
        let event = &recent.events[0].event;
        assert_eq!(
            &event[..],
            b"id: 1-ff\nevent: live\ndata: {\"playing\":1}\n\n"
        );
        assert_eq!("1-ff".parse(), Ok(recent.events[0].id));
        for other in ["", "ff", "2-ff", "1-", "1-x", "null"] {
            assert_eq!(other.parse::<LastEventId>(), Err(InvalidId), "{other}");
        }
    }

    #[test]
    fn missed_events_are_found_one_by_one_as_far_as_they_are_retained() {
        let recent = recent(1..=40, "{}");
        let after = |id| recent.next(LastEventId(id), &[]).map(|next| next.id.0);
        assert_eq!(after(20), Some(21));
        assert_eq!(after(3), Some(11), "the last thirty are retained");
        assert_eq!(after(40), None);
    }

    #[test]
    fn ids_grow_even_if_the_clock_goes_back() {
        let recent = recent([10, 10, 5], "{}");
        let ids: Vec<_> = recent.events.iter().map(|event| event.id.0).collect();
        assert_eq!(ids, [10, 11, 12]);
    }

    #[test]
    fn large_events_are_retained_within_the_byte_limit() {
        let recent = recent(1..=5, &"x".repeat(MAX_BYTES / 2));
        assert_eq!(recent.events.len(), 1);
        assert_eq!(recent.bytes, recent.events[0].event.len());
    }
}
