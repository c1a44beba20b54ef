//! The question for every metric of one track or one user.

use super::{dimension::Attribute, filter::Filter, metric::Metric, period::Period, report::Report};

/// Selects the playbacks with this value that began in the period.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Summary {
    pub(crate) attribute: Attribute,
    pub(crate) value: String,
    pub(crate) period: Period,
}

impl Summary {
    /// As a report of one row.
    pub(crate) fn report(&self) -> Report {
        let filter = Filter::Attribute {
            attribute: self.attribute,
            is_in: true,
            values: vec![self.value.clone()],
        };
        Report {
            metrics: Metric::ALL.to_vec(),
            dimensions: Vec::new(),
            filters: vec![filter],
            period: self.period,
            timezone: "UTC".to_owned(),
            approx: false,
            sort: Vec::new(),
            limit: 1,
            start: None,
        }
    }
}
