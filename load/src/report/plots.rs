//! The plots of a report. Pure.

use std::collections::BTreeSet;

use super::plot::{Plot, Series};
use super::{Report, Sample};

impl Report {
    /// Every plot with data, and the name of its file.
    pub(crate) fn plots(&self) -> Vec<(&'static str, Plot)> {
        let all = [
            ("throughput", self.throughput()),
            ("latency", self.latencies()),
            ("lag", self.lags()),
            ("backlog", self.backlog()),
            ("errors", self.errors()),
            ("in-flight", self.in_flight()),
            (
                "cpu",
                self.usage("CPU", "% of a core", |usage| usage.cpu_percent),
            ),
            (
                "memory",
                self.usage("Memory", "MiB resident", |usage| {
                    usage.rss_bytes as f64 / f64::from(1 << 20)
                }),
            ),
        ];
        all.into_iter()
            .filter(|(_, plot)| plot.has_points())
            .collect()
    }

    fn throughput(&self) -> Plot {
        let mut series = vec![self.over_time("requests", |s| Some(s.requests_per_s))];
        if self.scenario.batch > 1 {
            series.push(self.over_time("facts", |s| Some(s.facts_per_s)));
        }
        self.plot("Acknowledged", "per second", series)
    }

    fn latencies(&self) -> Plot {
        let series = vec![
            self.over_time("p50", |s| Some(s.p50)),
            self.over_time("p95", |s| Some(s.p95)),
            self.over_time("p99", |s| Some(s.p99)),
        ];
        self.plot("Latency of requests", "ms", series)
    }

    fn lags(&self) -> Plot {
        let seconds = self.lag.iter().flat_map(|lag| &lag.by_second);
        let line = |name: &str, of: fn(&(i64, f64, f64)) -> f64| Series {
            name: name.to_owned(),
            points: seconds
                .clone()
                .map(|second| (second.0 as f64, of(second)))
                .collect(),
        };
        let series = vec![
            line("p50", |second| second.1),
            line("p99", |second| second.2),
        ];
        self.plot("Ingest to store, by when accepted", "ms", series)
    }

    fn backlog(&self) -> Plot {
        let series = vec![self.over_time("not folded yet", |s| s.projector_lag)];
        self.plot("Lag of the projector", "records", series)
    }

    fn errors(&self) -> Plot {
        let series = vec![self.over_time("not fully acknowledged", |s| Some(s.errors as f64))];
        self.plot("Errors", "per second", series)
    }

    fn in_flight(&self) -> Plot {
        let mut series = vec![self.over_time("requests in flight", |s| Some(s.in_flight as f64))];
        if self.samples.iter().any(|sample| sample.users > 0) {
            series.push(self.over_time("users", |s| Some(s.users as f64)));
        }
        self.plot("In flight", "requests", series)
    }

    fn usage(
        &self,
        title: &'static str,
        unit: &'static str,
        of: fn(&crate::usage::Usage) -> f64,
    ) -> Plot {
        let names: BTreeSet<&String> = self
            .samples
            .iter()
            .flat_map(|sample| sample.usage.keys())
            .collect();
        let series = names
            .into_iter()
            .map(|name| self.over_time(name, |s| s.usage.get(name).map(of)));
        self.plot(title, unit, series.collect())
    }

    fn over_time(&self, name: &str, value: impl Fn(&Sample) -> Option<f64>) -> Series {
        let points = self
            .samples
            .iter()
            .filter_map(|s| Some((s.at_s, value(s)?)));
        Series {
            name: name.to_owned(),
            points: points.collect(),
        }
    }

    fn plot(&self, title: &'static str, unit: &'static str, series: Vec<Series>) -> Plot {
        let marks = self.chaos.iter().map(|fault| fault.at_s).collect();
        Plot {
            title,
            unit,
            series,
            marks,
        }
    }
}
