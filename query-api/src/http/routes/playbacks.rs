//! GET /stats/playbacks: playbacks of a listener, a track, a state or a period, newest first.

use std::sync::Arc;

use ess_schema::{Timestamp, TrackId, UserId, playback};
use ess_service::problem::Problem;
use poem::{Request, web::Accept};
use poem_openapi::{
    OpenApi,
    param::{Header, Query},
    registry::{MetaMediaType, MetaSchema, Registry},
};

use super::list::{json, next_page};
use crate::{
    http::{
        answer::{Answer, Document},
        clock::now,
        parameters::{After, Limit, Param, Refused, StateName, inline},
        reader::Reader,
        wire,
    },
    question::{
        Cursor, Format, InvalidCursor, Period, PlaybackFilter, PlaybackKey, PlaybacksPage, Question,
    },
    read::{Content, Layer, PlaybackRows, ReadModel, SelectError, View},
    sql::{PlaybackRow, PlaybacksList},
};

/// The list of playbacks.
pub(crate) struct PlaybacksApi(pub(crate) Arc<Reader>);

/// A list of playbacks.
pub(crate) struct Playbacks;

const PARAMETERS: [&str; 8] = [
    "user_id", "track_id", "state", "from", "to", "limit", "cursor", "after",
];
/// A playback is an object whose `quartiles` is a list: a table has no place for it.
const FORMATS: [Format; 2] = [Format::Json, Format::NdJson];

impl Document for Playbacks {
    const ABOUT: &'static str = "One page of playbacks, newest first by first_event_at";
    const CHOOSES_FORMAT: bool = true;
    const PAGED: bool = true;
    const PROBLEMS: &'static [(u16, &'static str)] = super::PROBLEMS_OF_MANY;

    fn contents() -> Vec<MetaMediaType> {
        let array = MetaSchema {
            items: Some(Box::new(wire::reference::<wire::Playback>())),
            ..MetaSchema::new("array")
        };
        vec![
            MetaMediaType {
                content_type: Format::Json.media_type(),
                schema: inline(array),
            },
            MetaMediaType {
                content_type: Format::NdJson.media_type(),
                schema: wire::reference::<wire::Playback>(),
            },
        ]
    }

    fn register(registry: &mut Registry) {
        wire::register::<wire::Playback>(registry);
    }
}

#[OpenApi(tag = "super::Tag::Stats")]
impl PlaybacksApi {
    /// Playbacks, newest first
    ///
    /// Each as GET /stats/playback/{id} tells it, about a second later. Conditions are joined by "and". Pages are followed by the
    /// `Link` header; its cursor stays right while facts arrive.
    #[oai(
        path = "/stats/playbacks",
        method = "get",
        operation_id = "listPlaybacks"
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "an argument each is how poem-openapi documents parameters"
    )]
    async fn list(
        &self,
        request: &Request,
        accept: Accept,
        /// Only of this listener.
        user_id: Query<Option<Param<UserId>>>,
        /// Only of this track.
        track_id: Query<Option<Param<TrackId>>>,
        /// Only those in this state.
        state: Query<Option<Param<StateName>>>,
        /// Only playbacks whose first event occurred at this time or later.
        from: Query<Option<Param<Timestamp>>>,
        /// Only playbacks whose first event occurred before this time.
        to: Query<Option<Param<Timestamp>>>,
        /// The most playbacks on a page.
        limit: Query<Option<Param<Limit>>>,
        /// Where the page begins, as a `Link` header told.
        cursor: Query<Option<Param<Cursor>>>,
        /// Log positions, as `Ess-Position` of a write told them, separated by commas: the answer waits until it holds them.
        after: Query<Option<Param<After>>>,
        /// Entity tags that the caller holds.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<Answer<Playbacks>, Problem> {
        let format = Format::of(&accept, &FORMATS)?;
        let mut refused = Refused::by_name(request, &PARAMETERS);
        let (user, track) = (
            refused.query("user_id", user_id.0),
            refused.query("track_id", track_id.0),
        );
        let state = refused.query("state", state.0);
        let (from, to) = (refused.query("from", from.0), refused.query("to", to.0));
        let period = refused.keep(Period::new(from, to));
        let Limit(limit) = refused.query("limit", limit.0).unwrap_or_default();
        let cursor = refused.query("cursor", cursor.0);
        let After(after) = refused.query("after", after.0).unwrap_or_default();
        let filter = PlaybackFilter {
            user_id: user.map(|id| id.to_string()),
            track_id: track.map(|id| id.to_string()),
            state: state.map(|StateName(name)| name),
            period: period.unwrap_or_default(),
        };
        let key = match cursor {
            Some(cursor) if refused.is_empty() => {
                let key = cursor.key(filter.list());
                refused.keep(key.map_err(InvalidCursor::of_parameter))
            }
            _ => None,
        };
        let page = refused.none(Some(PlaybacksPage {
            filter,
            after: key,
            limit,
        }))?;
        let view = self.0.watch.reached_in(Layer::Playbacks, &after).await?;
        let question = Question::Playbacks(page.clone(), format);
        let reader = Arc::clone(&self.0);
        let ask = |view: Arc<View>| async move { reader.playbacks_page(&view, page, format).await };
        let kept = self.0.cache.answer(question, &view, &after, ask).await?;
        let next = kept.next.as_ref().map(|cursor| next_page(request, cursor));
        let answer = Answer::new(if_none_match.0.as_deref(), kept, format);
        Ok(answer.followed_by(next))
    }
}

/// One generation's rows.
struct Generation<'r> {
    read_model: &'r ReadModel,
    number: u32,
}

impl PlaybackRows for Generation<'_> {
    async fn list(&self, list: &PlaybacksList<'_>) -> Result<Vec<PlaybackRow>, SelectError> {
        self.read_model.select(self.number, list).await
    }
}

impl Reader {
    async fn playbacks_page(
        &self,
        view: &View,
        page: PlaybacksPage,
        format: Format,
    ) -> Result<Content, Problem> {
        let generation = Generation {
            read_model: &self.read_model,
            number: view.generation,
        };
        let (now, settle_after_ms) = (now()?, self.policy.settle_after_ms);
        let rows = page.read(&generation, now, settle_after_ms).await?;
        let told = rows
            .into_iter()
            .map(PlaybackRow::aggregate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(SelectError::from)?;
        let mut told: Vec<_> = told
            .into_iter()
            .map(|aggregate| playback::Playback::new(aggregate, self.policy, now))
            .collect();
        let limit = usize::from(page.limit);
        let has_next = told.len() > limit;
        told.truncate(limit);
        let last = told.last().filter(|_| has_next).map(|last| PlaybackKey {
            first_event_at: last.aggregate.first_event_at,
            playback_id: last.aggregate.playback_id.clone(),
        });
        let told: Vec<_> = told.into_iter().map(wire::Playback::from).collect();
        Ok(Content {
            body: json(&told, format)?,
            next: last.map(|key| Cursor::new(page.filter.list(), &key)),
            ttl: self.open_ttl,
            totals: None,
        })
    }
}
