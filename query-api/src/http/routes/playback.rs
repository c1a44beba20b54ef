//! GET /stats/playback/{id}: the statistics of one playback.

use ess_schema::{PlaybackId, playback};
use ess_service::problem::{Problem, ProblemKind};
use poem_openapi::registry::{MetaMediaType, Registry};

use crate::{
    http::{
        arguments::arguments,
        bodies,
        cached_read::CachedRead,
        clock::now,
        document::{self, DocumentedProblem, INVALID, UNAVAILABLE},
        operation::{Entry, Tag},
        parameter_errors::ParameterErrors,
        reader::Reader,
        wire,
    },
    question::{Format, Question},
    read::{Content, SelectError},
};

/// The operation.
pub(crate) struct GetPlayback;

arguments! {
    /// Its arguments.
    pub(crate) struct PlaybackArguments {
        /// The playback's id, percent-encoded.
        Path id: PlaybackId,
    }
}

impl CachedRead for GetPlayback {
    const ENTRY: Entry = Entry {
        path: "/stats/playback/{id}",
        id: "getPlayback",
        tag: Tag::Stats,
        summary: "Get one playback",
        description: "Computed from the distinct events of the playback, in any order and however often they arrived.",
    };
    type Arguments = PlaybackArguments;
    const FORMATS: &'static [Format] = &[Format::Json];
    const SUCCESS: &'static str = "The playback";
    const PROBLEMS: &'static [DocumentedProblem] = &[
        (404, "No event of this playback is stored"),
        INVALID,
        UNAVAILABLE,
    ];

    fn bodies() -> Vec<MetaMediaType> {
        document::one::<wire::Playback>()
    }

    fn register(registry: &mut Registry) {
        wire::register::<wire::Playback>(registry);
    }

    fn question(
        arguments: PlaybackArguments,
        _: Format,
        _: &mut ParameterErrors,
    ) -> Option<Question> {
        arguments.id.map(Question::Playback)
    }
}

impl Reader {
    /// One playback in a generation. A settled one changes seldom and lives longer in the cache.
    pub(crate) async fn playback(
        &self,
        generation: u32,
        id: PlaybackId,
    ) -> Result<Content, Problem> {
        let unknown = format!("no event of playback {id} is stored");
        let row = self.playbacks.load(generation, id).await?;
        let row = row.ok_or_else(|| Problem::new(ProblemKind::NotFound, unknown))?;
        let aggregate = row.aggregate().map_err(SelectError::from)?;
        let playback = playback::Playback::new(aggregate, self.policy, now()?);
        let ttl = if playback.settled {
            self.settled_ttl
        } else {
            self.open_ttl
        };
        let body = bodies::json(&wire::Playback::from(playback))?;
        Ok(Content::new(body, ttl))
    }
}
