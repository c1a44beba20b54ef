//! GET /stats/track/{id} and GET /stats/user/{id}: everything that is told of one track, and of one listener.

use std::sync::Arc;

use ess_schema::{Timestamp, TrackId, UserId};
use ess_service::problem::Problem;
use poem::Request;
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    registry::{MetaMediaType, Registry},
};

use crate::{
    http::{
        answer::{Answer, Document},
        parameters::{After, Param, Refused},
        reader::Reader,
        wire,
    },
    question::{Attribute, Format, Period, Question, Summary},
    read::{Layer, View},
};

/// The statistics of single tracks and listeners.
pub(crate) struct TrackApi(pub(crate) Arc<Reader>);

const PARAMETERS: [&str; 3] = ["from", "to", "after"];

impl Document for wire::Track {
    const ABOUT: &'static str = "The track";
    const CHOOSES_FORMAT: bool = false;
    const PAGED: bool = false;
    const PROBLEMS: &'static [(u16, &'static str)] = super::PROBLEMS_OF_ONE;

    fn contents() -> Vec<MetaMediaType> {
        vec![MetaMediaType {
            content_type: Format::Json.media_type(),
            schema: wire::reference::<Self>(),
        }]
    }

    fn register(registry: &mut Registry) {
        wire::register::<Self>(registry);
    }
}

impl Document for wire::Listener {
    const ABOUT: &'static str = "The listener";
    const CHOOSES_FORMAT: bool = false;
    const PAGED: bool = false;
    const PROBLEMS: &'static [(u16, &'static str)] = super::PROBLEMS_OF_ONE;

    fn contents() -> Vec<MetaMediaType> {
        vec![MetaMediaType {
            content_type: Format::Json.media_type(),
            schema: wire::reference::<Self>(),
        }]
    }

    fn register(registry: &mut Registry) {
        wire::register::<Self>(registry);
    }
}

#[OpenApi(tag = "super::Tag::Stats")]
impl TrackApi {
    /// What was played of one track
    ///
    /// Every metric of GET /stats/report over the track's playbacks that began in the period, and since when it has been played.
    #[oai(path = "/stats/track/:id", method = "get", operation_id = "getTrack")]
    async fn track(
        &self,
        request: &Request,
        /// The track, percent-encoded.
        id: Path<Param<TrackId>>,
        /// Only playbacks whose first event occurred at this time or later.
        from: Query<Option<Param<Timestamp>>>,
        /// Only playbacks whose first event occurred before this time.
        to: Query<Option<Param<Timestamp>>>,
        /// Log positions, as `Ess-Position` of a write told them, separated by commas: the answer waits until it holds them.
        after: Query<Option<Param<After>>>,
        /// Entity tags that the caller holds.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<Answer<wire::Track>, Problem> {
        let mut refused = Refused::by_name(request, &PARAMETERS);
        let id = refused.path("id", id.0).map(|id| id.to_string());
        let period = (from.0, to.0);
        self.tell(
            Attribute::Track,
            id,
            period,
            after.0,
            if_none_match.0,
            refused,
        )
        .await
    }

    /// What one listener played
    ///
    /// Every metric of GET /stats/report over the user's playbacks that began in the period, and since when the user has listened.
    #[oai(path = "/stats/user/:id", method = "get", operation_id = "getUser")]
    async fn user(
        &self,
        request: &Request,
        /// The user, percent-encoded.
        id: Path<Param<UserId>>,
        /// Only playbacks whose first event occurred at this time or later.
        from: Query<Option<Param<Timestamp>>>,
        /// Only playbacks whose first event occurred before this time.
        to: Query<Option<Param<Timestamp>>>,
        /// Log positions, as `Ess-Position` of a write told them, separated by commas: the answer waits until it holds them.
        after: Query<Option<Param<After>>>,
        /// Entity tags that the caller holds.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<Answer<wire::Listener>, Problem> {
        let mut refused = Refused::by_name(request, &PARAMETERS);
        let id = refused.path("id", id.0).map(|id| id.to_string());
        let period = (from.0, to.0);
        self.tell(
            Attribute::User,
            id,
            period,
            after.0,
            if_none_match.0,
            refused,
        )
        .await
    }
}

type Times = (Option<Param<Timestamp>>, Option<Param<Timestamp>>);

impl TrackApi {
    async fn tell<D: Document>(
        &self,
        attribute: Attribute,
        value: Option<String>,
        (from, to): Times,
        after: Option<Param<After>>,
        if_none_match: Option<String>,
        mut refused: Refused,
    ) -> Result<Answer<D>, Problem> {
        let After(after) = refused.query("after", after).unwrap_or_default();
        let (from, to) = (refused.query("from", from), refused.query("to", to));
        let period = refused.keep(Period::new(from, to));
        let summary = value.zip(period).map(|(value, period)| Summary {
            attribute,
            value,
            period,
        });
        let summary = refused.none(summary)?;
        let view = self.0.watch.reached_in(Layer::Playbacks, &after).await?;
        let question = Question::Summary(summary.clone());
        let reader = Arc::clone(&self.0);
        let ask = |view: Arc<View>| async move { reader.summary(view.generation, &summary).await };
        let kept = self.0.cache.answer(question, &view, &after, ask).await?;
        Ok(Answer::new(if_none_match.as_deref(), kept, Format::Json))
    }
}
