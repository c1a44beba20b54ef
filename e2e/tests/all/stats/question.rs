//! A report: its URL, and the rows that the oracle computes from the same playbacks.

use std::cmp::Ordering;
use std::fmt::Write as _;

use ess_e2e::{Answer, TestApp, Zone};
use ess_schema::playback::Playback;
use ess_schema::rollup::{self, Dimension, Metrics, Period, ReportRow};
use serde_json::{Map, Value};

use super::dataset::{Dataset, instant};
use crate::oracle::different_fields_within;
use crate::stored::encoded;

/// Every metric, in the order of an answer.
pub(crate) const METRICS: [&str; Metrics::NAMES.len()] = Metrics::NAMES;
const PEAK: &str = "peak_concurrent";
/// The maximum rows of a page.
const MAX_ROWS: usize = 10_000;
/// The relative rounding error that is allowed: a quantile between two distant values rounds its position.
pub(crate) const ROUNDING: f64 = 1e-12;
/// The maximum number of differences that are reported.
const MAX_DIFFERENCES: usize = 12;

type Condition = Box<dyn Fn(&Playback) -> bool>;

/// A report to request.
pub(crate) struct Question {
    metrics: Vec<&'static str>,
    dimensions: Vec<Dimension>,
    filters: Option<(String, Condition)>,
    period: Period,
    zone: &'static str,
}

impl Question {
    /// These metrics of all playbacks.
    pub(crate) fn of(metrics: &[&'static str]) -> Self {
        Self {
            metrics: metrics.to_vec(),
            dimensions: Vec::new(),
            filters: None,
            period: Period::default(),
            zone: "UTC",
        }
    }

    pub(crate) fn by(self, dimensions: &[Dimension]) -> Self {
        let dimensions = dimensions.to_vec();
        Self { dimensions, ..self }
    }

    /// Restricts it to the playbacks that meet a condition; `text` is the same condition as a filter.
    pub(crate) fn only(self, text: &str, condition: impl Fn(&Playback) -> bool + 'static) -> Self {
        let filters = Some((text.to_owned(), Box::new(condition) as Condition));
        Self { filters, ..self }
    }

    pub(crate) fn between(self, from: &str, to: &str) -> Self {
        let period = Period {
            from: Some(instant(from)),
            to: Some(instant(to)),
        };
        Self { period, ..self }
    }

    pub(crate) fn in_time_zone(self, zone: &'static str) -> Self {
        Self { zone, ..self }
    }

    /// The URL with `more` appended; the largest page unless `more` sets a limit.
    pub(crate) fn url(&self, more: &str) -> String {
        let mut url = format!("/stats/report?metrics={}", self.metrics.join(","));
        if !self.dimensions.is_empty() {
            let names: Vec<_> = self.dimensions.iter().map(|d| d.name()).collect();
            write!(url, "&dimensions={}", names.join(",")).unwrap();
        }
        if let Some((text, _)) = &self.filters {
            write!(url, "&filters={}", encoded(text)).unwrap();
        }
        let Period { from, to } = self.period;
        for (name, bound) in [("from", from), ("to", to)] {
            if let Some(bound) = bound {
                write!(url, "&{name}={bound}").unwrap();
            }
        }
        if self.zone != "UTC" {
            write!(url, "&timezone={}", self.zone).unwrap();
        }
        if !more.contains("limit=") {
            write!(url, "&limit={MAX_ROWS}").unwrap();
        }
        url + more
    }

    /// The expected rows, sorted by dimensions ascending, nulls last.
    pub(crate) fn rows(&self, playbacks: &[Playback]) -> Vec<Value> {
        let mut rows = self.rows_by(&self.dimensions, playbacks);
        // Only peak_concurrent counts playbacks that began before the period or time bucket.
        if !self.dimensions.is_empty() && !self.metrics.contains(&PEAK) {
            rows.retain(|row| row.metrics.attempts > 0);
        }
        rows.sort_by(|a, b| {
            let values = a.values.iter().zip(&b.values);
            values.fold(Ordering::Equal, |known, (a, b)| {
                known.then_with(|| (a.is_none(), a).cmp(&(b.is_none(), b)))
            })
        });
        rows.into_iter().map(|row| self.object(row)).collect()
    }

    /// The metrics of all rows together.
    pub(crate) fn totals(&self, playbacks: &[Playback]) -> Value {
        let mut rows = self.rows_by(&[], playbacks).into_iter();
        let metrics = rows.next().unwrap().metrics;
        self.object(ReportRow {
            values: Vec::new(),
            metrics,
        })
    }

    fn rows_by(&self, dimensions: &[Dimension], playbacks: &[Playback]) -> Vec<ReportRow> {
        let meets = |p: &&Playback| self.filters.as_ref().is_none_or(|(_, is)| is(p));
        let playbacks: Vec<_> = playbacks.iter().filter(meets).collect();
        let zone = Zone::named(self.zone);
        rollup::report(&playbacks, dimensions, &self.period, &zone)
    }

    fn object(&self, row: ReportRow) -> Value {
        let all = serde_json::to_value(row.metrics).unwrap();
        let values = self.dimensions.iter().zip(row.values);
        let values = values.map(|(dimension, value)| (dimension.name().to_owned(), value.into()));
        let metrics = self.metrics.iter();
        let metrics = metrics.map(|name| ((*name).to_owned(), all[name].clone()));
        values.chain(metrics).collect::<Map<_, _>>().into()
    }

    /// Requests the report and returns the differences from the oracle; empty when there are none.
    pub(crate) async fn differences(&self, dataset: &Dataset) -> Vec<String> {
        self.differences_of(&dataset.app, &dataset.playbacks).await
    }

    /// The same for other playbacks.
    pub(crate) async fn differences_of(
        &self,
        app: &TestApp,
        playbacks: &[Playback],
    ) -> Vec<String> {
        let (mut found, mut next) = (Vec::new(), Some(self.url("")));
        while let Some(url) = next {
            let answer = app.get(&url).await.expect_status(200);
            found.extend(answer.json().as_array().unwrap().clone());
            next = answer.next_page();
        }
        let mut differences = different_lists(&self.rows(playbacks), &found);
        if !differences.is_empty() {
            differences.insert(0, self.url(""));
        }
        differences
    }
}

/// The differences between the rows of an answer and these, order included.
pub(crate) fn different_rows(expected: &[Value], answer: &Answer) -> Vec<String> {
    if answer.status != 200 {
        return vec![format!("{answer:?}")];
    }
    let found = answer.json();
    different_lists(expected, found.as_array().unwrap())
}

/// The differences between two lists of objects.
pub(crate) fn different_lists(expected: &[Value], found: &[Value]) -> Vec<String> {
    let mut differences = Vec::new();
    if expected.len() != found.len() {
        differences.push(format!(
            "expected {} rows, found {}",
            expected.len(),
            found.len()
        ));
    }
    for (expected, found) in expected.iter().zip(found) {
        let mut fields = different_fields_within(ROUNDING, expected, found);
        if names(expected) != names(found) {
            fields.push(format!("the order of names: {:?}", names(found)));
        }
        differences.extend(
            fields
                .into_iter()
                .map(|field| format!("{field} in {found}")),
        );
    }
    differences.truncate(MAX_DIFFERENCES);
    differences
}

fn names(object: &Value) -> Vec<&String> {
    object.as_object().unwrap().keys().collect()
}
