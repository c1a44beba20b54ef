//! GET /events: the raw events, newest first, each distinct one once.

use std::sync::Arc;

use ess_schema::{EventType, PlaybackId, Source, TestId, Timestamp, TrackId, UserId};
use ess_service::problem::{FieldError, Problem};
use poem::{Request, web::Accept};
use poem_openapi::{
    OpenApi,
    param::{Header, Query},
    registry::{MetaMediaType, Registry},
};

use super::list::{body, list_of_events, next_page};
use crate::{
    http::{
        answer::{Answer, Document},
        parameters::{After, Limit, Offset, Param, Refused},
        reader::Reader,
        wire,
    },
    question::{
        Cursor, EventFilter, EventsPage, Fingerprint, Format, InvalidCursor, Question, Start,
    },
    read::{Content, Generation, Page, View},
};

/// The list of raw events.
pub(crate) struct EventsApi(pub(crate) Arc<Reader>);

const PARAMETERS: [&str; 12] = [
    "playback_id",
    "user_id",
    "track_id",
    "type",
    "test_id",
    "source",
    "from",
    "to",
    "limit",
    "offset",
    "cursor",
    "after",
];

/// A list of events.
pub(crate) struct Events;

impl Document for Events {
    const ABOUT: &'static str = "One page of events, newest first by occurred_at. It may hold fewer than `limit`, even none, and still have a next one: only the `Link` header tells";
    const CHOOSES_FORMAT: bool = true;
    const PAGED: bool = true;
    const PROBLEMS: &'static [(u16, &'static str)] = &[
        (
            406,
            "None of the media types asked for can be produced; `detail` names those that can",
        ),
        (
            422,
            "A parameter is not what it may be (`errors` names it), or the question costs more than one may",
        ),
        (
            503,
            "The positions waited for are not projected yet, the read model cannot be asked, or too much is asked at once",
        ),
    ];

    fn contents() -> Vec<MetaMediaType> {
        list_of_events()
    }

    fn register(registry: &mut Registry) {
        wire::register::<wire::Event>(registry);
    }
}

#[OpenApi(tag = "super::Tag::Events")]
impl EventsApi {
    /// The raw events, newest first
    ///
    /// Each distinct event once, whatever was sent how often. Pages are followed by the `Link` header; its cursor stays right
    /// while events arrive. Conditions are joined by "and". `Accept` chooses JSON, NDJSON, CSV or Parquet.
    #[oai(path = "/events", method = "get", operation_id = "listEvents")]
    #[expect(
        clippy::too_many_arguments,
        reason = "an argument each is how poem-openapi documents parameters"
    )]
    async fn list(
        &self,
        request: &Request,
        accept: Accept,
        /// Only of this playback.
        playback_id: Query<Option<Param<PlaybackId>>>,
        /// Only of this listener.
        user_id: Query<Option<Param<UserId>>>,
        /// Only of this track.
        track_id: Query<Option<Param<TrackId>>>,
        /// Only of this type.
        #[oai(name = "type")]
        event_type: Query<Option<Param<EventType>>>,
        /// Only of this test run.
        test_id: Query<Option<Param<TestId>>>,
        /// Only from this source.
        source: Query<Option<Param<Source>>>,
        /// Only what occurred at this time or later.
        from: Query<Option<Param<Timestamp>>>,
        /// Only what occurred before this time.
        to: Query<Option<Param<Timestamp>>>,
        /// The most events on a page.
        limit: Query<Option<Param<Limit>>>,
        /// How many of the newest to pass over; `cursor` reaches further, and cannot be combined with it.
        offset: Query<Option<Param<Offset>>>,
        /// Where the page begins, as a `Link` header told; the conditions must be those of the page that bore it.
        cursor: Query<Option<Param<Cursor>>>,
        /// Log positions, as `Ess-Position` of a write told them, separated by commas: the answer waits until it holds them.
        after: Query<Option<Param<After>>>,
        /// Entity tags that the caller holds.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<Answer<Events>, Problem> {
        let format = Format::of(&accept, &Format::ALL)?;
        let mut refused = Refused::by_name(request, &PARAMETERS);
        let filter = EventFilter {
            playback_id: refused.query("playback_id", playback_id.0),
            user_id: refused.query("user_id", user_id.0),
            track_id: refused.query("track_id", track_id.0),
            r#type: refused.query("type", event_type.0),
            test_id: refused.query("test_id", test_id.0),
            source: refused.query("source", source.0),
            from: refused.query("from", from.0),
            to: refused.query("to", to.0),
        };
        // Which list it is cannot be told while a condition of it is refused.
        let list = refused.is_empty().then(|| filter.list());
        let start = start(
            refused.query("offset", offset.0),
            refused.query("cursor", cursor.0),
            list,
        );
        let Limit(limit) = refused.query("limit", limit.0).unwrap_or_default();
        let After(after) = refused.query("after", after.0).unwrap_or_default();
        let page = start.and_then(|start| EventsPage::new(filter, start, limit));
        let page = page.map_err(|error| refused.push(error)).ok();
        let page = refused.none(page)?;
        let view = self.0.watch.reached(&after).await?;
        let (question, reader) = (Question::Events(page.clone(), format), Arc::clone(&self.0));
        let ask = |view: Arc<View>| async move { reader.events(&view, &page, format).await };
        let kept = self.0.cache.answer(question, &view, &after, ask).await?;
        let next = kept.next.as_ref().map(|cursor| next_page(request, cursor));
        let answer = Answer::new(if_none_match.0.as_deref(), kept, format);
        Ok(answer.followed_by(next))
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
    async fn events(
        &self,
        view: &View,
        page: &EventsPage,
        format: Format,
    ) -> Result<Content, Problem> {
        let generation = Generation {
            read_model: &self.read_model,
            number: view.generation,
        };
        let Page { events, next } = page.read(&generation).await?;
        Ok(Content {
            body: body(events, format)?,
            next: next.map(|key| Cursor::new(page.list(), &key)),
            ttl: self.open_ttl,
            totals: None,
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
    fn a_cursor_holds_under_the_conditions_it_was_given_under() {
        let filter = EventFilter {
            user_id: UserId::new("u").ok(),
            ..EventFilter::default()
        };
        let cursor = || Some(Cursor::new(filter.list(), &key()));
        let elsewhere = start(None, cursor(), Some(EventFilter::default().list())).unwrap_err();
        assert_eq!(elsewhere.pointer, "?cursor");
        // A condition that is refused is told, and not that the cursor lacks it.
        assert!(start(None, cursor(), None).is_ok());
    }
}
