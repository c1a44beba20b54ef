//! GET /stats/top: a ranking, which is a report by one dimension in the descending order of one metric.

use std::sync::Arc;

use ess_schema::Timestamp;
use ess_service::problem::Problem;
use poem::{Request, web::Accept};
use poem_openapi::{
    OpenApi,
    param::{Header, Query},
    registry::{MetaMediaType, Registry},
};

use super::{asked::Asked, report::ReportPage};
use crate::{
    http::{
        answer::{Answer, Document},
        parameters::{
            After, Dimensions, Filters, Flag, Limit, Metrics, Needed, Order, Param, Ranked,
            RankedBy, Refused,
        },
        reader::Reader,
        wire,
    },
    question::{Cursor, Dimension, Format, Metric},
};

/// Rankings.
pub(crate) struct TopApi(pub(crate) Arc<Reader>);

/// The rows of a ranking.
pub(crate) struct Ranking;

const PARAMETERS: [&str; 10] = [
    "of", "by", "metrics", "filters", "from", "to", "limit", "cursor", "approx", "after",
];

impl Document for Ranking {
    const ABOUT: &'static str =
        "One page of the ranking, the greatest first; rows are as those of GET /stats/report";
    const CHOOSES_FORMAT: bool = true;
    const PAGED: bool = true;
    const PROBLEMS: &'static [(u16, &'static str)] = super::PROBLEMS_OF_MANY;

    fn contents() -> Vec<MetaMediaType> {
        wire::report_rows()
    }

    fn register(registry: &mut Registry) {
        wire::register::<wire::ReportRow>(registry);
    }
}

#[OpenApi(tag = "super::Tag::Stats")]
impl TopApi {
    /// The greatest by a metric
    ///
    /// Tracks, users, countries and so on in the descending order of a metric over the playbacks that began in a period; of equal
    /// ones the one whose name sorts first. Playbacks that tell none count for null.
    #[oai(path = "/stats/top", method = "get", operation_id = "getTop")]
    #[expect(
        clippy::too_many_arguments,
        reason = "an argument each is how poem-openapi documents parameters"
    )]
    async fn get(
        &self,
        request: &Request,
        accept: Accept,
        /// What is ranked.
        of: Query<Needed<Ranked>>,
        /// The metric that ranks.
        by: Query<Option<Param<RankedBy>>>,
        /// What is told of each, separated by commas; by default the metric that ranks.
        metrics: Query<Option<Param<Metrics>>>,
        /// Conditions as of GET /stats/report.
        filters: Query<Option<Param<Filters>>>,
        /// Only playbacks whose first event occurred at this time or later.
        from: Query<Option<Param<Timestamp>>>,
        /// Only playbacks whose first event occurred before this time.
        to: Query<Option<Param<Timestamp>>>,
        /// The most rows on a page.
        limit: Query<Option<Param<Limit>>>,
        /// Where the page begins, as a `Link` header told.
        cursor: Query<Option<Param<Cursor>>>,
        /// Whether distinct listeners and quantiles may be estimated.
        approx: Query<Option<Param<Flag>>>,
        /// Log positions, as `Ess-Position` of a write told them, separated by commas: the answer waits until it holds them.
        after: Query<Option<Param<After>>>,
        /// Entity tags that the caller holds.
        #[oai(name = "If-None-Match")]
        if_none_match: Header<Option<String>>,
    ) -> Result<Answer<Ranking>, Problem> {
        let format = Format::of(&accept, &Format::ALL)?;
        let mut refused = Refused::by_name(request, &PARAMETERS);
        let of = refused.required("of", of.0);
        let RankedBy(by) = refused.query("by", by.0).unwrap_or(RankedBy(Metric::Plays));
        let told = refused.query("metrics", metrics.0);
        let After(after) = refused.query("after", after.0).unwrap_or_default();
        let asked = Asked {
            metrics: told_with(by, told),
            dimensions: of.map(|Ranked(text)| Dimensions(vec![Dimension::Attribute(text)])),
            filters: refused.query("filters", filters.0),
            from: refused.query("from", from.0),
            to: refused.query("to", to.0),
            zone: None,
            sort: Some(Order(vec![(by.name().to_owned(), true)])),
            approx: refused.query("approx", approx.0).unwrap_or_default().0,
            limit: refused.query("limit", limit.0).unwrap_or_default().0,
            cursor: refused.query("cursor", cursor.0),
        };
        let report = asked.compose(&mut refused);
        let report = refused.none(report)?;
        let rows = ReportPage {
            report,
            totals: false,
            format,
        };
        rows.tell(&self.0, request, &after, if_none_match.0.as_deref())
            .await
    }
}

/// The metrics asked for, the one that ranks among them.
fn told_with(by: Metric, told: Option<Metrics>) -> Vec<Metric> {
    let mut metrics = told.map(|Metrics(metrics)| metrics).unwrap_or_default();
    if !metrics.contains(&by) {
        metrics.insert(0, by);
    }
    metrics
}
