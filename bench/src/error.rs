//! Errors of the benchmarks. Never retried: a figure that needs a second attempt is not valid.

/// The result type of this crate.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// An error of a benchmark.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Message(String),
    #[error("ClickHouse: {0}")]
    ClickHouse(#[from] clickhouse::error::Error),
    #[error(transparent)]
    ReadModel(#[from] ess_service::clickhouse::ReadModelError),
    #[error(transparent)]
    Migration(#[from] ess_service::clickhouse::MigrationError),
    #[error("Kafka: {0}")]
    Kafka(#[from] rdkafka::error::KafkaError),
    #[error(transparent)]
    Topic(#[from] ess_service::kafka::TopicError),
    #[error(transparent)]
    Configuration(#[from] ess_service::config::ConfigError),
    #[error(transparent)]
    DryRun(#[from] ess_projector::dry_run::DryRunError),
    #[error(transparent)]
    Parts(#[from] ess_parts::Error),
    #[error("an HTTP request: {0}")]
    Http(#[from] reqwest::Error),
    #[error("/proc: {0}")]
    Proc(#[from] procfs::ProcError),
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a task of the benchmark ended: {0}")]
    Task(#[from] tokio::task::JoinError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl Error {
    /// An error with this message.
    pub(crate) fn message(text: impl Into<String>) -> Self {
        Self::Message(text.into())
    }
}
