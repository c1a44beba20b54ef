//! GET /stats/lag: how long events take from acceptance to storage.

use ess_schema::{TestId, Timestamp};
use ess_service::problem::{FieldError, Problem, ProblemKind};
use poem_openapi::registry::{MetaMediaType, Registry};

use crate::{
    http::{
        arguments::arguments,
        bodies,
        cached_read::CachedRead,
        clock::now,
        document::{self, DocumentedProblem, INVALID_OR_EXPENSIVE, UNAVAILABLE},
        operation::{Entry, Tag},
        parameter_errors::ParameterErrors,
        reader::Reader,
        wire,
    },
    question::{Format, LagBucket, LagBy, LagQuestion, MAX_LAG_ROWS, Question, Window},
    read::{Content, SelectError},
    sql::{InvalidRow, LagQuery, LagRow},
};

/// The operation.
pub(crate) struct GetLag;

arguments! {
    /// Its arguments.
    pub(crate) struct LagArguments {
        /// Only events of this test run.
        Query test_id: TestId,
        /// Only events accepted at this time or later; by default 15 minutes before `to`.
        Query from: Timestamp,
        /// Only events accepted before this time; by default now.
        Query to: Timestamp,
        /// One row per test run, and one for events without a test run, instead of one row for all.
        Query by: LagBy,
        /// One row per time bucket in UTC, by when the events were accepted. At most 10000 buckets between `from` and `to`.
        Query bucket: LagBucket,
    }
}

impl CachedRead for GetLag {
    const ENTRY: Entry = Entry {
        path: "/stats/lag",
        id: "getLag",
        tag: Tag::Stats,
        summary: "Get the lag from acceptance to storage",
        description: "Exact quantiles over the distinct events accepted in a window, by default the last 15 minutes. `test_id` selects the events of one load test, `by=test_id` compares load tests, and `bucket` shows the lag over time.",
    };
    type Arguments = LagArguments;
    const FORMATS: &'static [Format] = &[Format::Json];
    const SUCCESS: &'static str = "The lags. One row for all events together, present even without events; with `by` or `bucket` one row per test run, time bucket or both, in the order of time, for those with events";
    const PROBLEMS: &'static [DocumentedProblem] = &[INVALID_OR_EXPENSIVE, UNAVAILABLE];

    fn bodies() -> Vec<MetaMediaType> {
        let array = document::inline(document::array::<wire::Lag>());
        vec![document::body(Format::Json, array)]
    }

    fn register(registry: &mut Registry) {
        wire::register::<wire::Lag>(registry);
    }

    fn question(
        LagArguments {
            test_id,
            from,
            to,
            by,
            bucket,
        }: LagArguments,
        _: Format,
        errors: &mut ParameterErrors,
    ) -> Option<Question> {
        let lag = LagQuestion {
            test_id,
            from,
            to,
            by,
            bucket,
        };
        // A machine whose clock is wrong fails when it reads the answer.
        if let Ok(now) = now() {
            errors.check(lag.check(now))?;
        }
        Some(Question::Lag(lag))
    }
}

impl LagQuestion {
    fn too_many_rows() -> Problem {
        let error = FieldError {
            pointer: "?by".to_owned(),
            detail: format!("more than {MAX_LAG_ROWS} rows"),
            allowed: Some("one ?test_id, a longer ?bucket, or a shorter window".to_owned()),
        };
        Problem::new(
            ProblemKind::InvalidQuery,
            format!("{}: {}", error.pointer, error.detail),
        )
        .with_errors(vec![error])
    }

    /// The lags of `window`.
    fn lags(&self, window: Window, rows: Vec<LagRow>) -> Result<Vec<wire::Lag>, InvalidRow> {
        let is_total = self.by.is_none() && self.bucket.is_none();
        if rows.is_empty() && is_total {
            return Ok(vec![self.empty(window)]);
        }
        rows.into_iter().map(|row| self.row(window, row)).collect()
    }

    fn empty(&self, Window { from, to }: Window) -> wire::Lag {
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
    /// The lags in a generation.
    pub(crate) async fn lag(
        &self,
        generation: u32,
        question: &LagQuestion,
    ) -> Result<Content, Problem> {
        let window = question.window(now()?);
        let lag = LagQuery {
            window,
            test_id: question.test_id.clone(),
            by_test_id: question.by == Some(LagBy::TestId),
            bucket_ms: question.bucket.map(LagBucket::millis),
        };
        let rows = self.read_model.select(generation, &lag).await?;
        if rows.len() > MAX_LAG_ROWS {
            return Err(LagQuestion::too_many_rows());
        }
        let lags = question.lags(window, rows).map_err(SelectError::from)?;
        Ok(self.open(bodies::json(&lags)?))
    }
}

#[cfg(test)]
mod tests;
