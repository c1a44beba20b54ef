//! Logs and metrics of a process. Metrics carry OpenTelemetry's names; `/metrics` renders them for Prometheus.
//! Labels must stay few: a route template is a label, a path or an id never is.

use std::{io::IsTerminal as _, time::Duration};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use tracing_subscriber::{EnvFilter, util::TryInitError};

use crate::config::{LogFormat, LoggingConfig};

/// Bucket bounds of every histogram of durations, in seconds: OpenTelemetry's advice for `http.server.request.duration`, with two finer
/// ones below, where appends live, and two wider ones above for replays.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    30.0, 60.0,
];

/// Bucket bounds of histograms whose names end in `_rows`: sizes of batches.
const ROWS: &[f64] = &[
    1.0,
    10.0,
    100.0,
    1_000.0,
    5_000.0,
    10_000.0,
    25_000.0,
    50_000.0,
    75_000.0,
    100_000.0,
    250_000.0,
    1_000_000.0,
];

/// How often samples are folded into buckets, so that nobody scraping does not mean memory growing.
const UPKEEP: Duration = Duration::from_secs(5);

/// Telemetry could not be set up; it can be only once in a process.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log.
    #[error("the log is already set up: {0}")]
    Log(#[from] TryInitError),
    /// The metrics.
    #[error("metrics cannot be set up: {0}")]
    Metrics(#[from] BuildError),
}

/// Renders the process's metrics.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
    process: Collector,
}

impl Metrics {
    /// The text of `/metrics`, in Prometheus' exposition format.
    pub fn render(&self) -> String {
        self.process.collect();
        self.handle.render()
    }

    /// Keeps memory bounded for as long as it runs; it never returns.
    pub(crate) async fn upkeep(self) {
        loop {
            tokio::time::sleep(UPKEEP).await;
            self.handle.run_upkeep();
        }
    }
}

/// Starts logging to standard error.
///
/// # Errors
/// When the process already logs.
pub fn start_logging(config: &LoggingConfig) -> Result<(), TelemetryError> {
    let terminal = std::io::stderr().is_terminal();
    let format = config.format.unwrap_or(if terminal {
        LogFormat::Pretty
    } else {
        LogFormat::Json
    });
    let filter = EnvFilter::new(config.filter());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(terminal);
    let started = match format {
        LogFormat::Json => tracing_subscriber::util::SubscriberInitExt::try_init(
            log.json().flatten_event(true).finish(),
        ),
        LogFormat::Pretty => tracing_subscriber::util::SubscriberInitExt::try_init(log.finish()),
    };
    Ok(started?)
}

/// Starts recording metrics.
///
/// # Errors
/// When the process already records them.
pub fn start_metrics() -> Result<Metrics, TelemetryError> {
    let handle = PrometheusBuilder::new()
        .set_buckets(SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_rows".to_owned()), ROWS)?
        .install_recorder()?;
    let process = Collector::default();
    process.describe();
    Ok(Metrics { handle, process })
}

#[cfg(test)]
pub(crate) fn unrecorded() -> Metrics {
    Metrics {
        handle: PrometheusBuilder::new().build_recorder().handle(),
        process: Collector::default(),
    }
}
