//! GET /stats/playbacks: the playbacks of a user, a track, a state or a period, newest first.

use ess_schema::{Timestamp, TrackId, UserId, playback};
use ess_service::problem::Problem;
use poem_openapi::registry::{MetaMediaType, Registry};

use crate::{
    http::{
        arguments::arguments,
        bodies,
        cached_read::CachedRead,
        clock::now,
        document::{self, DocumentedProblem, PROBLEMS_OF_MANY},
        operation::{Entry, Tag},
        parameter_errors::ParameterErrors,
        parameters::{Limit, StateName},
        reader::Reader,
        wire,
    },
    question::{
        Cursor, Format, InvalidCursor, Period, PlaybackFilter, PlaybackKey, PlaybacksPage, Question,
    },
    read::{Content, Generation, SelectError},
    sql::PlaybackRow,
};

/// The operation.
pub(crate) struct ListPlaybacks;

arguments! {
    /// Its arguments.
    pub(crate) struct PlaybacksArguments {
        /// Only playbacks of this user.
        Query user_id: UserId,
        /// Only playbacks of this track.
        Query track_id: TrackId,
        /// Only playbacks in this state.
        Query state: StateName,
        /// Only playbacks whose first event occurred at this time or later.
        Query from: Timestamp,
        /// Only playbacks whose first event occurred before this time.
        Query to: Timestamp,
        /// The maximum number of playbacks on a page.
        Query limit: Limit,
        /// The cursor of a `Link` header.
        Query cursor: Cursor,
    }
}

impl CachedRead for ListPlaybacks {
    const ENTRY: Entry = Entry {
        path: "/stats/playbacks",
        id: "listPlaybacks",
        tag: Tag::Stats,
        summary: "List playbacks, newest first",
        description: "Each as GET /stats/playback/{id} returns it, about a second later. Conditions are combined with AND. The `Link` header leads to the next page; its cursor stays valid while events arrive.",
    };
    type Arguments = PlaybacksArguments;
    /// A playback has a list, `quartiles`, which no table can hold.
    const FORMATS: &'static [Format] = &[Format::Json, Format::NdJson];
    const SUCCESS: &'static str = "One page of playbacks, newest first by first_event_at";
    const PAGED: bool = true;
    const PROBLEMS: &'static [DocumentedProblem] = PROBLEMS_OF_MANY;

    fn bodies() -> Vec<MetaMediaType> {
        vec![
            document::body(
                Format::Json,
                document::inline(document::array::<wire::Playback>()),
            ),
            document::body(Format::NdJson, wire::reference::<wire::Playback>()),
        ]
    }

    fn register(registry: &mut Registry) {
        wire::register::<wire::Playback>(registry);
    }

    fn question(
        arguments: PlaybacksArguments,
        format: Format,
        errors: &mut ParameterErrors,
    ) -> Option<Question> {
        let PlaybacksArguments {
            user_id,
            track_id,
            state,
            from,
            to,
            limit,
            cursor,
        } = arguments;
        let filter = PlaybackFilter {
            user_id: user_id.map(|id| id.to_string()),
            track_id: track_id.map(|id| id.to_string()),
            state: state.map(|StateName(name)| name),
            period: errors.check(Period::new(from, to))?,
        };
        let key = match cursor {
            Some(cursor) if errors.is_empty() => {
                let key = cursor.key(filter.list());
                errors.check(key.map_err(InvalidCursor::of_parameter))
            }
            _ => None,
        };
        let page = PlaybacksPage {
            filter,
            after: key,
            limit: limit.unwrap_or_default().0,
        };
        Some(Question::Playbacks(page, format))
    }
}

impl Reader {
    /// One page of playbacks in a generation.
    pub(crate) async fn page_of_playbacks(
        &self,
        generation: u32,
        page: &PlaybacksPage,
        format: Format,
    ) -> Result<Content, Problem> {
        let rows = Generation {
            read_model: &self.read_model,
            number: generation,
        };
        let now = now()?;
        let rows = page.read(&rows, now, self.policy.settle_after_ms).await?;
        let aggregates = rows
            .into_iter()
            .map(PlaybackRow::aggregate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(SelectError::from)?;
        let mut playbacks: Vec<_> = aggregates
            .into_iter()
            .map(|aggregate| playback::Playback::new(aggregate, self.policy, now))
            .collect();
        let limit = usize::from(page.limit);
        let has_next = playbacks.len() > limit;
        playbacks.truncate(limit);
        let last = playbacks.last().filter(|_| has_next);
        let key = last.map(|last| PlaybackKey {
            first_event_at: last.aggregate.first_event_at,
            playback_id: last.aggregate.playback_id.clone(),
        });
        let playbacks: Vec<_> = playbacks.into_iter().map(wire::Playback::from).collect();
        Ok(Content {
            next: key.map(|key| Cursor::new(page.filter.list(), &key)),
            ..self.open(bodies::json_list(&playbacks, format)?)
        })
    }
}
