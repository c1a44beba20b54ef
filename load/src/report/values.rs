//! The value of each metric of `scenario::threshold::METRICS`. Pure.

use super::{Quantiles, Report};
use hdrhistogram::Histogram;

impl Report {
    /// Times in ms. None when it was not measured.
    pub fn value(&self, metric: &str) -> Option<f64> {
        let totals = &self.totals;
        let count = |count: u64| Some(count as f64);
        match metric {
            "requests" => count(totals.requests),
            "errors" => count(totals.errors),
            "error_rate" => Some(100.0 * totals.errors as f64 / totals.requests.max(1) as f64),
            "read_errors" => count(totals.question_errors),
            "rate" => Some(totals.rate),
            "facts_rate" => Some(totals.facts_rate),
            "drain" => self.drain_ms,
            "late_p99" => self.generator.late.map(|late| late.p99),
            "lost" => count(self.check.as_ref()?.lost.count),
            "twice" => count(self.check.as_ref()?.twice.count),
            "claimed" => count(self.check.as_ref()?.claimed.count),
            "different" => count(self.check.as_ref()?.different.count),
            _ => self.time(metric),
        }
    }

    fn time(&self, metric: &str) -> Option<f64> {
        let lag = self.lag.as_ref();
        match metric {
            "lag_p50" => lag.map(|lag| lag.p50),
            "lag_p95" => lag.map(|lag| lag.p95),
            "lag_p99" => lag.map(|lag| lag.p99),
            "lag_max" => lag.map(|lag| lag.max),
            _ => match metric.strip_prefix("read_") {
                Some(of_reads) => self.reads.as_ref()?.value(of_reads),
                None => self.latency.value(metric),
            },
        }
    }
}

impl Quantiles {
    /// The quantiles of a histogram in µs.
    pub(crate) fn of(histogram: &Histogram<u64>) -> Self {
        let ms = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
        Self {
            count: histogram.len(),
            p50: ms(0.5),
            p90: ms(0.9),
            p95: ms(0.95),
            p99: ms(0.99),
            p999: ms(0.999),
            max: histogram.max() as f64 / 1_000.0,
        }
    }

    /// None of an empty histogram.
    fn value(&self, name: &str) -> Option<f64> {
        let value = match name {
            "p50" => self.p50,
            "p90" => self.p90,
            "p95" => self.p95,
            "p99" => self.p99,
            "p999" => self.p999,
            "max" => self.max,
            _ => return None,
        };
        (self.count > 0).then_some(value)
    }
}
