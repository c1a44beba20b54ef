//! GET /stats/live: what is playing now, once or as a stream of server-sent events.

mod form;

use std::sync::Arc;

use ess_schema::TrackId;
use ess_service::{openapi, problem::Problem};
use poem::{Body, Request, Response, http::header};
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaOperationParam, MetaResponses, Registry,
};

use self::form::Form;
use crate::{
    http::{
        answer, arguments,
        arguments::arguments,
        cached_read::{accept, parameters, parse},
        document::{self, DocumentedProblem, INVALID, NOT_ACCEPTABLE, Success},
        operation::{Entry, Operation, Tag},
        parameters::Limit,
        reader::Reader,
        wire,
    },
    live::{EventStream, StreamStart},
    question::{Country, Format, LiveQuestion, Question},
    read::{Content, Layer, View},
};

/// The operation.
pub(crate) struct GetLive;

arguments! {
    /// Its arguments.
    pub(crate) struct LiveArguments {
        /// Only playbacks of this track.
        Query track_id: TrackId,
        /// Only playbacks in this country, ISO 3166-1 alpha-2.
        Query country: Country,
        /// The maximum number of tracks, and of countries.
        Query limit: Limit,
    }
}

/// The beginning of a stream, the example in the document.
const STREAM: &str = "\
retry: 2000

id: 1-19aafed1d59
event: live
data: {\"as_of\":\"2026-11-23T10:00:10.217Z\",\"playing\":1204,\"listeners\":1187,\"tracks\":[{\"track_id\":\"track-3\",\"playing\":142}],\"countries\":[{\"country\":\"DE\",\"playing\":611}]}

:

";

const LAST_EVENT_ID: &str = "Last-Event-ID";

const PROBLEMS: &[DocumentedProblem] = &[
    NOT_ACCEPTABLE,
    INVALID,
    (
        503,
        "The positions of `after` are not projected yet, the read model is unavailable, too many queries are waiting, or too many streams are open",
    ),
];

impl Operation for GetLive {
    const ENTRY: Entry = Entry {
        path: "/stats/live",
        id: "getLive",
        tag: Tag::Stats,
        summary: "Get what is playing now",
        description: "In total, by track and by country; conditions are combined with AND and apply to every number. A playback is playing if its latest event says so and is recent enough that the playback does not count as abandoned.\n\nUnder `Accept: text/event-stream` the answer is a stream that lasts until either side ends it. It begins with the newest state and sends the state every few seconds as an event `live`; after 15 seconds without an event, a comment shows that the stream is alive. A client that reconnects with `Last-Event-ID` first receives the events that it missed, as far as they are retained: the last 30 events of its query, about a minute. Older events are lost, which does no harm because every event is a complete state. An unknown id starts a new stream. A client that reads slowly receives the newest state when it reads on; states in between are dropped.",
    };

    fn parameters() -> Vec<MetaOperationParam> {
        let mut all = parameters::<LiveArguments>();
        all.push(arguments::header(
            LAST_EVENT_ID,
            "The id of the last event that the client received; for streams only.",
        ));
        all
    }

    fn responses() -> MetaResponses {
        let success = Success {
            description: "What is playing now: the state at most a few seconds ago, or, as `text/event-stream`, a stream of events `live` whose data are that state as JSON",
            bodies: bodies(),
            is_negotiated: true,
            is_paged: false,
            has_totals: false,
        };
        let mut responses = document::responses(success, PROBLEMS);
        let successes = responses
            .responses
            .iter_mut()
            .filter(|response| response.status == Some(200));
        for success in successes {
            for header in &mut success.headers {
                // A stream is not cached and not of one moment.
                header.required = matches!(header.name.as_str(), "Cache-Control" | "Vary");
            }
            success.headers.push(unbuffered());
        }
        responses
    }

    fn register(registry: &mut Registry) {
        wire::register::<wire::Live>(registry);
        document::register_problem(registry);
    }

    async fn respond(reader: &Arc<Reader>, request: &Request) -> Result<Response, Problem> {
        let form = Form::of(&accept(request).await)?;
        let question = |arguments: LiveArguments, _: &mut _| Some(question(arguments));
        let (question, after) = parse(request, question)?;
        if form == Form::Stream {
            reader.watch.reached_in(Layer::Playbacks, &after).await?;
            let id = request.header(LAST_EVENT_ID);
            let last = id.and_then(|id| id.parse().ok());
            let events = reader
                .live
                .subscribe(&question, StreamStart { last, after })?;
            return Ok(stream(events));
        }
        let answer = reader.answer(Question::Live(question), &after).await?;
        Ok(answer::respond(request, &answer, Format::Json, true))
    }
}

fn question(arguments: LiveArguments) -> LiveQuestion {
    let LiveArguments {
        track_id,
        country,
        limit,
    } = arguments;
    LiveQuestion {
        track_id,
        country,
        limit: limit.unwrap_or_default().0,
    }
}

fn bodies() -> Vec<MetaMediaType> {
    let stream = poem_openapi::registry::MetaSchema {
        description: Some("Server-sent events (HTML Living Standard, section 9.2)"),
        ..document::text(STREAM)
    };
    let mut bodies = document::one::<wire::Live>();
    bodies.push(MetaMediaType {
        content_type: Form::EVENT_STREAM,
        schema: document::inline(stream),
    });
    bodies
}

fn unbuffered() -> MetaHeader {
    openapi::header(
        "X-Accel-Buffering",
        "For streams: proxies forward the stream without buffering.",
        document::text("no"),
    )
}

fn stream(events: EventStream) -> Response {
    Response::builder()
        .content_type(Form::EVENT_STREAM)
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::VARY, "Accept")
        // Proxies forward the stream without buffering.
        .header("x-accel-buffering", "no")
        .body(Body::from_bytes_stream(events))
}

impl Reader {
    /// What is playing now in the generation of `view`.
    pub(crate) async fn playing(
        &self,
        view: Arc<View>,
        question: &LiveQuestion,
    ) -> Result<Content, Problem> {
        let query = self.live.source().query_at(view, question).await?;
        Ok(self.open(query.body))
    }
}
