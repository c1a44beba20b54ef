//! The SQL of the aggregates that metrics declare.

use crate::question::{Aggregate, EVERY_ROW};

/// How aggregates become SQL.
#[derive(Debug, Clone, Copy)]
pub(super) struct AggregateWriter {
    /// Whether distinct counts and quantiles are estimated.
    pub(super) approx: bool,
    /// Whether the rows are presences: then only those with `begins` count, except for the number of playbacks at once.
    pub(super) presences: bool,
}

impl AggregateWriter {
    /// The expression of an aggregate.
    pub(super) fn expression(self, aggregate: &Aggregate) -> String {
        match aggregate {
            Aggregate::Count(condition) => format!("countIf({})", self.rows(condition)),
            Aggregate::Sum(column) => format!("sumIf({column}, {})", self.rows(EVERY_ROW)),
            Aggregate::Total(left, right) => {
                format!("({} + {})", self.expression(left), self.expression(right))
            }
            Aggregate::Distinct { of, among } => {
                let function = if self.approx {
                    "uniqCombined64If"
                } else {
                    "uniqExactIf"
                };
                format!("{function}({of}, {})", self.rows(among))
            }
            Aggregate::Quantile { level, of, among } => {
                let function = if self.approx {
                    "quantileTDigestIf"
                } else {
                    "quantileExactInclusiveIf"
                };
                let quantile = format!("{function}({level})({of}, {})", self.rows(among));
                // Without rows it is not a number.
                format!("if(isNaN({quantile}), NULL, {quantile})")
            }
            Aggregate::Ratio(dividend, divisor) => {
                let (dividend, divisor) = (self.expression(dividend), self.expression(divisor));
                format!("{dividend} / nullIf({divisor}, 0)")
            }
            Aggregate::PeakConcurrent => "maxIntersections(present_from, present_to)".to_owned(),
        }
    }

    fn rows(self, condition: &str) -> String {
        match (self.presences, condition) {
            (false, condition) => condition.to_owned(),
            (true, EVERY_ROW) => "begins".to_owned(),
            (true, condition) => format!("begins AND {condition}"),
        }
    }
}
