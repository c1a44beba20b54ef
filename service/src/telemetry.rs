//! Logging and metrics of a process. Metrics have OpenTelemetry's names; `/metrics` renders them for Prometheus.
//! The number of label values must be bounded: a route template is a label, a path or an id never is.

use std::{io::IsTerminal as _, time::Duration};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use tracing_subscriber::{EnvFilter, util::TryInitError};

use crate::config::{LogFormat, LoggingConfig};

/// Bucket bounds of histograms of durations, in seconds: those that OpenTelemetry recommends for
/// `http.server.request.duration`, and two below for appends and two above for replays.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    30.0, 60.0,
];

/// Bucket bounds of histograms of batch sizes, whose names end in `_rows`.
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

/// How often samples are moved into buckets. Without it, memory grows while no one scrapes the metrics.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Logging or metrics cannot start; each can start once per process.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// Logging.
    #[error("logging has already started: {0}")]
    Logging(#[from] TryInitError),
    /// Metrics.
    #[error("metrics cannot start: {0}")]
    Metrics(#[from] BuildError),
}

/// The metrics of the process.
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

    /// Moves samples into buckets regularly, to bound memory; never returns.
    pub(crate) async fn upkeep(self) {
        loop {
            tokio::time::sleep(UPKEEP_INTERVAL).await;
            self.handle.run_upkeep();
        }
    }
}

/// Starts logging to standard error.
///
/// # Errors
/// When logging has already started.
pub fn start_logging(config: &LoggingConfig) -> Result<(), TelemetryError> {
    let terminal = std::io::stderr().is_terminal();
    let format = config.format.unwrap_or(if terminal {
        LogFormat::Pretty
    } else {
        LogFormat::Json
    });
    let filter = EnvFilter::new(config.filter());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(terminal);
    let started = match format {
        LogFormat::Json => tracing_subscriber::util::SubscriberInitExt::try_init(
            builder.json().flatten_event(true).finish(),
        ),
        LogFormat::Pretty => {
            tracing_subscriber::util::SubscriberInitExt::try_init(builder.finish())
        }
    };
    Ok(started?)
}

/// Starts recording metrics.
///
/// # Errors
/// When recording has already started.
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
