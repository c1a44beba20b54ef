//! GET /stats/report: metrics of many playbacks, by any dimensions.

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
        parameters::{Dimensions, Filters, Flag, Metrics, Order, ReportLimit, Zone},
        wire,
    },
    question::{Cursor, Format, Question},
};

/// The operation.
pub(crate) struct GetReport;

arguments! {
    /// Its arguments.
    pub(crate) struct ReportArguments {
        /// The metrics, separated by commas.
        Required metrics: Metrics,
        /// The dimensions, separated by commas: at most four, at most one of them a time bucket. Without dimensions the report has
        /// one row.
        Query dimensions: Dimensions,
        /// Conditions on playbacks, joined by `;`: a text field with `==`, `!=` or `in`, or a number field with `==`, `!=`, `<`, `<=`,
        /// `>` or `>=`. `null` is an unknown text; write a text that contains one of `;,"` as a JSON string.
        Query filters: Filters,
        /// Only playbacks whose first event occurred at this time or later.
        Query from: Timestamp,
        /// Only playbacks whose first event occurred before this time.
        Query to: Timestamp,
        /// The IANA time zone of the time buckets.
        Query timezone: Zone,
        /// Requested metrics and dimensions, separated by commas, each with `-` before it for descending order. Unknown values come
        /// last. By default the dimensions, ascending.
        Query sort: Order,
        /// The maximum number of rows on a page.
        Query limit: ReportLimit,
        /// The cursor of a `Link` header.
        Query cursor: Cursor,
        /// Whether distinct listeners and quantiles may be estimated, within about one percent. This is faster over many playbacks.
        Query approx: Flag,
        /// Whether the response has the header `Ess-Totals`, with the metrics of all rows together.
        Query totals: Flag,
    }
}

impl CachedRead for GetReport {
    const ENTRY: Entry = Entry {
        path: "/stats/report",
        id: "getReport",
        tag: Tag::Stats,
        summary: "Get metrics of many playbacks",
        description: "Counts, sums, distinct listeners, rates and quantiles over all playbacks that began in a period, by any dimensions. Repeated, late and reordered events change nothing: the metrics are computed from the values of each playback; `Ess-Watermark` says how fresh these are. The `Link` header leads to the next page. Sorted by dimensions, pages stay consistent while events arrive; sorted by a metric, a row whose value changes meanwhile may appear twice or not at all.",
    };
    type Arguments = ReportArguments;
    const FORMATS: &'static [Format] = &Format::ALL;
    const SUCCESS: &'static str = "One page of rows, each with the requested dimensions and metrics, in this order. With `totals=true` the header `Ess-Totals` has the metrics of all rows together";
    const PAGED: bool = true;
    const TOTALS: bool = true;
    const PROBLEMS: &'static [DocumentedProblem] = PROBLEMS_OF_MANY;

    fn bodies() -> Vec<MetaMediaType> {
        bodies::documented_rows()
    }

    fn register(registry: &mut Registry) {
        wire::register::<wire::ReportRow>(registry);
    }

    fn question(
        arguments: ReportArguments,
        format: Format,
        errors: &mut ParameterErrors,
    ) -> Option<Question> {
        let ReportArguments {
            metrics,
            dimensions,
            filters,
            from,
            to,
            timezone,
            sort,
            limit,
            cursor,
            approx,
            totals,
        } = arguments;
        let request = ReportRequest {
            metrics: metrics.map(|Metrics(metrics)| metrics).unwrap_or_default(),
            dimensions,
            filters,
            from,
            to,
            zone: timezone,
            sort,
            approx: approx.unwrap_or_default().0,
            limit: limit.unwrap_or_default().0,
            cursor,
        };
        let report = request.compose(errors)?;
        Some(Question::Report(
            report,
            totals.unwrap_or_default().0,
            format,
        ))
    }
}
