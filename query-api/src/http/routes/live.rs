//! GET /stats/live: what is playing now, once or as a stream.

mod form;

use std::sync::Arc;

use ess_schema::TrackId;
use ess_service::{openapi, problem::Problem};
use poem::{Body, IntoResponse, Request, Response, http::header, web::Accept};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Header, Query},
    registry::{MetaHeader, MetaMediaType, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};

use self::form::Form;
use crate::{
    http::{
        answer::{Answer, Document},
        parameters::{After, Limit, Param, Refused},
        reader::Reader,
        wire,
    },
    live::{Begin, Listening},
    question::{Country, Format, LiveQuestion, Question},
    read::{Content, Layer, View},
};

/// What is playing now.
pub(crate) struct LiveApi(pub(crate) Arc<Reader>);

/// One answer, or a stream of them.
pub(crate) enum LiveAnswer {
    Once(Answer<wire::Live>),
    Stream(Listening),
}

/// What begins each stream, for the document.
const STREAM: &str = "\
retry: 2000

id: 1-19aafed1d59
event: live
data: {\"as_of\":\"2026-11-23T10:00:10.217Z\",\"playing\":1204,\"listeners\":1187,\"tracks\":[{\"track_id\":\"track-3\",\"playing\":142}],\"countries\":[{\"country\":\"DE\",\"playing\":611}]}

:

";

impl Document for wire::Live {
    const ABOUT: &'static str = "What is playing now: the state at most a few seconds ago, or, as `text/event-stream`, a stream of events `live` whose data are that state as JSON";
    const CHOOSES_FORMAT: bool = true;
    const PAGED: bool = false;
    const PROBLEMS: &'static [(u16, &'static str)] = &[
        (
            406,
            "None of the media types asked for can be produced; `detail` names those that can",
        ),
        (422, "A parameter is not what it may be; `errors` names it"),
        (
            503,
            "The positions waited for are not projected yet, the read model cannot be asked, too much is asked at once, or too many streams are open",
        ),
    ];

    fn contents() -> Vec<MetaMediaType> {
        let stream = MetaSchema {
            description: Some("Server-sent events (HTML Living Standard, section 9.2)"),
            example: Some(STREAM.into()),
            ..MetaSchema::new("string")
        };
        vec![
            MetaMediaType {
                content_type: Format::Json.media_type(),
                schema: wire::reference::<Self>(),
            },
            MetaMediaType {
                content_type: Form::EVENT_STREAM,
                schema: MetaSchemaRef::Inline(Box::new(stream)),
            },
        ]
    }

    fn register(registry: &mut Registry) {
        wire::register::<Self>(registry);
    }
}

impl ApiResponse for LiveAnswer {
    fn meta() -> MetaResponses {
        let mut meta = Answer::<wire::Live>::meta();
        let of_success = meta
            .responses
            .iter_mut()
            .filter(|it| it.status == Some(200));
        for success in of_success {
            for header in &mut success.headers {
                // A stream is neither kept nor of one moment.
                header.required = matches!(header.name.as_str(), "Cache-Control" | "Vary");
            }
            success.headers.push(not_gathered());
        }
        meta
    }

    fn register(registry: &mut Registry) {
        Answer::<wire::Live>::register(registry);
    }
}

fn not_gathered() -> MetaHeader {
    let no = MetaSchema {
        example: Some("no".into()),
        ..MetaSchema::new("string")
    };
    openapi::header(
        "X-Accel-Buffering",
        "Of a stream: proxies that gather answers let it through as it comes.",
        no,
    )
}

impl IntoResponse for LiveAnswer {
    fn into_response(self) -> Response {
        match self {
            Self::Once(answer) => answer.into_response(),
            Self::Stream(listening) => Response::builder()
                .content_type(Form::EVENT_STREAM)
                .header(header::CACHE_CONTROL, "no-store")
                .header(header::VARY, "Accept")
                // Proxies that gather answers let this one through as it comes.
                .header("x-accel-buffering", "no")
                .body(Body::from_bytes_stream(listening)),
        }
    }
}

#[OpenApi(tag = "super::Tag::Stats")]
impl LiveApi {
    /// What is playing now
    ///
    /// In all, by track and by country; conditions are joined by "and" and hold for every number. A playback is playing when its
    /// latest event says so and is not so old that it counts as abandoned.
    ///
    /// Under `Accept: text/event-stream` the answer is a stream that lasts until either side ends it. It begins with the newest
    /// state, and tells it again every few seconds as an event `live`; when there is none for 15 seconds, a comment shows that
    /// the stream is alive. A client that comes back with `Last-Event-ID` is told first what it missed, as far as that is still
    /// kept: the last 30 events of its question, about a minute. What is older is gone, which costs nothing, because every event
    /// is the whole state. An id that this service does not know begins anew. One that reads slowly is told the newest when it
    /// reads on; what came between is left out.
    #[oai(path = "/stats/live", method = "get", operation_id = "getLive")]
    #[expect(
        clippy::too_many_arguments,
        reason = "an argument each is how poem-openapi documents parameters"
    )]
    async fn get(
        &self,
        request: &Request,
        accept: Accept,
        /// Only of this track.
        track_id: Query<Option<Param<TrackId>>>,
        /// Only in this country, ISO 3166-1 alpha-2.
        country: Query<Option<Param<Country>>>,
        /// The most tracks, and the most countries, that are named.
        limit: Query<Option<Param<Limit>>>,
        /// Log positions, as `Ess-Position` of a write told them, separated by commas: the answer waits until it holds them.
        after: Query<Option<Param<After>>>,
        /// Entity tags that the caller holds.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
        /// The id of the last event that the caller was told; of streams alone.
        #[oai(name = "Last-Event-ID")]
        last_event_id: Header<Option<String>>,
    ) -> Result<LiveAnswer, Problem> {
        let form = Form::of(&accept)?;
        let mut refused = Refused::by_name(request, &["track_id", "country", "limit", "after"]);
        let live = LiveQuestion {
            track_id: refused.query("track_id", track_id.0),
            country: refused.query("country", country.0),
            limit: refused.query("limit", limit.0).unwrap_or_default().0,
        };
        let After(after) = refused.query("after", after.0).unwrap_or_default();
        refused.none(Some(()))?;
        let reader = &self.0;
        let view = reader.watch.reached_in(Layer::Playbacks, &after).await?;
        if form == Form::Stream {
            let last = last_event_id.0.and_then(|id| id.parse().ok());
            let listening = reader.live.listen(&live, Begin { last, after })?;
            return Ok(LiveAnswer::Stream(listening));
        }
        let question = Question::Live(live.clone());
        let asked = Arc::clone(reader);
        let ask = |view: Arc<View>| async move { asked.live(&view, &live).await };
        let kept = reader.cache.answer(question, &view, &after, ask).await?;
        let answer = Answer::new(if_none_match.0.as_deref(), kept, Format::Json);
        Ok(LiveAnswer::Once(answer))
    }
}

impl Reader {
    async fn live(&self, view: &Arc<View>, live: &LiveQuestion) -> Result<Content, Problem> {
        let source = self.live.source();
        let look = source.look_at(Arc::clone(view), live).await?;
        Ok(Content {
            body: look.body,
            next: None,
            ttl: self.open_ttl,
            totals: None,
        })
    }
}
