//! GET /stats/report: the composable question about many playbacks.

use std::sync::Arc;

use ess_schema::{Position, Timestamp};
use ess_service::problem::Problem;
use poem::{Request, web::Accept};
use poem_openapi::{
    OpenApi,
    param::{Header, Query},
    registry::{MetaMediaType, Registry},
};

use super::{asked::Asked, list::next_page};
use crate::{
    http::{
        answer::{Answer, Document},
        parameters::{
            After, Dimensions, Filters, Flag, Metrics, Needed, Order, Param, Refused, ReportLimit,
            Zone,
        },
        reader::Reader,
        wire,
    },
    question::{Cursor, Format, Question, Report},
    read::{Layer, View},
};

/// Reports.
pub(crate) struct ReportApi(pub(crate) Arc<Reader>);

/// The rows of a report.
pub(crate) struct Rows;

const PARAMETERS: [&str; 12] = [
    "metrics",
    "dimensions",
    "filters",
    "from",
    "to",
    "timezone",
    "sort",
    "limit",
    "cursor",
    "approx",
    "totals",
    "after",
];

impl Document for Rows {
    const ABOUT: &'static str = "One page of rows, each with the dimensions and metrics asked for, in this order. With `totals=true` the header `Ess-Totals` tells the metrics of all rows together";
    const CHOOSES_FORMAT: bool = true;
    const PAGED: bool = true;
    const TOTALS: bool = true;
    const PROBLEMS: &'static [(u16, &'static str)] = super::PROBLEMS_OF_MANY;

    fn contents() -> Vec<MetaMediaType> {
        wire::report_rows()
    }

    fn register(registry: &mut Registry) {
        wire::register::<wire::ReportRow>(registry);
    }
}

#[OpenApi(tag = "super::Tag::Stats")]
impl ReportApi {
    /// Metrics of many playbacks
    ///
    /// Counts, sums, distinct listeners, rates and quantiles over all playbacks that began in a period, by any dimensions. Repeated,
    /// late and reordered events change nothing: it is computed from the values of each playback, which `Ess-Watermark` tells the
    /// freshness of. Pages follow the `Link` header; sorted by dimensions they stay right while facts arrive, sorted by a metric a
    /// row whose value changes meanwhile may be met twice or not at all.
    #[oai(path = "/stats/report", method = "get", operation_id = "getReport")]
    #[expect(
        clippy::too_many_arguments,
        reason = "an argument each is how poem-openapi documents parameters"
    )]
    async fn get(
        &self,
        request: &Request,
        accept: Accept,
        /// What is measured, separated by commas.
        metrics: Query<Needed<Metrics>>,
        /// What the rows are by, separated by commas: at most four, one of them a time bucket. Without any there is one row.
        dimensions: Query<Option<Param<Dimensions>>>,
        /// Conditions that every playback meets, joined by `;`: a text field with `==`, `!=` or `in`, or a number field with `==`, `!=`,
        /// `<`, `<=`, `>` or `>=`. `null` stands for an unknown text; a text with one of `;,"` is written as a JSON string.
        filters: Query<Option<Param<Filters>>>,
        /// Only playbacks whose first event occurred at this time or later.
        from: Query<Option<Param<Timestamp>>>,
        /// Only playbacks whose first event occurred before this time.
        to: Query<Option<Param<Timestamp>>>,
        /// The IANA time zone whose clocks cut time buckets.
        timezone: Query<Option<Param<Zone>>>,
        /// Metrics and dimensions asked for, separated by commas, each with `-` before it for descending order. Unknown values come
        /// last. By default the dimensions, ascending.
        sort: Query<Option<Param<Order>>>,
        /// The most rows on a page.
        limit: Query<Option<Param<ReportLimit>>>,
        /// Where the page begins, as a `Link` header told.
        cursor: Query<Option<Param<Cursor>>>,
        /// Whether distinct listeners and quantiles may be estimated, within about one percent, which is faster over many playbacks.
        approx: Query<Option<Param<Flag>>>,
        /// Whether the header `Ess-Totals` tells the metrics of all rows together.
        totals: Query<Option<Param<Flag>>>,
        /// Log positions, as `Ess-Position` of a write told them, separated by commas: the answer waits until it holds them.
        after: Query<Option<Param<After>>>,
        /// Entity tags that the caller holds.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<Answer<Rows>, Problem> {
        let format = Format::of(&accept, &Format::ALL)?;
        let mut refused = Refused::by_name(request, &PARAMETERS);
        let metrics = refused.required("metrics", metrics.0);
        let Flag(totals) = refused.query("totals", totals.0).unwrap_or_default();
        let After(after) = refused.query("after", after.0).unwrap_or_default();
        let asked = Asked {
            metrics: metrics.map(|Metrics(metrics)| metrics).unwrap_or_default(),
            dimensions: refused.query("dimensions", dimensions.0),
            filters: refused.query("filters", filters.0),
            from: refused.query("from", from.0),
            to: refused.query("to", to.0),
            zone: refused.query("timezone", timezone.0),
            sort: refused.query("sort", sort.0),
            approx: refused.query("approx", approx.0).unwrap_or_default().0,
            limit: refused.query("limit", limit.0).unwrap_or_default().0,
            cursor: refused.query("cursor", cursor.0),
        };
        let report = asked.compose(&mut refused);
        let report = refused.none(report)?;
        let rows = ReportPage {
            report,
            totals,
            format,
        };
        rows.tell(&self.0, request, &after, if_none_match.0.as_deref())
            .await
    }
}

/// One page of a report in one form.
pub(super) struct ReportPage {
    pub(super) report: Report,
    pub(super) totals: bool,
    pub(super) format: Format,
}

impl ReportPage {
    /// Answers it, holding the positions of `after`.
    ///
    /// # Errors
    /// When it cannot be answered in time, or costs too much.
    pub(super) async fn tell<D: Document>(
        self,
        reader: &Arc<Reader>,
        request: &Request,
        after: &[Position],
        if_none_match: Option<&str>,
    ) -> Result<Answer<D>, Problem> {
        let Self {
            report,
            totals,
            format,
        } = self;
        let view = reader.watch.reached_in(Layer::Playbacks, after).await?;
        let question = Question::Report(report.clone(), totals, format);
        let asked = Arc::clone(reader);
        let ask = |view: Arc<View>| async move {
            asked.report(view.generation, &report, totals, format).await
        };
        let kept = reader.cache.answer(question, &view, after, ask).await?;
        let next = kept.next.as_ref().map(|cursor| next_page(request, cursor));
        Ok(Answer::new(if_none_match, kept, format).followed_by(next))
    }
}
