//! A composable question about many playbacks: metrics of them, by dimensions, filtered, sorted and paged. What can be combined is
//! decided here; no I/O.

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

/// The most dimensions of one report.
const MOST_DIMENSIONS: usize = 4;

/// What a report is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SortKey {
    pub(crate) by: Column,
    pub(crate) descending: bool,
}

/// A column of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Column {
    Dimension(Dimension),
    Metric(Metric),
}

/// The question.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Report {
    pub(crate) metrics: Vec<Metric>,
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) period: Period,
    /// The IANA time zone whose clocks cut time buckets.
    pub(crate) timezone: String,
    /// Whether distinct users and quantiles may be estimated.
    pub(crate) approx: bool,
    /// Every dimension is in it, so that no two rows are equal.
    pub(crate) sort: Vec<SortKey>,
    pub(crate) limit: u16,
    pub(crate) start: Option<RowKey>,
}

impl Column {
    /// Its name in questions and answers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dimension(dimension) => dimension.name(),
            Self::Metric(metric) => metric.name(),
        }
    }
}

impl Report {
    /// What its cursors are places in.
    pub(crate) fn list(&self) -> Fingerprint {
        Fingerprint::of::<RowKey>([("report", self.identity())])
    }

    /// The columns of its answer.
    pub(crate) fn columns(&self) -> impl Iterator<Item = Column> {
        let dimensions = self.dimensions.iter().copied().map(Column::Dimension);
        dimensions.chain(self.metrics.iter().copied().map(Column::Metric))
    }

    /// Where a column stands among them.
    pub(crate) fn position(&self, wanted: Column) -> Option<usize> {
        self.columns().position(|column| column == wanted)
    }

    /// The time bucket it is by, if it is by one.
    pub(crate) fn bucket(&self) -> Option<TimeBucket> {
        self.dimensions
            .iter()
            .find_map(|dimension| match dimension {
                Dimension::Time(bucket) => Some(*bucket),
                Dimension::Attribute(_) => None,
            })
    }

    /// The same metrics of all rows together.
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
        let columns: Vec<_> = self.columns().map(Column::name).collect();
        let sort: Vec<_> = sort
            .iter()
            .map(|key| (key.by.name(), key.descending))
            .collect();
        format!("{columns:?}{filters:?}{period:?}{timezone}{approx}{sort:?}")
    }
}

/// What is wrong with a list of dimensions, if anything.
pub(crate) fn impossible(dimensions: &[Dimension]) -> Option<FieldError> {
    let times = dimensions
        .iter()
        .filter(|dimension| matches!(dimension, Dimension::Time(_)));
    let (detail, allowed) = if dimensions.len() > MOST_DIMENSIONS {
        (
            format!("has {} dimensions", dimensions.len()),
            format!("at most {MOST_DIMENSIONS}"),
        )
    } else if times.count() > 1 {
        (
            "has more than one time bucket".to_owned(),
            format!(
                "one of {} beside other dimensions",
                joined(TimeBucket::names())
            ),
        )
    } else {
        return None;
    };
    Some(FieldError {
        pointer: "?dimensions".to_owned(),
        detail,
        allowed: Some(allowed),
    })
}

/// The full order of a report: as asked, then by every dimension that was not named.
///
/// # Errors
/// `?sort`, when it names what the report does not hold.
pub(crate) fn order(
    asked: &[(String, bool)],
    dimensions: &[Dimension],
    metrics: &[Metric],
) -> Result<Vec<SortKey>, FieldError> {
    let columns: Vec<Column> = dimensions
        .iter()
        .copied()
        .map(Column::Dimension)
        .chain(metrics.iter().copied().map(Column::Metric))
        .collect();
    let mut sort: Vec<SortKey> = Vec::new();
    for (name, descending) in asked {
        let found = columns.iter().find(|column| column.name() == name);
        let by = *found.ok_or_else(|| unknown_sort(name, &columns))?;
        if sort.iter().all(|key| key.by != by) {
            let descending = *descending;
            sort.push(SortKey { by, descending });
        }
    }
    for dimension in dimensions {
        let by = Column::Dimension(*dimension);
        if sort.iter().all(|key| key.by != by) {
            let descending = false;
            sort.push(SortKey { by, descending });
        }
    }
    Ok(sort)
}

fn unknown_sort(name: &str, columns: &[Column]) -> FieldError {
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

    /// A report of these metrics and dimensions over everything.
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
    fn no_two_rows_are_equal_in_the_order() {
        let dimensions = [
            Dimension::Time(TimeBucket::Day),
            Dimension::Attribute(Attribute::Country),
        ];
        let asked = [("plays".to_owned(), true), ("country".to_owned(), true)];
        let sort = order(&asked, &dimensions, &[Metric::Plays]).unwrap();
        let told: Vec<_> = sort
            .iter()
            .map(|key| (key.by.name(), key.descending))
            .collect();
        assert_eq!(told, [("plays", true), ("country", true), ("day", false)]);
    }

    #[test]
    fn only_what_is_asked_for_can_be_sorted_by() {
        let refused = order(&[("streams".to_owned(), true)], &[], &[Metric::Plays]).unwrap_err();
        assert_eq!(refused.pointer, "?sort");
        assert!(refused.allowed.unwrap().starts_with("one of plays, each"));
    }

    #[test]
    fn what_cannot_be_combined_is_named() {
        let times = [
            Dimension::Time(TimeBucket::Day),
            Dimension::Time(TimeBucket::Hour),
        ];
        assert!(impossible(&times).is_some());
        let texts = Attribute::dimensions()
            .map(Dimension::Attribute)
            .collect::<Vec<_>>();
        assert!(impossible(&texts[..4]).is_none());
        assert!(impossible(&texts[..5]).is_some());
    }
}
