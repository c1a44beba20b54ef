//! GET /stats/playback/{id}: everything that is told of one playback.

use std::sync::Arc;

use ess_schema::{PlaybackId, playback};
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
        clock::now,
        parameters::{After, Param, Refused},
        reader::Reader,
        wire,
    },
    question::{Format, Question},
    read::{Content, SelectError, View},
};

/// The statistics of single playbacks.
pub(crate) struct PlaybackApi(pub(crate) Arc<Reader>);

impl Document for wire::Playback {
    const ABOUT: &'static str = "The playback";
    const CHOOSES_FORMAT: bool = false;
    const PAGED: bool = false;
    const PROBLEMS: &'static [(u16, &'static str)] = &[
        (404, "No event of this playback is stored (yet)"),
        (422, "A parameter is not what it may be; `errors` names it"),
        (
            503,
            "The positions waited for are not projected yet, the read model cannot be asked, or too much is asked at once",
        ),
    ];

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
impl PlaybackApi {
    /// Everything that is told of one playback
    ///
    /// Made of the playback's distinct events, in whatever order and however often they arrived.
    #[oai(
        path = "/stats/playback/:id",
        method = "get",
        operation_id = "getPlayback"
    )]
    async fn get(
        &self,
        request: &Request,
        /// The playback, percent-encoded.
        id: Path<Param<PlaybackId>>,
        /// Log positions, as `Ess-Position` of a write told them, separated by commas: the answer waits until it holds them.
        after: Query<Option<Param<After>>>,
        /// Entity tags that the caller holds.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<Answer<wire::Playback>, Problem> {
        let mut refused = Refused::by_name(request, &["after"]);
        let id = refused.path("id", id.0);
        let After(after) = refused.query("after", after.0).unwrap_or_default();
        let id = refused.none(id)?;
        let view = self.0.watch.reached(&after).await?;
        let (question, reader) = (Question::Playback(id.clone()), Arc::clone(&self.0));
        let ask = |view: Arc<View>| async move { reader.playback(&view, id).await };
        let kept = self.0.cache.answer(question, &view, &after, ask).await?;
        Ok(Answer::new(if_none_match.0.as_deref(), kept, Format::Json))
    }
}

impl Reader {
    async fn playback(&self, view: &View, id: PlaybackId) -> Result<Content, Problem> {
        let unknown = format!("no event of playback {id} is stored");
        let row = self.playbacks.load(view.generation, id).await?;
        let row = row.ok_or_else(|| Problem::new(ProblemKind::NotFound, unknown))?;
        let aggregate = row.aggregate().map_err(SelectError::from)?;
        let playback = playback::Playback::new(aggregate, self.policy, now()?);
        let ttl = if playback.settled {
            self.settled_ttl
        } else {
            self.open_ttl
        };
        let body = serde_json::to_vec(&wire::Playback::from(playback))
            .map_err(|error| SelectError::InvalidRow(error.into()))?;
        Ok(Content {
            body,
            next: None,
            ttl,
            totals: None,
        })
    }
}
