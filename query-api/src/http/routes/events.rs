//! GET /events: the raw events, newest first.

use ess_schema::{EventType, PlaybackId, Source, TestId, Timestamp, TrackId, UserId};
use ess_service::problem::{FieldError, Problem};
use poem_openapi::registry::{MetaMediaType, Registry};

use crate::{
    http::{
        arguments::arguments,
        bodies,
        cached_read::CachedRead,
        document::{DocumentedProblem, PROBLEMS_OF_MANY},
        operation::{Entry, Tag},
        parameter_errors::ParameterErrors,
        parameters::{Limit, Offset},
        reader::Reader,
        wire,
    },
    question::{
        Cursor, EventFilter, EventsPage, Fingerprint, Format, InvalidCursor, Question, Start,
    },
    read::{Content, Generation, Page},
};

/// The operation.
pub(crate) struct ListEvents;

arguments! {
    /// Its arguments.
    pub(crate) struct EventsArguments {
        /// Only events of this playback.
        Query playback_id: PlaybackId,
        /// Only events of this user.
        Query user_id: UserId,
        /// Only events of this track.
        Query track_id: TrackId,
        /// Only events of this type.
        Query r#type: EventType,
        /// Only events of this test run.
        Query test_id: TestId,
        /// Only events from this source.
        Query source: Source,
        /// Only events that occurred at this time or later.
        Query from: Timestamp,
        /// Only events that occurred before this time.
        Query to: Timestamp,
        /// The maximum number of events on a page.
        Query limit: Limit,
        /// How many of the newest events to skip. `cursor` reaches further; it cannot be combined with `offset`.
        Query offset: Offset,
        /// The cursor of a `Link` header; the conditions must be those of the page that had the header.
        Query cursor: Cursor,
    }
}

impl CachedRead for ListEvents {
    const ENTRY: Entry = Entry {
        path: "/events",
        id: "listEvents",
        tag: Tag::Events,
        summary: "List raw events, newest first",
        description: "Each distinct event once, however often it was sent. The `Link` header leads to the next page; its cursor stays valid while events arrive. Conditions are combined with AND. `Accept` chooses JSON, NDJSON, CSV or Parquet.",
    };
    type Arguments = EventsArguments;
    const FORMATS: &'static [Format] = &Format::ALL;
    const SUCCESS: &'static str = "One page of events, newest first by occurred_at. A page may have fewer events than `limit`, even none, although more follow: only the `Link` header says so";
    const PAGED: bool = true;
    const PROBLEMS: &'static [DocumentedProblem] = PROBLEMS_OF_MANY;

    fn bodies() -> Vec<MetaMediaType> {
        bodies::documented_events()
    }

    fn register(registry: &mut Registry) {
        wire::register::<wire::Event>(registry);
    }

    fn question(
        arguments: EventsArguments,
        format: Format,
        errors: &mut ParameterErrors,
    ) -> Option<Question> {
        let EventsArguments {
            playback_id,
            user_id,
            track_id,
            r#type,
            test_id,
            source,
            from,
            to,
            limit,
            offset,
            cursor,
        } = arguments;
        let filter = EventFilter {
            playback_id,
            user_id,
            track_id,
            r#type,
            test_id,
            source,
            from,
            to,
        };
        // While a condition is invalid, the list is unknown, and with it whether the cursor belongs to it.
        let list = errors.is_empty().then(|| filter.list());
        let start = errors.check(start(offset, cursor, list))?;
        let Limit(limit) = limit.unwrap_or_default();
        let page = errors.check(EventsPage::new(filter, start, limit))?;
        Some(Question::Events(page, format))
    }
}

fn start(
    offset: Option<Offset>,
    cursor: Option<Cursor>,
    list: Option<Fingerprint>,
) -> Result<Start, FieldError> {
    match (offset, cursor, list) {
        (Some(_), Some(_), _) => Err(FieldError {
            pointer: "?offset".to_owned(),
            detail: "cannot be combined with ?cursor".to_owned(),
            allowed: Some("one of the two".to_owned()),
        }),
        (Some(Offset(offset)), None, _) => Ok(Start::Offset(offset)),
        (None, Some(cursor), Some(list)) => {
            let key = cursor.key(list).map_err(InvalidCursor::of_parameter)?;
            Ok(Start::After(key))
        }
        (None, ..) => Ok(Start::Newest),
    }
}

impl Reader {
    /// One page of events in a generation.
    pub(crate) async fn page_of_events(
        &self,
        generation: u32,
        page: &EventsPage,
        format: Format,
    ) -> Result<Content, Problem> {
        let rows = Generation {
            read_model: &self.read_model,
            number: generation,
        };
        let Page { events, next } = page.read(&rows).await?;
        Ok(Content {
            next: next.map(|key| Cursor::new(page.list(), &key)),
            ..self.open(bodies::events(events, format)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use ess_schema::EventId;

    use super::*;
    use crate::question::EventKey;

    fn key() -> EventKey {
        EventKey {
            occurred_at: Timestamp::parse_rfc3339("2026-11-23T10:00:00Z").unwrap(),
            source: Source::command_api(),
            event_id: EventId::new("e1").unwrap(),
        }
    }

    #[test]
    fn an_offset_and_a_cursor_contradict_each_other() {
        let list = EventFilter::default().list();
        let cursor = || Some(Cursor::new(list, &key()));
        let start = |offset, cursor| start(offset, cursor, Some(list));
        assert_eq!(
            start(Some(Offset(1)), cursor()).unwrap_err().pointer,
            "?offset"
        );
        assert_eq!(start(None, cursor()), Ok(Start::After(key())));
        assert_eq!(start(None, None), Ok(Start::Newest));
    }

    #[test]
    fn a_cursor_is_valid_only_under_the_conditions_of_its_page() {
        let filter = EventFilter {
            user_id: UserId::new("u").ok(),
            ..EventFilter::default()
        };
        let cursor = || Some(Cursor::new(filter.list(), &key()));
        let elsewhere = start(None, cursor(), Some(EventFilter::default().list())).unwrap_err();
        assert_eq!(elsewhere.pointer, "?cursor");
        // The invalid condition is reported, not that the cursor lacks it.
        assert!(start(None, cursor(), None).is_ok());
    }
}
