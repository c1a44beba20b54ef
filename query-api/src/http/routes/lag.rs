//! GET /stats/lag: how long events take from being accepted to being stored.

use std::sync::Arc;

use ess_schema::{TestId, Timestamp};
use ess_service::problem::{FieldError, Problem, ProblemKind};
use poem::Request;
use poem_openapi::{
    OpenApi,
    param::{Header, Query},
    registry::{MetaMediaType, MetaSchema, MetaSchemaRef, Registry},
};

use crate::{
    http::{
        answer::{Answer, Document},
        clock::now,
        parameters::{After, Param, Refused},
        reader::Reader,
        wire,
    },
    question::{Format, LagBucket, LagBy, LagQuestion, MOST_LAG_ROWS, Question, Window},
    read::{Content, SelectError, View},
    sql::{InvalidRow, Lag, LagRow},
};

/// The lag of the read model.
pub(crate) struct LagApi(pub(crate) Arc<Reader>);

/// Rows of lags.
pub(crate) struct Lags;

impl Document for Lags {
    const ABOUT: &'static str = "The lags. One row for all events together, which is there even if there was none; with `by` or `bucket` a row for each test run, span of time or both, in the order of time, for those that hold events";
    const CHOOSES_FORMAT: bool = false;
    const PAGED: bool = false;
    const PROBLEMS: &'static [(u16, &'static str)] = &[
        (
            422,
            "A parameter is not what it may be (`errors` names it), or the question costs more than one may",
        ),
        (
            503,
            "The positions waited for are not projected yet, the read model cannot be asked, or too much is asked at once",
        ),
    ];

    fn contents() -> Vec<MetaMediaType> {
        let array = MetaSchema {
            items: Some(Box::new(wire::reference::<wire::Lag>())),
            ..MetaSchema::new("array")
        };
        vec![MetaMediaType {
            content_type: Format::Json.media_type(),
            schema: MetaSchemaRef::Inline(Box::new(array)),
        }]
    }

    fn register(registry: &mut Registry) {
        wire::register::<wire::Lag>(registry);
    }
}

#[OpenApi(tag = "super::Tag::Stats")]
impl LagApi {
    /// How long events take from being accepted to being stored
    ///
    /// Exact quantiles over the distinct events accepted in a window: of the last 15 minutes, unless told otherwise. The events
    /// of one load test are told by `test_id`, those of each by `by=test_id`, and how it went over time by `bucket`.
    #[oai(path = "/stats/lag", method = "get", operation_id = "getLag")]
    #[expect(
        clippy::too_many_arguments,
        reason = "an argument each is how poem-openapi documents parameters"
    )]
    async fn get(
        &self,
        request: &Request,
        /// Only of this test run.
        test_id: Query<Option<Param<TestId>>>,
        /// Only what was accepted at this time or later; 15 minutes before `to` by default.
        from: Query<Option<Param<Timestamp>>>,
        /// Only what was accepted before this time; now by default.
        to: Query<Option<Param<Timestamp>>>,
        /// A row for each test run, and one for the events of none, instead of one for all.
        by: Query<Option<Param<LagBy>>>,
        /// A row for each such span of time in UTC, by when the events were accepted. At most 10000 of them may lie between
        /// `from` and `to`.
        bucket: Query<Option<Param<LagBucket>>>,
        /// Log positions, as `Ess-Position` of a write told them, separated by commas: the answer waits until it holds them.
        after: Query<Option<Param<After>>>,
        /// Entity tags that the caller holds.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<Answer<Lags>, Problem> {
        let names = ["test_id", "from", "to", "by", "bucket", "after"];
        let mut refused = Refused::by_name(request, &names);
        let lag = LagQuestion {
            test_id: refused.query("test_id", test_id.0),
            from: refused.query("from", from.0),
            to: refused.query("to", to.0),
            by: refused.query("by", by.0),
            bucket: refused.query("bucket", bucket.0),
        };
        let After(after) = refused.query("after", after.0).unwrap_or_default();
        let checked = lag.check(now()?);
        let checked = checked.map_err(|error| refused.push(error)).ok();
        refused.none(checked)?;
        let view = self.0.watch.reached(&after).await?;
        let question = Question::Lag(lag.clone());
        let reader = Arc::clone(&self.0);
        let ask = |view: Arc<View>| async move { reader.lag(&view, &lag).await };
        let kept = self.0.cache.answer(question, &view, &after, ask).await?;
        Ok(Answer::new(if_none_match.0.as_deref(), kept, Format::Json))
    }
}

impl LagQuestion {
    fn too_many_rows() -> Problem {
        let error = FieldError {
            pointer: "?by".to_owned(),
            detail: format!("gives more than {MOST_LAG_ROWS} rows"),
            allowed: Some("one ?test_id, a longer ?bucket, or a shorter window".to_owned()),
        };
        Problem::new(
            ProblemKind::InvalidQuery,
            format!("{} {}", error.pointer, error.detail),
        )
        .with_errors(vec![error])
    }

    /// The rows told of `window`.
    fn told(&self, window: Window, rows: Vec<LagRow>) -> Result<Vec<wire::Lag>, InvalidRow> {
        let whole = self.by.is_none() && self.bucket.is_none();
        if rows.is_empty() && whole {
            return Ok(vec![self.nothing(window)]);
        }
        rows.into_iter().map(|row| self.row(window, row)).collect()
    }

    fn nothing(&self, Window { from, to }: Window) -> wire::Lag {
        wire::Lag {
            test_id: self.test_id.clone(),
            from,
            to,
            count: 0,
            p50_ms: None,
            p90_ms: None,
            p99_ms: None,
            max_ms: None,
        }
    }

    fn row(&self, window: Window, row: LagRow) -> Result<wire::Lag, InvalidRow> {
        let LagRow {
            bucket: start,
            run,
            events,
            quantiles,
            longest,
        } = row;
        let test_id = match self.by {
            Some(LagBy::TestId) if run.is_empty() => None,
            Some(LagBy::TestId) => Some(TestId::new(run)?),
            None => self.test_id.clone(),
        };
        let (from, to) = match self.bucket {
            Some(bucket) => (
                Timestamp::from_millis(start)?.max(window.from),
                Timestamp::from_millis(start + bucket.millis())?.min(window.to),
            ),
            None => (window.from, window.to),
        };
        let quantile = |at: usize| quantiles.get(at).copied().map(wire::Interpolated);
        Ok(wire::Lag {
            test_id,
            from,
            to,
            count: events,
            p50_ms: quantile(0),
            p90_ms: quantile(1),
            p99_ms: quantile(2),
            max_ms: Some(longest),
        })
    }
}

impl Reader {
    async fn lag(&self, view: &View, asked: &LagQuestion) -> Result<Content, Problem> {
        let window = asked.window(now()?);
        let question = Lag {
            window,
            test_id: asked.test_id.clone(),
            by_test_id: asked.by == Some(LagBy::TestId),
            bucket_ms: asked.bucket.map(LagBucket::millis),
        };
        let rows = self.read_model.select(view.generation, &question).await?;
        if rows.len() > MOST_LAG_ROWS {
            return Err(LagQuestion::too_many_rows());
        }
        let told = asked.told(window, rows).map_err(SelectError::from)?;
        let body =
            serde_json::to_vec(&told).map_err(|error| SelectError::InvalidRow(error.into()))?;
        Ok(Content {
            body,
            next: None,
            ttl: self.open_ttl,
            totals: None,
        })
    }
}

#[cfg(test)]
mod tests;
