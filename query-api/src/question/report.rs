//! The report: metrics of many playbacks by dimensions, filtered, sorted and paged. It decides which parts can be combined.

use ess_service::problem::FieldError;

use crate::question::{
    cursor::Fingerprint,
    dimension::{Dimension, TimeBucket},
    filter::Filter,
    metric::Metric,
    period::Period,
    refusal::joined,
    row_key::RowKey,
};

/// The maximum number of dimensions of a report.
const MAX_DIMENSIONS: usize = 4;

/// A key that a report is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SortKey {
    pub(crate) by: ReportColumn,
    pub(crate) descending: bool,
}

/// A column of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ReportColumn {
    Dimension(Dimension),
    Metric(Metric),
}

/// The report.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Report {
    pub(crate) metrics: Vec<Metric>,
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) period: Period,
    /// The IANA time zone of time buckets.
    pub(crate) timezone: String,
    /// Whether distinct users and quantiles may be estimated.
    pub(crate) approx: bool,
    /// Contains every dimension, so that the order of rows is total.
    pub(crate) sort: Vec<SortKey>,
    pub(crate) limit: u16,
    pub(crate) start: Option<RowKey>,
}

impl ReportColumn {
    /// Its name in questions and answers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dimension(dimension) => dimension.name(),
            Self::Metric(metric) => metric.name(),
        }
    }
}

impl Report {
    /// The list that its pages are parts of.
    pub(crate) fn list(&self) -> Fingerprint {
        Fingerprint::of::<RowKey>([("report", self.identity())])
    }

    /// The columns of its answer.
    pub(crate) fn columns(&self) -> impl Iterator<Item = ReportColumn> {
        let dimensions = self.dimensions.iter().copied().map(ReportColumn::Dimension);
        dimensions.chain(self.metrics.iter().copied().map(ReportColumn::Metric))
    }

    /// The index of a column.
    pub(crate) fn position(&self, wanted: ReportColumn) -> Option<usize> {
        self.columns().position(|column| column == wanted)
    }

    /// The time bucket among its dimensions, if any.
    pub(crate) fn bucket(&self) -> Option<TimeBucket> {
        self.dimensions
            .iter()
            .find_map(|dimension| match dimension {
                Dimension::Time(bucket) => Some(*bucket),
                Dimension::Attribute(_) => None,
            })
    }

    /// The report of the same metrics over all rows.
    pub(crate) fn totals(&self) -> Self {
        Self {
            dimensions: Vec::new(),
            sort: Vec::new(),
            start: None,
            ..self.clone()
        }
    }

    /// Identifies the list that the report pages through: everything but the limit and the start of the page.
    fn identity(&self) -> String {
        let Self {
            metrics: _,
            dimensions: _,
            filters,
            period,
            timezone,
            approx,
            sort,
            limit: _,
            start: _,
        } = self;
        let columns: Vec<_> = self.columns().map(ReportColumn::name).collect();
        let sort: Vec<_> = sort
            .iter()
            .map(|key| (key.by.name(), key.descending))
            .collect();
        format!("{columns:?}{filters:?}{period:?}{timezone}{approx}{sort:?}")
    }
}

/// Checks that dimensions can be combined.
///
/// # Errors
/// `?dimensions`, when they cannot.
pub(crate) fn check_dimensions(dimensions: &[Dimension]) -> Result<(), FieldError> {
    let times = dimensions
        .iter()
        .filter(|dimension| matches!(dimension, Dimension::Time(_)));
    let (detail, allowed) = if dimensions.len() > MAX_DIMENSIONS {
        (
            format!("{} dimensions", dimensions.len()),
            format!("at most {MAX_DIMENSIONS}"),
        )
    } else if times.count() > 1 {
        (
            "more than one time bucket".to_owned(),
            format!(
                "one of {} beside other dimensions",
                joined(TimeBucket::names())
            ),
        )
    } else {
        return Ok(());
    };
    Err(FieldError {
        pointer: "?dimensions".to_owned(),
        detail,
        allowed: Some(allowed),
    })
}

/// The full order of a report: the requested sort keys, then every other dimension.
///
/// # Errors
/// `?sort`, when it names a column that the report does not have.
pub(crate) fn order(
    requested: &[(String, bool)],
    dimensions: &[Dimension],
    metrics: &[Metric],
) -> Result<Vec<SortKey>, FieldError> {
    let columns: Vec<ReportColumn> = dimensions
        .iter()
        .copied()
        .map(ReportColumn::Dimension)
        .chain(metrics.iter().copied().map(ReportColumn::Metric))
        .collect();
    let mut sort: Vec<SortKey> = Vec::new();
    for (name, descending) in requested {
        let found = columns.iter().find(|column| column.name() == name);
        let by = *found.ok_or_else(|| unknown_sort(name, &columns))?;
        if sort.iter().all(|key| key.by != by) {
            let descending = *descending;
            sort.push(SortKey { by, descending });
        }
    }
    for dimension in dimensions {
        let by = ReportColumn::Dimension(*dimension);
        if sort.iter().all(|key| key.by != by) {
            let descending = false;
            sort.push(SortKey { by, descending });
        }
    }
    Ok(sort)
}

fn unknown_sort(name: &str, columns: &[ReportColumn]) -> FieldError {
    let shown: String = name.chars().take(60).collect();
    let names: Vec<_> = columns.iter().map(|column| column.name()).collect();
    FieldError {
        pointer: "?sort".to_owned(),
        detail: format!("unknown sort key {shown:?}"),
        allowed: Some(format!(
            "one of {}, each with - before it for descending order",
            names.join(", ")
        )),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::question::dimension::Attribute;

    /// A report of these metrics and dimensions over all playbacks.
    pub(crate) fn report(metrics: &[Metric], dimensions: &[Dimension]) -> Report {
        Report {
            metrics: metrics.to_vec(),
            dimensions: dimensions.to_vec(),
            filters: Vec::new(),
            period: Period::default(),
            timezone: "UTC".to_owned(),
            approx: false,
            sort: order(&[], dimensions, metrics).unwrap(),
            limit: 100,
            start: None,
        }
    }

    #[test]
    fn the_order_of_rows_is_total() {
        let dimensions = [
            Dimension::Time(TimeBucket::Day),
            Dimension::Attribute(Attribute::Country),
        ];
        let requested = [("plays".to_owned(), true), ("country".to_owned(), true)];
        let sort = order(&requested, &dimensions, &[Metric::Plays]).unwrap();
        let found: Vec<_> = sort
            .iter()
            .map(|key| (key.by.name(), key.descending))
            .collect();
        assert_eq!(found, [("plays", true), ("country", true), ("day", false)]);
    }

    #[test]
    fn only_requested_columns_can_be_sorted_by() {
        let refused = order(&[("streams".to_owned(), true)], &[], &[Metric::Plays]).unwrap_err();
        assert_eq!(refused.pointer, "?sort");
        assert!(refused.allowed.unwrap().starts_with("one of plays, each"));
    }

    #[test]
    fn invalid_combinations_of_dimensions_are_refused() {
        let times = [
            Dimension::Time(TimeBucket::Day),
            Dimension::Time(TimeBucket::Hour),
        ];
        assert!(check_dimensions(&times).is_err());
        let texts = Attribute::dimensions()
            .map(Dimension::Attribute)
            .collect::<Vec<_>>();
        assert!(check_dimensions(&texts[..4]).is_ok());
        assert!(check_dimensions(&texts[..5]).is_err());
    }
}
