//! The arguments of a report, and the report that they compose. All errors are collected, so that a caller learns of every one.

use ess_schema::Timestamp;
use ess_service::problem::FieldError;

use crate::{
    http::{
        parameter_errors::ParameterErrors,
        parameters::{Dimensions, Filters, Order, Zone},
    },
    question::{
        Cursor, Dimension, InvalidCursor, Metric, Period, Report, RowKey, check_dimensions, order,
    },
};

/// The arguments of a report.
#[derive(Debug, Default)]
pub(super) struct ReportRequest {
    pub(super) metrics: Vec<Metric>,
    pub(super) dimensions: Option<Dimensions>,
    pub(super) filters: Option<Filters>,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    pub(super) zone: Option<Zone>,
    pub(super) sort: Option<Order>,
    pub(super) approx: bool,
    pub(super) limit: u16,
    pub(super) cursor: Option<Cursor>,
}

impl ReportRequest {
    /// The report, if all arguments are valid and do not contradict each other.
    pub(super) fn compose(self, errors: &mut ParameterErrors) -> Option<Report> {
        let Self {
            metrics,
            dimensions,
            filters,
            from,
            to,
            zone,
            sort,
            approx,
            limit,
            cursor,
        } = self;
        let dimensions: Vec<Dimension> = dimensions.unwrap_or_default().0;
        let period = errors.check(Period::new(from, to));
        if let Err(error) = check_dimensions(&dimensions) {
            errors.push(error);
        }
        let sort = sort.unwrap_or_default().0;
        // While a metric or dimension is invalid, it is unknown whether the report has the sort keys.
        let sort = if errors.is_empty() {
            errors.check(order(&sort, &dimensions, &metrics))
        } else {
            None
        };
        let mut report = Report {
            metrics,
            dimensions,
            filters: filters.unwrap_or_default().0,
            period: period?,
            timezone: zone.unwrap_or_default().0,
            approx,
            sort: sort?,
            limit,
            start: None,
        };
        if let Some(cursor) = cursor {
            report.start = errors.check(start(&report, &cursor));
        }
        errors.is_empty().then_some(report)
    }
}

fn start(report: &Report, cursor: &Cursor) -> Result<RowKey, FieldError> {
    let key: RowKey = cursor
        .key(report.list())
        .map_err(InvalidCursor::of_parameter)?;
    if key.0.len() == report.sort.len() {
        Ok(key)
    } else {
        Err(InvalidCursor::OtherQuestion.of_parameter())
    }
}
