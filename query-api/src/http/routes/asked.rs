//! What a report is composed of, as the parameters of a request told it. Every mistake is kept, so that a caller learns of all at once.

use ess_schema::Timestamp;
use ess_service::problem::FieldError;

use crate::{
    http::parameters::{Dimensions, Filters, Order, Refused, Zone},
    question::{
        Cursor, Dimension, InvalidCursor, Metric, Period, Report, RowKey, impossible, order,
    },
};

/// The parts of a report.
#[derive(Debug, Default)]
pub(super) struct Asked {
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

impl Asked {
    /// The report, if nothing was refused; what the parts say together is checked here.
    pub(super) fn compose(self, refused: &mut Refused) -> Option<Report> {
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
        let period = refused.keep(Period::new(from, to));
        if let Some(error) = impossible(&dimensions) {
            refused.push(error);
        }
        let sort = sort.unwrap_or_default().0;
        // A sort key may be what was refused itself.
        let sort = if refused.is_empty() {
            refused.keep(order(&sort, &dimensions, &metrics))
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
            report.start = refused.keep(begin(&report, &cursor));
        }
        refused.is_empty().then_some(report)
    }
}

fn begin(report: &Report, cursor: &Cursor) -> Result<RowKey, FieldError> {
    let key: RowKey = cursor
        .key(report.list())
        .map_err(InvalidCursor::of_parameter)?;
    if key.0.len() == report.sort.len() {
        Ok(key)
    } else {
        Err(InvalidCursor::OtherQuestion.of_parameter())
    }
}
