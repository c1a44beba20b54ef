//! GET /stats/track/{id}/retention: which parts of a track its plays covered.

use ess_schema::{Timestamp, TrackId};
use ess_service::problem::{Problem, ProblemKind};
use poem_openapi::registry::{MetaMediaType, Registry};

use crate::{
    http::{
        arguments::arguments,
        bodies,
        cached_read::CachedRead,
        document::{self, DocumentedProblem, PROBLEMS_OF_ONE},
        operation::{Entry, Tag},
        parameter_errors::ParameterErrors,
        reader::Reader,
        wire,
    },
    question::{Format, Period, Question, RetentionQuestion},
    read::Content,
    sql::{RetentionListening, RetentionPlays, RetentionPlaysRow},
};

/// The operation.
pub(crate) struct GetRetention;

arguments! {
    /// Its arguments.
    pub(crate) struct RetentionArguments {
        /// The track's id, percent-encoded.
        Path id: TrackId,
        /// Only plays whose first event occurred at this time or later.
        Query from: Timestamp,
        /// Only plays whose first event occurred before this time.
        Query to: Timestamp,
    }
}

impl CachedRead for GetRetention {
    const ENTRY: Entry = Entry {
        path: "/stats/track/{id}/retention",
        id: "getRetention",
        tag: Tag::Stats,
        summary: "Get the retention curve of a track",
        description: "Of the track's plays that began in the period: the share that heard each five seconds of it, how often these were heard, the loss of listeners from one five seconds to the next, and the share that reached each quartile.",
    };
    type Arguments = RetentionArguments;
    const FORMATS: &'static [Format] = &[Format::Json];
    const SUCCESS: &'static str = "The curve";
    const PROBLEMS: &'static [DocumentedProblem] = PROBLEMS_OF_ONE;

    fn bodies() -> Vec<MetaMediaType> {
        document::one::<wire::Retention>()
    }

    fn register(registry: &mut Registry) {
        wire::register::<wire::Retention>(registry);
        wire::register::<wire::Quartiles>(registry);
        wire::register::<wire::RetentionBucket>(registry);
    }

    fn question(
        RetentionArguments { id, from, to }: RetentionArguments,
        _: Format,
        errors: &mut ParameterErrors,
    ) -> Option<Question> {
        let period = errors.check(Period::new(from, to))?;
        let track_id = id?.to_string();
        Some(Question::Retention(RetentionQuestion { track_id, period }))
    }
}

impl Reader {
    /// The retention curve of a track in a generation.
    pub(crate) async fn retention(
        &self,
        generation: u32,
        plays: RetentionQuestion,
    ) -> Result<Content, Problem> {
        let (counts, heard) = (RetentionPlays(&plays), RetentionListening(&plays));
        let (counts, heard) = tokio::try_join!(
            self.read_model.select(generation, &counts),
            self.read_model.select(generation, &heard),
        )?;
        let unknown = format!(
            "no play of track {} that began in the period is stored",
            plays.track_id
        );
        let counts = counts.into_iter().next();
        let counts = counts
            .filter(|RetentionPlaysRow { plays, .. }| *plays > 0)
            .ok_or_else(|| Problem::new(ProblemKind::NotFound, unknown))?;
        let retention = wire::Retention::new(plays.track_id, &counts, &heard);
        Ok(self.open(bodies::json(&retention)?))
    }
}
