//! Questions about the lag: how long events take from being accepted to being stored.

use ess_schema::{TestId, Timestamp};
use ess_service::problem::FieldError;

/// The most rows of an answer.
pub(crate) const MOST_LAG_ROWS: usize = 10_000;

/// A span of time: `from`, and up to but without `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// How far back it is told by default.
const DEFAULT_SPAN_MS: i64 = 15 * 60 * 1_000;

/// What is asked; its window as the caller told it, so that the last quarter of an hour is one question to everyone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LagQuestion {
    pub(crate) test_id: Option<TestId>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    pub(crate) by: Option<LagBy>,
    pub(crate) bucket: Option<LagBucket>,
}

/// What the lag is told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum LagBy {
    /// A row for each test run.
    TestId,
}

/// Spans of time of equal length, counted from 1970 in UTC.
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
    /// All of them.
    pub(crate) const ALL: [Self; 1] = [Self::TestId];

    /// Its name in questions.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::TestId => "test_id",
        }
    }
}

impl LagBucket {
    /// All of them.
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
    /// The window that is meant now.
    pub(crate) fn window(&self, now: Timestamp) -> Window {
        let to = self.to.unwrap_or(now);
        let from = self.from.unwrap_or(to.plus_millis(-DEFAULT_SPAN_MS));
        Window { from, to }
    }

    /// Checks what no single parameter can tell.
    ///
    /// # Errors
    /// The parameter at fault.
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
            Some(many) if many > MOST_LAG_ROWS as i64 => refuse(
                "bucket",
                format!("cuts the window into {many} parts"),
                format!("at most {MOST_LAG_ROWS}: a longer one, or a shorter window"),
            ),
            _ => Ok(()),
        }
    }
}
