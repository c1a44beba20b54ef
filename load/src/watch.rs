//! Looks at the run once a second: what happened since, what the processes used, how far the projector is behind. Shows it, and
//! keeps it for the report.

pub(crate) mod live;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Client;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use crate::report::{Quantiles, Sample};
use crate::scenario::Scenario;
use crate::send::Sender;
use crate::usage::{Meter, OWN, Pids};
use live::Live;

const EVERY: Duration = Duration::from_secs(1);
/// A projector that is slow to tell is not waited for.
const TOLD_WITHIN: Duration = Duration::from_millis(500);
const LAG: &str = "ess_projector_lag_messages";

/// Who looks.
pub(crate) struct Watch {
    sender: Arc<Sender>,
    http: Client,
    projector: String,
    meter: Meter,
    begin: Instant,
}

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    pub(crate) samples: Vec<Sample>,
}

/// Somebody who is looking.
pub(crate) struct Watching {
    task: JoinHandle<Watched>,
    done: CancellationToken,
}

impl Watch {
    pub(crate) fn new(
        sender: Arc<Sender>,
        http: Client,
        pids: Pids,
        scenario: &Scenario,
        begin: Instant,
    ) -> Self {
        let base = scenario.targets.projector.trim_end_matches('/');
        Self {
            sender,
            http,
            projector: format!("{base}/metrics"),
            meter: Meter::new(pids),
            begin,
        }
    }

    /// Looks until it is told to finish.
    pub(crate) fn start(mut self, live: Live) -> Watching {
        let done = CancellationToken::new();
        let until = done.clone();
        let task = tokio::spawn(async move {
            let mut watched = Watched::default();
            let mut ticks = interval_at(self.begin + EVERY, EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            self.meter.look();
            let mut looked = self.begin;
            while until.run_until_cancelled(ticks.tick()).await.is_some() {
                let sample = self.look(&mut looked).await;
                live.show(&sample, &self.sender.record.so_far());
                watched.samples.push(sample);
            }
            watched
        });
        Watching { task, done }
    }

    async fn look(&mut self, looked: &mut Instant) -> Sample {
        let now = Instant::now();
        let window = self.sender.record.next_window();
        let seconds = (now - *looked).as_secs_f64().max(0.001);
        *looked = now;
        let latency = Quantiles::of(&window.latency_us);
        Sample {
            at_s: (now - self.begin).as_secs_f64(),
            requests_per_s: (window.requests.saturating_sub(window.failed)) as f64 / seconds,
            facts_per_s: window.facts as f64 / seconds,
            p50: latency.p50,
            p95: latency.p95,
            p99: latency.p99,
            errors: window.failed,
            in_flight: self.sender.in_flight.load(Ordering::Relaxed),
            users: self.sender.users.load(Ordering::Relaxed),
            projector_lag: self.projector_lag().await,
            usage: self.meter.look(),
        }
    }

    async fn projector_lag(&self) -> Option<f64> {
        let asked = async { self.http.get(&self.projector).send().await?.text().await };
        let text = timeout(TOLD_WITHIN, asked).await.ok()?.ok()?;
        sum(&text, LAG)
    }
}

impl Watching {
    /// Ends the looking.
    pub(crate) async fn finish(self) -> Watched {
        self.done.cancel();
        self.task.await.unwrap_or_default()
    }
}

impl Watched {
    /// The generator's own CPU time, mean, of one core.
    pub(crate) fn own_cpu_percent(&self) -> f64 {
        let own: Vec<_> = self
            .samples
            .iter()
            .filter_map(|sample| Some(sample.usage.get(OWN)?.cpu_percent))
            .collect();
        own.iter().sum::<f64>() / own.len().max(1) as f64
    }
}

/// The sum of a metric over its labels (Prometheus text format); none without a line of it.
fn sum(text: &str, name: &str) -> Option<f64> {
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let is_metric = rest.starts_with([' ', '{']);
        is_metric.then(|| rest.rsplit(' ').next()?.parse::<f64>().ok())?
    });
    values.reduce(|a, b| a + b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_summed_over_its_labels_and_none_is_not_nought() {
        let text =
            "# TYPE lag gauge\nlag{partition=\"0\"} 3\nlag{partition=\"1\"} 4\nlag_other 9\n";
        assert_eq!(sum(text, "lag"), Some(7.0));
        assert_eq!(sum(text, "missing"), None);
    }
}
