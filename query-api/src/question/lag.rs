//! The question about the lag: the time from the ingest of events to their storage.

use ess_schema::{TestId, Timestamp};
use ess_service::problem::FieldError;

/// The maximum number of rows of an answer.
pub(crate) const MAX_LAG_ROWS: usize = 10_000;

/// A span of time from `from` to `to`, exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// The default length of the window.
const DEFAULT_SPAN_MS: i64 = 15 * 60 * 1_000;

/// The question. Its window is as the caller gave it, so that the default window is one question for all callers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LagQuestion {
    pub(crate) test_id: Option<TestId>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    pub(crate) by: Option<LagBy>,
    pub(crate) bucket: Option<LagBucket>,
}

/// The grouping of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum LagBy {
    /// One row for each test run.
    TestId,
}

/// The length of a time bucket, aligned to 1970 in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum LagBucket {
    /// 1 s.
    Second,
    /// 60 s.
    Minute,
    /// 60 min.
    Hour,
    /// 24 h.
    Day,
}

impl LagBy {
    /// Every grouping.
    pub(crate) const ALL: [Self; 1] = [Self::TestId];

    /// Its name in questions.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::TestId => "test_id",
        }
    }
}

impl LagBucket {
    /// Every length.
    pub(crate) const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::Hour, Self::Day];

    /// Its name in questions.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// Its length in ms.
    pub(crate) const fn millis(self) -> i64 {
        match self {
            Self::Second => 1_000,
            Self::Minute => 60 * 1_000,
            Self::Hour => 60 * 60 * 1_000,
            Self::Day => 24 * 60 * 60 * 1_000,
        }
    }
}

impl LagQuestion {
    /// The window at this time.
    pub(crate) fn window(&self, now: Timestamp) -> Window {
        let to = self.to.unwrap_or(now);
        let from = self.from.unwrap_or(to.plus_millis(-DEFAULT_SPAN_MS));
        Window { from, to }
    }

    /// Checks the parameters together.
    ///
    /// # Errors
    /// The invalid parameter.
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), FieldError> {
        let Window { from, to } = self.window(now);
        let refuse = |name: &str, detail: String, allowed: String| {
            Err(FieldError {
                pointer: format!("?{name}"),
                detail,
                allowed: Some(allowed),
            })
        };
        if from > to {
            let (name, other) = if self.to.is_some() {
                ("to", format!("{to} is earlier than ?from, {from}"))
            } else {
                ("from", format!("{from} is later than now, {to}"))
            };
            return refuse(name, other, "a window that ends after it begins".to_owned());
        }
        let buckets = |bucket: LagBucket| to.millis_since(from) / bucket.millis();
        match self.bucket.map(buckets) {
            Some(many) if many > MAX_LAG_ROWS as i64 => refuse(
                "bucket",
                format!("{many} buckets in the window"),
                format!("at most {MAX_LAG_ROWS} buckets: use longer ones, or a shorter window"),
            ),
            _ => Ok(()),
        }
    }
}
