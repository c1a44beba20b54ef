//! A service as a process: started on a free port, ready when `/health/ready` is 200, stopped or killed. It ends with this
//! process, however this process ends.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ess_parts::{Launch, Lifetime, Process, Stopped, ports, tail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::task::spawn_blocking;

use crate::answer::Http;
use crate::{binary, eventually_within};

const READY_WITHIN: Duration = Duration::from_mins(1);
/// Longer than the deadline of a service's own drain.
const STOP_TIMEOUT: Duration = Duration::from_secs(40);

/// A service that can be started, stopped and started again on the same address.
#[derive(Debug, Clone)]
pub struct Service {
    name: &'static str,
    environment: BTreeMap<String, String>,
    log: PathBuf,
    http: Http,
    process: Arc<Mutex<Option<Process>>>,
}

impl Service {
    /// `address_key` is the configuration key of its address; `log_folder` takes its output.
    pub(crate) fn new(
        name: &'static str,
        address_key: &str,
        environment: &BTreeMap<String, String>,
        log_folder: &Path,
    ) -> Self {
        let port = ports::free_port().expect("a free port");
        let mut environment = environment.clone();
        environment.insert(address_key.to_owned(), format!("127.0.0.1:{port}"));
        Self {
            name,
            environment,
            log: log_folder.join(format!("{name}-{port}.log")),
            http: Http::new(format!("http://127.0.0.1:{port}")),
            process: Arc::default(),
        }
    }

    /// Its HTTP client.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// The value of a configuration key that the test set.
    ///
    /// # Panics
    /// When the key has its default.
    pub fn setting(&self, key: &str) -> &str {
        &self.environment[key]
    }

    /// A command of the same binary with the same configuration, for example `projector init`.
    pub fn command(&self) -> Command {
        let mut command = Command::new(binary::path(self.name));
        command.envs(&self.environment);
        command
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Panics
    /// With the tail of its log, when it is not ready in time, or ends.
    pub async fn start(&self) {
        self.spawn();
        self.wait_until_ready().await;
    }

    /// Starts it without waiting.
    ///
    /// # Panics
    /// When it already runs.
    pub fn spawn(&self) {
        let mut process = self.process.lock().unwrap();
        assert!(
            process.as_ref().is_none_or(|known| !known.is_alive()),
            "{} already runs",
            self.name
        );
        let launch = Launch {
            name: self.name,
            command: self.command(),
            log: &self.log,
            lifetime: &Lifetime::Attached,
        };
        *process = Some(launch.spawn().unwrap_or_else(|error| panic!("{error}")));
    }

    /// Waits for 200 from `/health/ready`.
    ///
    /// # Panics
    /// As [`Service::start`].
    pub async fn wait_until_ready(&self) {
        let what = format!("{} is ready", self.name);
        let ended = eventually_within(READY_WITHIN, &what, async || {
            if !self.is_alive() {
                return Ok(true);
            }
            self.readiness().await.map(|()| false).map_err(|reason| {
                let tail = self.log_tail();
                format!("{reason}\n{tail}")
            })
        });
        assert!(
            !ended.await,
            "{} ended before it was ready\n{}",
            self.name,
            self.log_tail()
        );
    }

    /// Queries `/health/ready`.
    ///
    /// # Errors
    /// The reason why it is not ready, from the response if there is one.
    pub async fn readiness(&self) -> Result<(), String> {
        let request = self.http.request(reqwest::Method::GET, "/health/ready");
        let answer = self.http.try_send(request).await?;
        if answer.status == 200 {
            Ok(())
        } else {
            Err(answer.text)
        }
    }

    /// Kills it (SIGKILL), and waits until it has ended.
    pub async fn kill(&self) {
        self.end(|process| process.kill().map(|()| Stopped::Killed))
            .await;
    }

    /// Stops it (SIGTERM), waits, and returns its exit code.
    ///
    /// # Panics
    /// With the tail of its log, when it had to be killed at the deadline.
    pub async fn terminate(&self) -> i32 {
        let (stopped, code) = self.end(|process| process.stop(STOP_TIMEOUT)).await;
        let tail = self.log_tail();
        assert_eq!(stopped, Stopped::Gracefully, "{}\n{tail}", self.name);
        code.unwrap_or_else(|| panic!("{} left no exit code\n{tail}", self.name))
    }

    /// Suspends it (SIGSTOP), like a pause of its machine, until [`Service::thaw`].
    ///
    /// # Panics
    /// When it does not run.
    pub fn freeze(&self) {
        killpg(Pid::from_raw(self.pid()), Signal::SIGSTOP).unwrap();
    }

    /// Resumes it (SIGCONT).
    ///
    /// # Panics
    /// When it does not run.
    pub fn thaw(&self) {
        killpg(Pid::from_raw(self.pid()), Signal::SIGCONT).unwrap();
    }

    async fn end(
        &self,
        how: impl FnOnce(&mut Process) -> ess_parts::Result<Stopped> + Send + 'static,
    ) -> (Stopped, Option<i32>) {
        let process = Arc::clone(&self.process);
        let name = self.name;
        let ended = spawn_blocking(move || {
            let running = process.lock().unwrap().take();
            let mut running = running.unwrap_or_else(|| panic!("{name} was not started"));
            let stopped = how(&mut running).unwrap_or_else(|error| panic!("{error}"));
            (stopped, running.exit_code())
        });
        ended.await.unwrap()
    }

    /// Whether its process runs.
    pub fn is_alive(&self) -> bool {
        let process = self.process.lock().unwrap();
        process.as_ref().is_some_and(Process::is_alive)
    }

    /// Its process id.
    ///
    /// # Panics
    /// When it was not started.
    pub fn pid(&self) -> i32 {
        let process = self.process.lock().unwrap();
        process.as_ref().expect("a started service").pid()
    }

    /// Peak resident memory in bytes (`VmHWM`, proc(5)).
    ///
    /// # Panics
    /// When it does not run.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.unwrap().parse::<u64>().unwrap() * 1024
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        tail(&self.log)
    }

    /// Its complete log, over all starts.
    ///
    /// # Panics
    /// When it was never started.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}
