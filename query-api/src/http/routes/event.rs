//! GET /events/{id}: the events of every source with one id.

use std::sync::Arc;

use ess_schema::EventId;
use ess_service::problem::{Problem, ProblemKind};
use poem::{Request, web::Accept};
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    registry::{MetaMediaType, Registry},
};

use super::list::{body, list_of_events};
use crate::{
    http::{
        answer::{Answer, Document},
        parameters::{After, Param, Refused},
        reader::Reader,
        wire,
    },
    question::{Format, Question},
    read::{Content, View},
    sql::EventById,
};

/// Raw events by id.
pub(crate) struct EventApi(pub(crate) Arc<Reader>);

/// The events with one id.
pub(crate) struct EventsOfId;

impl Document for EventsOfId {
    const ABOUT: &'static str = "The events with this id, one of each source that has one";
    const CHOOSES_FORMAT: bool = true;
    const PAGED: bool = false;
    const PROBLEMS: &'static [(u16, &'static str)] = &[
        (404, "No event with this id is stored (yet)"),
        (
            406,
            "None of the media types asked for can be produced; `detail` names those that can",
        ),
        (422, "A parameter is not what it may be; `errors` names it"),
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
impl EventApi {
    /// The events with one id
    ///
    /// An id is unique within its source only: this tells every source's event with it. `Accept` chooses JSON, NDJSON, CSV or
    /// Parquet.
    #[oai(path = "/events/:id", method = "get", operation_id = "getEvents")]
    async fn get(
        &self,
        request: &Request,
        accept: Accept,
        /// The event's id, percent-encoded.
        id: Path<Param<EventId>>,
        /// Log positions, as `Ess-Position` of a write told them, separated by commas: the answer waits until it holds them.
        after: Query<Option<Param<After>>>,
        /// Entity tags that the caller holds.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<Answer<EventsOfId>, Problem> {
        let format = Format::of(&accept, &Format::ALL)?;
        let mut refused = Refused::by_name(request, &["after"]);
        let id = refused.path("id", id.0);
        let After(after) = refused.query("after", after.0).unwrap_or_default();
        let id = refused.none(id)?;
        let view = self.0.watch.reached(&after).await?;
        let (question, reader) = (Question::Event(id.clone(), format), Arc::clone(&self.0));
        let ask = |view: Arc<View>| async move { reader.event(&view, &id, format).await };
        let kept = self.0.cache.answer(question, &view, &after, ask).await?;
        Ok(Answer::new(if_none_match.0.as_deref(), kept, format))
    }
}

impl Reader {
    async fn event(&self, view: &View, id: &EventId, format: Format) -> Result<Content, Problem> {
        let events = self
            .read_model
            .select(view.generation, &EventById(id.clone()))
            .await?;
        if events.is_empty() {
            return Err(Problem::new(
                ProblemKind::NotFound,
                format!("no event with id {id} is stored"),
            ));
        }
        Ok(Content {
            body: body(events, format)?,
            next: None,
            ttl: self.open_ttl,
            totals: None,
        })
    }
}
