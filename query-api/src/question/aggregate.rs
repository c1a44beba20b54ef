//! The aggregates of metrics: SQL as data, which `sql` makes expressions of. It must not build statements.

/// An SQL condition that every row meets.
pub(crate) const EVERY_ROW: &str = "1";

/// How a metric aggregates rows of `playbacks`. Texts are SQL over the columns that the metric declares; `{threshold:UInt64}` in them
/// is the listening time in ms from which a playback counts as a stream.
#[derive(Debug)]
pub(crate) enum Aggregate {
    /// The number of rows that meet a condition.
    Count(&'static str),
    /// The sum of a column.
    Sum(&'static str),
    /// The sum of two aggregates.
    Total(&'static Self, &'static Self),
    /// The number of distinct values among the rows that meet a condition. May be estimated.
    Distinct {
        /// The value.
        of: &'static str,
        /// The condition.
        among: &'static str,
    },
    /// A quantile of a value among the rows that meet a condition; null without rows. May be estimated.
    Quantile {
        /// From 0 to 1.
        level: &'static str,
        /// The value, never null.
        of: &'static str,
        /// The condition.
        among: &'static str,
    },
    /// The quotient of two aggregates; null when the divisor is 0.
    Ratio(&'static Self, &'static Self),
    /// The maximum number of playbacks at one instant of the period or time bucket.
    PeakConcurrent,
}

impl Aggregate {
    /// Whether it is an integer and never null; otherwise it is a number or null.
    pub(crate) const fn is_count(&self) -> bool {
        !matches!(self, Self::Ratio(..) | Self::Quantile { .. })
    }

    /// Whether `approx=true` estimates it.
    #[cfg(test)]
    pub(crate) fn is_estimable(&self) -> bool {
        match self {
            Self::Count(_) | Self::Sum(_) | Self::PeakConcurrent => false,
            Self::Distinct { .. } | Self::Quantile { .. } => true,
            Self::Total(left, right) | Self::Ratio(left, right) => {
                left.is_estimable() || right.is_estimable()
            }
        }
    }

    /// Its texts of SQL.
    #[cfg(test)]
    pub(super) fn texts(&self) -> Vec<&'static str> {
        match self {
            Self::Count(condition) => vec![condition],
            Self::Sum(column) => vec![column],
            Self::Distinct { of, among } | Self::Quantile { of, among, .. } => vec![of, among],
            Self::Total(left, right) | Self::Ratio(left, right) => {
                [left.texts(), right.texts()].concat()
            }
            Self::PeakConcurrent => Vec::new(),
        }
    }
}
