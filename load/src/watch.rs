//! Samples a run once a second: its throughput and latency, the usage of processes, and the backlog of the projector. Shows each
//! sample, and collects them for the report.

pub(crate) mod live;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Client;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use crate::report::{Quantiles, Sample};
use crate::send::Sender;
use crate::usage::{Meter, OWN, Pids};
use live::LiveView;

const INTERVAL: Duration = Duration::from_secs(1);
/// A projector that does not respond in time is left out of the sample.
const METRICS_TIMEOUT: Duration = Duration::from_millis(500);
const LAG: &str = "ess_projector_lag_messages";

/// What to sample.
pub(crate) struct Sampler {
    pub(crate) sender: Arc<Sender>,
    pub(crate) http: Client,
    /// The base URL of the projector, if its backlog is wanted.
    pub(crate) projector: Option<String>,
    pub(crate) pids: Pids,
    pub(crate) start: Instant,
}

/// A sampler in the background.
pub(crate) struct SamplerTask {
    task: JoinHandle<Vec<Sample>>,
    done: CancellationToken,
}

impl Sampler {
    /// Samples until the task is finished.
    pub(crate) fn spawn(self, live: LiveView) -> SamplerTask {
        let done = CancellationToken::new();
        let until = done.clone();
        let task = tokio::spawn(async move {
            let (mut samples, mut last) = (Vec::new(), self.start);
            let mut meter = Meter::new(self.pids.clone());
            meter.read();
            let mut ticks = interval_at(self.start + INTERVAL, INTERVAL);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while until.run_until_cancelled(ticks.tick()).await.is_some() {
                let sample = self.sample(&mut meter, last).await;
                last = self.start + Duration::from_secs_f64(sample.at_s);
                live.show(&sample, &self.sender.record.snapshot());
                samples.push(sample);
            }
            samples
        });
        SamplerTask { task, done }
    }

    async fn sample(&self, meter: &mut Meter, last: Instant) -> Sample {
        let now = Instant::now();
        let window = self.sender.record.take_window();
        let seconds = (now - last).as_secs_f64().max(0.001);
        let latency = Quantiles::of(&window.latency);
        Sample {
            at_s: (now - self.start).as_secs_f64(),
            requests_per_s: (window.requests.saturating_sub(window.failed)) as f64 / seconds,
            facts_per_s: window.acknowledged as f64 / seconds,
            p50: latency.p50,
            p95: latency.p95,
            p99: latency.p99,
            errors: window.failed,
            in_flight: self.sender.in_flight.load(Ordering::Relaxed),
            users: self.sender.users.load(Ordering::Relaxed),
            projector_lag: self.projector_lag().await,
            usage: meter.read(),
        }
    }

    async fn projector_lag(&self) -> Option<f64> {
        let url = format!("{}/metrics", self.projector.as_ref()?.trim_end_matches('/'));
        let text = async { self.http.get(url).send().await?.text().await };
        let text = timeout(METRICS_TIMEOUT, text).await.ok()?.ok()?;
        sum(&text, LAG)
    }
}

impl SamplerTask {
    /// Ends the sampling, and returns the samples.
    pub(crate) async fn finish(self) -> Vec<Sample> {
        self.done.cancel();
        self.task.await.unwrap_or_default()
    }
}

/// The mean CPU time of this program, in percent of one core.
pub(crate) fn own_cpu_percent(samples: &[Sample]) -> f64 {
    let own = samples.iter().filter_map(|sample| sample.usage.get(OWN));
    let own: Vec<_> = own.map(|usage| usage.cpu_percent).collect();
    own.iter().sum::<f64>() / own.len().max(1) as f64
}

/// The sum of a metric over its labels (Prometheus text format). None when there is no such metric.
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
    fn a_metric_is_summed_over_its_labels_and_a_missing_one_is_not_0() {
        let text =
            "# TYPE lag gauge\nlag{partition=\"0\"} 3\nlag{partition=\"1\"} 4\nlag_other 9\n";
        assert_eq!(sum(text, "lag"), Some(7.0));
        assert_eq!(sum(text, "missing"), None);
    }
}
