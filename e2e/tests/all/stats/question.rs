//! A report as it is asked for and as it must be answered: its URL, and the rows that the oracle makes of the same playbacks.

use std::cmp::Ordering;
use std::fmt::Write as _;

use ess_e2e::{Answer, TestApp, Zone};
use ess_schema::playback::Playback;
use ess_schema::rollup::{self, Dimension, Period, ReportRow};
use serde_json::{Map, Value};

use super::dataset::{Crowd, instant};
use crate::oracle::different_fields_within;
use crate::stored::encoded;

/// Every metric, in the order in which they are told.
pub(crate) const METRICS: [&str; 15] = [
    "attempts",
    "plays",
    "streams",
    "played_ms",
    "unique_listeners",
    "avg_played_ms",
    "median_played_ms",
    "completion_rate",
    "skip_rate",
    "failure_rate",
    "rebuffer_ratio",
    "stalled_ms",
    "startup_ms_p50",
    "startup_ms_p95",
    "peak_concurrent",
];
const PEAK: &str = "peak_concurrent";
/// The most rows of a page.
const MOST_ROWS: usize = 10_000;
/// By what part of it a number may be off: between two values far apart, a quantile by what its place is rounded by.
pub(crate) const ROUNDED: f64 = 1e-12;
/// How many differences are told.
const TOLD: usize = 12;

type Condition = Box<dyn Fn(&Playback) -> bool>;

/// What is asked.
pub(crate) struct Question {
    metrics: Vec<&'static str>,
    dimensions: Vec<Dimension>,
    filters: Option<(String, Condition)>,
    period: Period,
    zone: &'static str,
}

impl Question {
    /// These metrics of everything.
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

    /// Only of the playbacks that meet a condition, which is this text.
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

    pub(crate) fn on_clocks_of(self, zone: &'static str) -> Self {
        Self { zone, ..self }
    }

    /// The URL, with the largest page unless `more` says something else of it.
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
            write!(url, "&limit={MOST_ROWS}").unwrap();
        }
        url + more
    }

    /// The rows of the answer, by their dimensions in ascending order, unknown ones last.
    pub(crate) fn rows(&self, playbacks: &[Playback]) -> Vec<Value> {
        let mut rows = self.rows_by(&self.dimensions, playbacks);
        // Only a peak is also of those that began elsewhere.
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

    /// Asks, and tells in what the answer is not what the oracle says; nothing when it is right.
    pub(crate) async fn differences(&self, crowd: &Crowd) -> Vec<String> {
        self.differences_of(&crowd.app, &crowd.playbacks).await
    }

    /// The same of another crowd.
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
        let mut told = different_lists(&self.rows(playbacks), &found);
        if !told.is_empty() {
            told.insert(0, self.url(""));
        }
        told
    }
}

/// In what the rows of an answer are not these, their order included.
pub(crate) fn different_rows(expected: &[Value], answer: &Answer) -> Vec<String> {
    if answer.status != 200 {
        return vec![format!("{answer:?}")];
    }
    let found = answer.json();
    different_lists(expected, found.as_array().unwrap())
}

/// In what a list of objects is not another.
pub(crate) fn different_lists(expected: &[Value], found: &[Value]) -> Vec<String> {
    let mut told = Vec::new();
    if expected.len() != found.len() {
        told.push(format!(
            "expected {} rows, found {}",
            expected.len(),
            found.len()
        ));
    }
    for (expected, found) in expected.iter().zip(found) {
        let mut differ = different_fields_within(ROUNDED, expected, found);
        if names(expected) != names(found) {
            differ.push(format!("the order of names: {:?}", names(found)));
        }
        told.extend(
            differ
                .into_iter()
                .map(|field| format!("{field} in {found}")),
        );
    }
    told.truncate(TOLD);
    told
}

fn names(object: &Value) -> Vec<&String> {
    object.as_object().unwrap().keys().collect()
}
