//! GET /stats/top: a ranking, which is a report by one dimension in the descending order of one metric.

use ess_schema::Timestamp;
use poem_openapi::registry::{MetaMediaType, Registry};

use super::report_request::ReportRequest;
use crate::{
    http::{
        arguments::arguments,
        bodies,
        cached_read::CachedRead,
        document::{DocumentedProblem, PROBLEMS_OF_MANY},
        operation::{Entry, Tag},
        parameter_errors::ParameterErrors,
        parameters::{Dimensions, Filters, Flag, Limit, Metrics, Order, Ranked, RankedBy},
        wire,
    },
    question::{Cursor, Dimension, Format, Metric, Question},
};

/// The operation.
pub(crate) struct GetTop;

arguments! {
    /// Its arguments.
    pub(crate) struct TopArguments {
        /// What is ranked.
        Required of: Ranked,
        /// The metric that ranks.
        Query by: RankedBy,
        /// The metrics of each row, separated by commas; by default the metric that ranks.
        Query metrics: Metrics,
        /// Conditions, as in GET /stats/report.
        Query filters: Filters,
        /// Only playbacks whose first event occurred at this time or later.
        Query from: Timestamp,
        /// Only playbacks whose first event occurred before this time.
        Query to: Timestamp,
        /// The maximum number of rows on a page.
        Query limit: Limit,
        /// The cursor of a `Link` header.
        Query cursor: Cursor,
        /// Whether distinct listeners and quantiles may be estimated.
        Query approx: Flag,
    }
}

impl CachedRead for GetTop {
    const ENTRY: Entry = Entry {
        path: "/stats/top",
        id: "getTop",
        tag: Tag::Stats,
        summary: "Get a ranking by one metric",
        description: "Tracks, users, countries and so on, in the descending order of a metric over the playbacks that began in a period; equal ones in the order of their names. Playbacks without the ranked attribute count for null.",
    };
    type Arguments = TopArguments;
    const FORMATS: &'static [Format] = &Format::ALL;
    const SUCCESS: &'static str =
        "One page of the ranking, the greatest first, with rows as in GET /stats/report";
    const PAGED: bool = true;
    const PROBLEMS: &'static [DocumentedProblem] = PROBLEMS_OF_MANY;

    fn bodies() -> Vec<MetaMediaType> {
        bodies::documented_rows()
    }

    fn register(registry: &mut Registry) {
        wire::register::<wire::ReportRow>(registry);
    }

    fn question(
        arguments: TopArguments,
        format: Format,
        errors: &mut ParameterErrors,
    ) -> Option<Question> {
        let TopArguments {
            of,
            by,
            metrics,
            filters,
            from,
            to,
            limit,
            cursor,
            approx,
        } = arguments;
        let RankedBy(by) = by.unwrap_or(RankedBy(Metric::Plays));
        let request = ReportRequest {
            metrics: with_ranking_metric(by, metrics),
            dimensions: of
                .map(|Ranked(attribute)| Dimensions(vec![Dimension::Attribute(attribute)])),
            filters,
            from,
            to,
            zone: None,
            sort: Some(Order(vec![(by.name().to_owned(), true)])),
            approx: approx.unwrap_or_default().0,
            limit: limit.unwrap_or_default().0,
            cursor,
        };
        Some(Question::Report(request.compose(errors)?, false, format))
    }
}

/// The requested metrics and the one that ranks.
fn with_ranking_metric(by: Metric, requested: Option<Metrics>) -> Vec<Metric> {
    let mut metrics = requested
        .map(|Metrics(metrics)| metrics)
        .unwrap_or_default();
    if !metrics.contains(&by) {
        metrics.insert(0, by);
    }
    metrics
}
