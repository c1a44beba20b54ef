//! GET /stats/track/{id} and GET /stats/user/{id}: every metric of one track, and of one user.

use ess_schema::{Timestamp, TrackId, UserId};
use poem_openapi::registry::{MetaMediaType, Registry};

use crate::{
    http::{
        arguments::arguments,
        cached_read::CachedRead,
        document::{self, DocumentedProblem, PROBLEMS_OF_ONE},
        operation::{Entry, Tag},
        parameter_errors::ParameterErrors,
        wire,
    },
    question::{Attribute, Format, Period, Question, Summary},
};

/// The operation of a track.
pub(crate) struct GetTrack;
/// The operation of a user.
pub(crate) struct GetUser;

arguments! {
    /// The arguments of a track.
    pub(crate) struct TrackArguments {
        /// The track's id, percent-encoded.
        Path id: TrackId,
        /// Only playbacks whose first event occurred at this time or later.
        Query from: Timestamp,
        /// Only playbacks whose first event occurred before this time.
        Query to: Timestamp,
    }
}

arguments! {
    /// The arguments of a user.
    pub(crate) struct UserArguments {
        /// The user's id, percent-encoded.
        Path id: UserId,
        /// Only playbacks whose first event occurred at this time or later.
        Query from: Timestamp,
        /// Only playbacks whose first event occurred before this time.
        Query to: Timestamp,
    }
}

impl CachedRead for GetTrack {
    const ENTRY: Entry = Entry {
        path: "/stats/track/{id}",
        id: "getTrack",
        tag: Tag::Stats,
        summary: "Get one track",
        description: "Every metric of GET /stats/report over the track's playbacks that began in the period, and the times of its first and last event.",
    };
    type Arguments = TrackArguments;
    const FORMATS: &'static [Format] = &[Format::Json];
    const SUCCESS: &'static str = "The track";
    const PROBLEMS: &'static [DocumentedProblem] = PROBLEMS_OF_ONE;

    fn bodies() -> Vec<MetaMediaType> {
        document::one::<wire::Track>()
    }

    fn register(registry: &mut Registry) {
        wire::register::<wire::Track>(registry);
    }

    fn question(
        TrackArguments { id, from, to }: TrackArguments,
        _: Format,
        errors: &mut ParameterErrors,
    ) -> Option<Question> {
        let id = id.map(|id| id.to_string());
        summary(Attribute::Track, id, from, to, errors)
    }
}

impl CachedRead for GetUser {
    const ENTRY: Entry = Entry {
        path: "/stats/user/{id}",
        id: "getUser",
        tag: Tag::Stats,
        summary: "Get one user",
        description: "Every metric of GET /stats/report over the user's playbacks that began in the period, and the times of the user's first and last event.",
    };
    type Arguments = UserArguments;
    const FORMATS: &'static [Format] = &[Format::Json];
    const SUCCESS: &'static str = "The user";
    const PROBLEMS: &'static [DocumentedProblem] = PROBLEMS_OF_ONE;

    fn bodies() -> Vec<MetaMediaType> {
        document::one::<wire::User>()
    }

    fn register(registry: &mut Registry) {
        wire::register::<wire::User>(registry);
    }

    fn question(
        UserArguments { id, from, to }: UserArguments,
        _: Format,
        errors: &mut ParameterErrors,
    ) -> Option<Question> {
        let id = id.map(|id| id.to_string());
        summary(Attribute::User, id, from, to, errors)
    }
}

fn summary(
    attribute: Attribute,
    value: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    errors: &mut ParameterErrors,
) -> Option<Question> {
    let period = errors.check(Period::new(from, to))?;
    Some(Question::Summary(Summary {
        attribute,
        value: value?,
        period,
    }))
}
