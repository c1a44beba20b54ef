//! The life of a process: build → spawn → wait for a signal → drain under a deadline. When any task ends or panics the whole
//! process stops: there is no half-running service.

mod files;
mod signal;

pub(crate) use self::files::file_limit;

use std::{
    collections::HashMap,
    error::Error,
    fmt::Display,
    future::Future,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use poem::Route;
use tokio::{
    runtime::Runtime,
    task::{Id, JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;

use crate::{
    auth::Gate,
    config::{HttpConfig, LoggingConfig, ShutdownConfig},
    health::Health,
    http::{self, Edge, Paths},
    telemetry::{self, Metrics},
};

/// Why a service could not start.
pub type StartError = Box<dyn Error + Send + Sync>;

/// A running process: its tasks, its health, its metrics, and the token that tells it to stop.
pub struct Process {
    /// The checks behind `/health/ready`.
    pub health: Health,
    /// The text behind `/metrics`.
    pub metrics: Metrics,
    tasks: JoinSet<Result<(), String>>,
    names: HashMap<Id, &'static str>,
    stopping: CancellationToken,
    abandoned: CancellationToken,
    deadline: Duration,
}

impl Process {
    fn new(metrics: Metrics, deadline: Duration) -> Self {
        let (tasks, names) = (JoinSet::new(), HashMap::new());
        Self {
            health: Health::default(),
            metrics,
            tasks,
            names,
            stopping: CancellationToken::new(),
            abandoned: CancellationToken::new(),
            deadline,
        }
    }

    /// Cancelled once the process is to stop; every task must then finish what it holds and return.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// How long HTTP may drain: half of the shutdown deadline, so that what requests left behind can still be flushed.
    pub fn http_drain_timeout(&self) -> Duration {
        self.deadline / 2
    }

    /// Spawns a critical task: one that runs until [`Process::stopping`]. Its end before that stops the process.
    pub fn spawn<E: Display>(
        &mut self,
        name: &'static str,
        task: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let handle = self
            .tasks
            .spawn(async move { task.await.map_err(|error| error.to_string()) });
        self.names.insert(handle.id(), name);
    }

    /// Binds the address now and spawns the task `http` that serves `routes` completed by [`http::endpoint`].
    ///
    /// # Errors
    /// When the address cannot be had, or what checks credentials cannot be made.
    pub async fn serve(
        &mut self,
        config: &HttpConfig,
        routes: Route,
        paths: Paths,
    ) -> Result<(), StartError> {
        let listening = http::bind(config).await?;
        let edge = Edge {
            gate: Arc::new(Gate::start(&config.auth, self)?),
            health: self.health.clone(),
            metrics: self.metrics.clone(),
            limits: config.limits,
        };
        let endpoint = http::endpoint(routes, paths, edge);
        self.spawn(
            "http",
            listening.serve(endpoint, self.stopping(), self.http_drain_timeout()),
        );
        Ok(())
    }

    /// Waits until the process is told to stop, or a task ends that should not have. True: it was told.
    async fn run(&mut self) -> bool {
        let stopping = self.stopping();
        tokio::select! {
            // First, because a task may end at once when it is told to.
            biased;
            () = stopping.cancelled() => true,
            Some(ended) = self.tasks.join_next_with_id() => {
                let (name, end) = self.told(ended);
                tracing::error!(task = name, "{name} {}; the process stops", end.err().unwrap_or_else(|| "ended unasked".to_owned()));
                false
            }
        }
    }

    /// Tells every task to stop and waits for them, within the deadline and unless told not to. True: all ended well.
    async fn drain(&mut self) -> bool {
        let start = Instant::now();
        self.stopping.cancel();
        let (deadline, abandoned) = (self.deadline, self.abandoned.clone());
        let drained = tokio::select! {
            well = self.join_all() => Ok(well),
            () = tokio::time::sleep(deadline) => Err("the drain deadline passed"),
            () = abandoned.cancelled() => Err("the drain was abandoned"),
        };
        let took_ms = start.elapsed().as_millis() as u64;
        drained
            .inspect(|_| tracing::info!(took_ms, "drained in {took_ms} ms, within the deadline"))
            .unwrap_or_else(|why| {
                let left: Vec<_> = self.names.values().collect();
                tracing::error!(took_ms, ?left, "{why} with tasks still running: {left:?}");
                false
            })
    }

    async fn join_all(&mut self) -> bool {
        let mut well = true;
        while let Some(ended) = self.tasks.join_next_with_id().await {
            let (name, end) = self.told(ended);
            if let Err(reason) = end {
                tracing::error!(task = name, "while draining, {name} {reason}");
                well = false;
            }
        }
        well
    }

    fn told(
        &mut self,
        ended: Result<(Id, Result<(), String>), JoinError>,
    ) -> (&'static str, Result<(), String>) {
        let (id, end) = match ended {
            Ok((id, Ok(()))) => (id, Ok(())),
            Ok((id, Err(error))) => (id, Err(format!("failed: {error}"))),
            Err(error) => (error.id(), Err(format!("panicked: {error}"))),
        };
        (self.names.remove(&id).unwrap_or("a task"), end)
    }
}

/// Runs a service: starts log and metrics, lets `start` build it and spawn its tasks, waits for SIGTERM or SIGINT (or the
/// first task that ends), drains, and says how it went: 0 when told to stop and drained in time, else 1.
pub fn run(
    log: &LoggingConfig,
    shutdown: &ShutdownConfig,
    start: impl AsyncFnOnce(&mut Process) -> Result<(), StartError>,
) -> ExitCode {
    let prepared = telemetry::start_logging(log)
        .and_then(|()| telemetry::start_metrics())
        .map_err(StartError::from);
    let (metrics, runtime) = match prepared.and_then(|metrics| Ok((metrics, Runtime::new()?))) {
        Ok(prepared) => prepared,
        Err(error) => {
            tracing::error!("cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let ended_well = runtime.block_on(live(Process::new(metrics, shutdown.deadline), start));
    // A thread stuck in a blocking call must not keep a process alive that has said it is done.
    runtime.shutdown_timeout(Duration::from_secs(1));
    if ended_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn live(
    mut process: Process,
    start: impl AsyncFnOnce(&mut Process) -> Result<(), StartError>,
) -> bool {
    if let Err(error) = signal::cancel_on_signal(process.stopping(), process.abandoned.clone()) {
        tracing::error!("cannot listen for signals: {error}");
        return false;
    }
    tokio::spawn(process.metrics.clone().upkeep());
    let stopping = process.stopping();
    let started = tokio::select! {
        started = start(&mut process) => started,
        () = stopping.cancelled() => Ok(()),
    };
    let ran_well = match started {
        Ok(()) => process.run().await,
        Err(error) => {
            tracing::error!("cannot start: {error}");
            false
        }
    };
    process.drain().await && ran_well
}

#[cfg(test)]
mod tests;
