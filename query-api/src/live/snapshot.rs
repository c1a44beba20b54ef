//! One event of a stream and its id, and the last few of them, which those who were cut off are told first.

use std::{collections::VecDeque, fmt, str::FromStr, sync::Arc, time::Duration};

use bytes::Bytes;
use ess_schema::Position;
use poem::web::sse::Event;
use tokio::time::Instant;

use super::Look;
use crate::read::View;

/// The name of every event.
const EVENT: &str = "live";
/// The most events that are kept: with the default interval, those of the last minute.
const MOST_KEPT: usize = 30;
/// The most bytes of them; the newest is kept in any case.
const MOST_BYTES: usize = 1 << 20;

/// The id of an event: when it was asked, so that ids of two instances of the service, or of one before and after its restart, are
/// in the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LastEventId(i64);

/// Before the number, so that ids of another make can be told apart.
const VERSION: &str = "1-";

impl fmt::Display for LastEventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}{:x}", self.0)
    }
}

/// The text is no id that this service gave out.
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

/// One event, shared by all who are told it.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) id: LastEventId,
    /// As it is sent.
    pub(super) event: Bytes,
    asked: Instant,
    view: Arc<View>,
}

impl Snapshot {
    /// Whether it holds these positions.
    pub(super) fn holds(&self, positions: &[Position]) -> bool {
        self.view.holds(positions)
    }
}

/// The last events of one question, oldest first.
#[derive(Debug, Default)]
pub(super) struct Recent {
    kept: VecDeque<Arc<Snapshot>>,
    bytes: usize,
}

impl Recent {
    /// Adds one. Its id is greater than that of every one before, whatever the clock does.
    pub(super) fn add(&mut self, Look { as_of, view, body }: Look) {
        let before = self.kept.back().map_or(i64::MIN, |last| last.id.0);
        let id = LastEventId(as_of.as_millis().max(before.saturating_add(1)));
        let text = String::from_utf8_lossy(&body);
        let event = Event::message(text).event_type(EVENT).id(id.to_string());
        let event = Bytes::from(event.to_string());
        self.bytes += event.len();
        self.kept.push_back(Arc::new(Snapshot {
            id,
            event,
            asked: Instant::now(),
            view,
        }));
        while self.kept.len() > MOST_KEPT || (self.kept.len() > 1 && self.bytes > MOST_BYTES) {
            let oldest = self.kept.pop_front();
            self.bytes -= oldest.map_or(0, |oldest| oldest.event.len());
        }
    }

    /// The newest, unless it is older than `age`.
    pub(super) fn newest(&self, age: Duration) -> Option<Arc<Snapshot>> {
        let newest = self.kept.back()?;
        (newest.asked.elapsed() <= age).then(|| Arc::clone(newest))
    }

    /// The oldest that is newer than `id` and holds these positions.
    pub(super) fn next(&self, id: LastEventId, after: &[Position]) -> Option<Arc<Snapshot>> {
        let mut newer = self.kept.iter().filter(|kept| kept.id > id);
        newer.find(|kept| kept.holds(after)).cloned()
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
            recent.add(Look {
                as_of: Timestamp::from_millis(time).unwrap(),
                view: Arc::new(view(1, &[])),
                body: body.as_bytes().to_vec(),
            });
        }
        recent
    }

    #[test]
    fn an_event_is_written_as_event_sources_read_it() {
        let recent = recent([255], r#"{"playing":1}"#);
        let event = &recent.kept[0].event;
        assert_eq!(
            &event[..],
            b"id: 1-ff\nevent: live\ndata: {\"playing\":1}\n\n"
        );
        assert_eq!("1-ff".parse(), Ok(recent.kept[0].id));
        for other in ["", "ff", "2-ff", "1-", "1-x", "null"] {
            assert_eq!(other.parse::<LastEventId>(), Err(InvalidId), "{other}");
        }
    }

    #[test]
    fn what_was_missed_is_told_one_by_one_as_far_as_it_is_kept() {
        let recent = recent(1..=40, "{}");
        let after = |id| recent.next(LastEventId(id), &[]).map(|next| next.id.0);
        assert_eq!(after(20), Some(21));
        assert_eq!(after(3), Some(11), "the last thirty are kept");
        assert_eq!(after(40), None);
    }

    #[test]
    fn ids_grow_though_the_clock_goes_back() {
        let recent = recent([10, 10, 5], "{}");
        let ids: Vec<_> = recent.kept.iter().map(|kept| kept.id.0).collect();
        assert_eq!(ids, [10, 11, 12]);
    }

    #[test]
    fn large_events_are_kept_within_the_bytes() {
        let recent = recent(1..=5, &"x".repeat(MOST_BYTES / 2));
        assert_eq!(recent.kept.len(), 1);
        assert_eq!(recent.bytes, recent.kept[0].event.len());
    }
}
