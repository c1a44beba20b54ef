//! The life cycle of a process: build → spawn → wait for a signal → drain under a deadline. When any task ends or panics,
//! the process stops: a service never runs partially.

mod signal;

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
    config::{LoggingConfig, ShutdownConfig},
    health::Health,
    http::{self, Edge, HttpConfig, Paths},
    telemetry::{self, Metrics},
};

/// An error at startup.
pub type StartError = Box<dyn Error + Send + Sync>;

/// A running process: its tasks, health and metrics, and the token that stops it.
pub struct Process {
    /// The checks of `/health/ready`.
    pub health: Health,
    /// The metrics of `/metrics`.
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

    /// Cancelled when the process stops. Every task must then finish its work and return.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// How long HTTP may drain: half of the shutdown deadline, which leaves time to flush the work of the last requests.
    pub fn http_drain_timeout(&self) -> Duration {
        self.deadline / 2
    }

    /// Spawns a task that runs until [`Process::stopping`]. If it ends earlier, the process stops.
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

    /// Binds the address and spawns the task `http`, which serves `routes` completed by [`http::endpoint`]. With a JWK set it
    /// also spawns the task `jwks`, which keeps the set up to date.
    ///
    /// # Errors
    /// When the address cannot be bound, or the client for the JWK set cannot be built.
    pub async fn serve(
        &mut self,
        config: &HttpConfig,
        routes: Route,
        paths: Paths,
    ) -> Result<(), StartError> {
        let listener = http::bind(config).await?;
        let (gate, jwks) = Gate::new(&config.auth)?;
        if let Some(jwks) = jwks {
            let check = self.health.check("jwks");
            self.spawn("jwks", jwks.refresh(check, self.stopping()));
        }
        let edge = Edge {
            gate: Arc::new(gate),
            health: self.health.clone(),
            metrics: self.metrics.clone(),
            limits: config.limits,
        };
        let endpoint = http::endpoint(routes, paths, edge);
        self.spawn(
            "http",
            listener.serve(endpoint, self.stopping(), self.http_drain_timeout()),
        );
        Ok(())
    }

    /// Waits until the process is to stop, or a task ends early. False: a task ended early.
    async fn run(&mut self) -> bool {
        let stopping = self.stopping();
        tokio::select! {
            // Polled first, because a task may end as soon as this is cancelled.
            biased;
            () = stopping.cancelled() => true,
            Some(ended) = self.tasks.join_next_with_id() => {
                let (name, outcome) = self.task_outcome(ended);
                let reason = outcome.err().unwrap_or_else(|| "ended early".to_owned());
                tracing::error!(task = name, "task {name} {reason}; the process stops");
                false
            }
        }
    }

    /// Stops all tasks and waits for them, until the deadline or a second signal. True: all tasks succeeded in time.
    async fn drain(&mut self) -> bool {
        let start = Instant::now();
        self.stopping.cancel();
        let (deadline, abandoned) = (self.deadline, self.abandoned.clone());
        let drained = tokio::select! {
            succeeded = self.join_all() => Ok(succeeded),
            () = tokio::time::sleep(deadline) => Err("the drain deadline passed"),
            () = abandoned.cancelled() => Err("the drain was abandoned"),
        };
        let took_ms = start.elapsed().as_millis() as u64;
        drained
            .inspect(|_| tracing::info!(took_ms, "drained in {took_ms} ms, within the deadline"))
            .unwrap_or_else(|why| {
                let running: Vec<_> = self.names.values().collect();
                tracing::error!(
                    took_ms,
                    ?running,
                    "{why} with tasks still running: {running:?}"
                );
                false
            })
    }

    async fn join_all(&mut self) -> bool {
        let mut succeeded = true;
        while let Some(ended) = self.tasks.join_next_with_id().await {
            let (name, outcome) = self.task_outcome(ended);
            if let Err(reason) = outcome {
                tracing::error!(task = name, "task {name} {reason} during the drain");
                succeeded = false;
            }
        }
        succeeded
    }

    fn task_outcome(
        &mut self,
        ended: Result<(Id, Result<(), String>), JoinError>,
    ) -> (&'static str, Result<(), String>) {
        let (id, outcome) = match ended {
            Ok((id, Ok(()))) => (id, Ok(())),
            Ok((id, Err(error))) => (id, Err(format!("failed: {error}"))),
            Err(error) => (error.id(), Err(format!("panicked: {error}"))),
        };
        (self.names.remove(&id).unwrap_or("unknown"), outcome)
    }
}

/// Runs a service: starts logging and metrics, calls `start` to build it and spawn its tasks, waits for SIGTERM, SIGINT or
/// the end of a task, and drains. Exit code 0: stopped by a signal and drained in time; otherwise 1.
pub fn run(
    logging: &LoggingConfig,
    shutdown: &ShutdownConfig,
    start: impl AsyncFnOnce(&mut Process) -> Result<(), StartError>,
) -> ExitCode {
    let prepared = telemetry::start_logging(logging)
        .and_then(|()| telemetry::start_metrics())
        .map_err(StartError::from);
    let (metrics, runtime) = match prepared.and_then(|metrics| Ok((metrics, Runtime::new()?))) {
        Ok(prepared) => prepared,
        Err(error) => {
            tracing::error!("cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let succeeded = runtime.block_on(live(Process::new(metrics, shutdown.deadline), start));
    // A blocking call must not keep the process alive after the drain.
    runtime.shutdown_timeout(Duration::from_secs(1));
    if succeeded {
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
    let ran_to_signal = match started {
        Ok(()) => process.run().await,
        Err(error) => {
            tracing::error!("cannot start: {error}");
            false
        }
    };
    process.drain().await && ran_to_signal
}

#[cfg(test)]
mod tests;
