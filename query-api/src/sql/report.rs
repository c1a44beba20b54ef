//! A report as SQL over `playbacks`, which has one row a playback, so that counts and sums are of distinct events.

mod aggregate;
mod keyset;
mod presence;
mod scope;
mod span;

use self::aggregate::AggregateWriter;
pub(crate) use self::{
    scope::{FINAL_SETTINGS, Scope},
    span::SpanOf,
};
use super::{
    Sql,
    tabular::{Kind, SelectColumns},
};
use crate::question::{Aggregate, Dimension, Report, ReportColumn, SortKey, TimeBucket};

/// Selects the rows of a report. `threshold_ms` is the listening time from which a playback counts as a stream.
#[derive(Debug)]
pub(crate) struct ReportRows<'r> {
    pub(crate) report: &'r Report,
    pub(crate) threshold_ms: u64,
}

/// The start of the bucket that contains `time`.
fn start_of(bucket: TimeBucket, time: &str) -> String {
    bucket.declaration().start.replace("{time}", time)
}

impl ReportRows<'_> {
    /// Whether it counts playbacks at once, for which it needs those that began before the period, too.
    fn has_peak(&self) -> bool {
        let mut metrics = self.report.metrics.iter();
        metrics.any(|metric| matches!(metric.declaration().aggregate, Aggregate::PeakConcurrent))
    }

    /// The SQL of a column, as a value that compares and sorts.
    fn expression(&self, column: ReportColumn) -> String {
        match column {
            ReportColumn::Metric(metric) => AggregateWriter {
                approx: self.report.approx,
                presences: self.has_peak(),
            }
            .expression(&metric.declaration().aggregate),
            ReportColumn::Dimension(Dimension::Attribute(text)) => {
                format!("toString({})", text.column())
            }
            ReportColumn::Dimension(Dimension::Time(bucket)) => {
                let start = if self.has_peak() {
                    "bucket".to_owned()
                } else {
                    start_of(bucket, "first_event_at")
                };
                format!("toInt64(toUnixTimestamp({start})) * 1000")
            }
        }
    }

    fn group_by(&self) -> String {
        if self.report.dimensions.is_empty() {
            return String::new();
        }
        let columns: Vec<_> = (0..self.report.dimensions.len())
            .map(|at| format!("c{at}"))
            .collect();
        format!("GROUP BY {}\n", columns.join(", "))
    }

    fn order_by(&self) -> String {
        let keys = self.report.sort.iter();
        let keys: Vec<_> = keys.filter_map(|key| self.ordered(*key)).collect();
        if keys.is_empty() {
            return String::new();
        }
        format!("ORDER BY {}\n", keys.join(", "))
    }

    /// Unknown values come last in either order.
    fn ordered(&self, key: SortKey) -> Option<String> {
        let at = self.report.position(key.by)?;
        let direction = if key.descending { "DESC" } else { "ASC" };
        Some(match kind(key.by) {
            Kind::Text => format!("empty(c{at}) ASC, c{at} {direction}"),
            Kind::Integer | Kind::Number => format!("c{at} {direction} NULLS LAST"),
        })
    }
}

/// The kind of a report's column.
pub(crate) fn kind(column: ReportColumn) -> Kind {
    match column {
        ReportColumn::Dimension(Dimension::Attribute(_)) => Kind::Text,
        ReportColumn::Dimension(Dimension::Time(_)) => Kind::Integer,
        ReportColumn::Metric(metric) if metric.declaration().aggregate.is_count() => Kind::Integer,
        ReportColumn::Metric(_) => Kind::Number,
    }
}

impl SelectColumns for ReportRows<'_> {
    const NAME: &'static str = "report";

    fn kinds(&self) -> Vec<Kind> {
        self.report.columns().map(kind).collect()
    }

    fn to_sql(&self) -> Sql {
        let report = self.report;
        let columns: Vec<_> = report
            .columns()
            .enumerate()
            .map(|(at, column)| format!("{} AS c{at}", self.expression(column)))
            .collect();
        let mut scope = Scope::new(report.period, &report.filters);
        let source = if self.has_peak() {
            presence::rows(&mut scope, report.bucket())
        } else {
            scope.playbacks()
        };
        let having = keyset::after(report, &mut scope);
        let text = format!(
            "SELECT\n    {}\nFROM {source}\n{}{having}{}LIMIT {{rows:UInt32}}",
            columns.join(",\n    "),
            self.group_by(),
            self.order_by(),
        );
        let mut sql = scope.bound(text);
        if sql.text.contains("{timezone:") {
            sql = sql.bind("timezone", report.timezone.as_str());
        }
        if sql.text.contains("{threshold:") {
            sql = sql.bind("threshold", self.threshold_ms.cast_signed());
        }
        // One more row than the limit shows that there is a next page.
        sql.bind("rows", i64::from(report.limit) + 1)
            .with(FINAL_SETTINGS)
    }
}

#[cfg(test)]
mod tests;
