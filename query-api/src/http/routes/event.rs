//! GET /events/{id}: the events with one id.

use ess_schema::EventId;
use ess_service::problem::{Problem, ProblemKind};
use poem_openapi::registry::{MetaMediaType, Registry};

use crate::{
    http::{
        arguments::arguments,
        bodies,
        cached_read::CachedRead,
        document::{DocumentedProblem, INVALID, NOT_ACCEPTABLE, UNAVAILABLE},
        operation::{Entry, Tag},
        parameter_errors::ParameterErrors,
        reader::Reader,
        wire,
    },
    question::{Format, Question},
    read::Content,
    sql::EventById,
};

/// The operation.
pub(crate) struct GetEvents;

arguments! {
    /// Its arguments.
    pub(crate) struct EventArguments {
        /// The event's id, percent-encoded.
        Path id: EventId,
    }
}

impl CachedRead for GetEvents {
    const ENTRY: Entry = Entry {
        path: "/events/{id}",
        id: "getEvents",
        tag: Tag::Events,
        summary: "Get the events with one id",
        description: "An id is unique within its source only: the answer has the event of every source with this id. `Accept` chooses JSON, NDJSON, CSV or Parquet.",
    };
    type Arguments = EventArguments;
    const FORMATS: &'static [Format] = &Format::ALL;
    const SUCCESS: &'static str = "The events with this id, at most one of each source";
    const PROBLEMS: &'static [DocumentedProblem] = &[
        (404, "No event with this id is stored"),
        NOT_ACCEPTABLE,
        INVALID,
        UNAVAILABLE,
    ];

    fn bodies() -> Vec<MetaMediaType> {
        bodies::documented_events()
    }

    fn register(registry: &mut Registry) {
        wire::register::<wire::Event>(registry);
    }

    fn question(
        arguments: EventArguments,
        format: Format,
        _: &mut ParameterErrors,
    ) -> Option<Question> {
        Some(Question::Event(arguments.id?, format))
    }
}

impl Reader {
    /// The events with one id in a generation.
    pub(crate) async fn event(
        &self,
        generation: u32,
        id: EventId,
        format: Format,
    ) -> Result<Content, Problem> {
        let unknown = format!("no event with id {id} is stored");
        let events = self.read_model.select(generation, &EventById(id)).await?;
        if events.is_empty() {
            return Err(Problem::new(ProblemKind::NotFound, unknown));
        }
        Ok(self.open(bodies::events(events, format)?))
    }
}
