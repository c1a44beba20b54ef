//! GET /stats/track/{id}/retention: how the plays of a track held their listeners.

use std::sync::Arc;

use ess_schema::{Timestamp, TrackId};
use ess_service::problem::{Problem, ProblemKind};
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
    question::{Format, Period, Plays, Question},
    read::{Content, Layer, SelectError, View},
    sql::{Heard, PlaysOf, PlaysRow},
};

/// Retention curves.
pub(crate) struct RetentionApi(pub(crate) Arc<Reader>);

impl Document for wire::Retention {
    const ABOUT: &'static str = "The curve";
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
        wire::register::<wire::Quartiles>(registry);
        wire::register::<wire::RetentionBucket>(registry);
    }
}

#[OpenApi(tag = "super::Tag::Stats")]
impl RetentionApi {
    /// How a track holds its listeners
    ///
    /// Of the track's plays that began in the period: the share that heard each five seconds of it, how often these were heard, how
    /// many listeners each lost, and how many plays reached each quarter.
    #[oai(
        path = "/stats/track/:id/retention",
        method = "get",
        operation_id = "getRetention"
    )]
    async fn get(
        &self,
        request: &Request,
        /// The track, percent-encoded.
        id: Path<Param<TrackId>>,
        /// Only plays whose first event occurred at this time or later.
        from: Query<Option<Param<Timestamp>>>,
        /// Only plays whose first event occurred before this time.
        to: Query<Option<Param<Timestamp>>>,
        /// Log positions, as `Ess-Position` of a write told them, separated by commas: the answer waits until it holds them.
        after: Query<Option<Param<After>>>,
        /// Entity tags that the caller holds.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<Answer<wire::Retention>, Problem> {
        let mut refused = Refused::by_name(request, &["from", "to", "after"]);
        let id = refused.path("id", id.0);
        let (from, to) = (refused.query("from", from.0), refused.query("to", to.0));
        let period = refused.keep(Period::new(from, to));
        let After(after) = refused.query("after", after.0).unwrap_or_default();
        let plays = id.zip(period).map(|(id, period)| Plays {
            track_id: id.to_string(),
            period,
        });
        let plays = refused.none(plays)?;
        let view = self.0.watch.reached_in(Layer::Playbacks, &after).await?;
        let question = Question::Retention(plays.clone());
        let reader = Arc::clone(&self.0);
        let ask = |view: Arc<View>| async move { reader.retention(&view, plays).await };
        let kept = self.0.cache.answer(question, &view, &after, ask).await?;
        Ok(Answer::new(if_none_match.0.as_deref(), kept, Format::Json))
    }
}

impl Reader {
    async fn retention(&self, view: &View, plays: Plays) -> Result<Content, Problem> {
        let (of, heard) = (PlaysOf(&plays), Heard(&plays));
        let (counted, heard) = tokio::try_join!(
            self.read_model.select(view.generation, &of),
            self.read_model.select(view.generation, &heard),
        )?;
        let unknown = format!(
            "no play of track {} that began in the period is stored",
            plays.track_id
        );
        let counted = counted.into_iter().next();
        let counted = counted
            .filter(|PlaysRow { plays, .. }| *plays > 0)
            .ok_or_else(|| Problem::new(ProblemKind::NotFound, unknown))?;
        let retention = wire::Retention::new(plays.track_id, &counted, &heard);
        let body = serde_json::to_vec(&retention)
            .map_err(|error| SelectError::InvalidRow(error.into()))?;
        Ok(Content {
            body,
            next: None,
            ttl: self.open_ttl,
            totals: None,
        })
    }
}
