//! Kills processes of a stack that `cargo xtask up` started, and starts them again as they were, on a seeded schedule. A process is
//! identified by its pid file and its start time, so that a process of another program is never killed.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use ess_parts::{Identity, Process};
use procfs::process::Process as Proc;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::report::Fault;
use crate::scenario::{Chaos, Victim};
use crate::usage::Pids;

/// Injects faults on a schedule.
pub(crate) struct FaultInjector {
    schedule: Chaos,
    run_dir: PathBuf,
    start: Instant,
}

/// A fault injector in the background.
pub(crate) struct FaultInjectorTask {
    task: JoinHandle<Vec<Fault>>,
    done: CancellationToken,
}

/// A victim that does not run.
#[derive(Debug, thiserror::Error)]
#[error(
    "{name} does not run as a process of {run_dir}: --chaos needs a stack that `cargo xtask up` started (--run-dir)"
)]
pub(crate) struct NoVictim {
    name: &'static str,
    run_dir: String,
}

impl FaultInjector {
    /// # Errors
    /// When a victim does not run.
    pub(crate) fn new(schedule: &Chaos, pids: &Pids, start: Instant) -> Result<Self, NoVictim> {
        let run_dir = pids.run_dir.clone().unwrap_or_default();
        for victim in &schedule.victims {
            if Process::adopt(&pid_file(&run_dir, *victim)).is_none() {
                return Err(NoVictim {
                    name: victim.name(),
                    run_dir: run_dir.display().to_string(),
                });
            }
        }
        Ok(Self {
            schedule: schedule.clone(),
            run_dir,
            start,
        })
    }

    /// Injects faults until the task is finished or the run stops. A victim that is down then is started first.
    pub(crate) fn spawn(self, stop: &CancellationToken) -> FaultInjectorTask {
        let done = stop.child_token();
        let until = done.clone();
        let task = tokio::spawn(async move { self.run(&until).await });
        FaultInjectorTask { task, done }
    }

    async fn run(self, done: &CancellationToken) -> Vec<Fault> {
        let mut rng = ChaCha12Rng::seed_from_u64(self.schedule.seed);
        let mut faults = Vec::new();
        while let Some((wait, victim)) = next_fault(&self.schedule, &mut rng) {
            if done.run_until_cancelled(sleep(wait)).await.is_none() {
                break;
            }
            self.inject(victim, &mut faults).await;
        }
        faults
    }

    async fn inject(&self, victim: Victim, faults: &mut Vec<Fault>) {
        let (file, name) = (pid_file(&self.run_dir, victim), victim.name());
        let mut record = |what: String| {
            let at_s = self.start.elapsed().as_secs_f64();
            faults.push(Fault { at_s, what });
        };
        let restart = match spawn_blocking(move || kill(&file)).await {
            Ok(Ok(restart)) => restart,
            Ok(Err(reason)) => return record(format!("{name} could not be killed: {reason}")),
            Err(_) => return,
        };
        record(format!("{name} was killed"));
        // The end of the run does not interrupt it: the stack is left as it was found.
        sleep(self.schedule.down_for.0).await;
        match spawn_blocking(move || restart.start()).await {
            Ok(Ok(pid)) => record(format!("{name} was started again (pid {pid})")),
            Ok(Err(reason)) => record(format!("{name} could not be started: {reason}")),
            Err(_) => {}
        }
    }
}

impl FaultInjectorTask {
    /// Ends it, with every victim running, and returns the faults.
    pub(crate) async fn finish(self) -> Vec<Fault> {
        self.done.cancel();
        self.task.await.unwrap_or_default()
    }
}

fn pid_file(run_dir: &Path, victim: Victim) -> PathBuf {
    run_dir.join(format!("{}.pid", victim.name()))
}

/// How long to wait, and the victim: half to one and a half of the mean time between faults.
fn next_fault(schedule: &Chaos, rng: &mut ChaCha12Rng) -> Option<(Duration, Victim)> {
    let factor = rng.random_range(0.5..1.5);
    let victim = schedule.victims.choose(rng)?;
    Some((schedule.every.0.mul_f64(factor), *victim))
}

/// How to start a process again.
struct Restart {
    command: Command,
    log: PathBuf,
    pid_file: PathBuf,
}

fn kill(pid_file: &Path) -> Result<Restart, String> {
    let mut process = Process::adopt(pid_file).ok_or("it does not run")?;
    let restart = Restart::of(process.pid(), pid_file).map_err(|error| error.to_string())?;
    process.kill().map_err(|error| error.to_string())?;
    Ok(restart)
}

impl Restart {
    /// Reads the command of a running process from procfs (proc(5)).
    fn of(pid: i32, pid_file: &Path) -> procfs::ProcResult<Self> {
        let process = Proc::new(pid)?;
        let mut command = Command::new(process.exe()?);
        command
            .args(process.cmdline()?.into_iter().skip(1))
            .env_clear()
            .envs(process.environ()?)
            .current_dir(process.cwd()?);
        Ok(Self {
            command,
            log: fs::read_link(format!("/proc/{pid}/fd/1"))?,
            pid_file: pid_file.to_owned(),
        })
    }

    /// Starts it in a process group of its own, which Ctrl-C in this terminal does not reach. Writes the pid file in the format
    /// of `ess_parts`.
    fn start(mut self) -> io::Result<i32> {
        let log = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.log)?;
        let child = self
            .command
            .process_group(0)
            .stdin(Stdio::null())
            .stderr(log.try_clone()?)
            .stdout(log)
            .spawn()?;
        let pid = child.id().cast_signed();
        let identity = Identity::of(pid).unwrap_or(Identity { pid, started: 0 });
        fs::write(&self.pid_file, identity.to_string())?;
        Ok(pid)
    }
}

#[cfg(test)]
mod tests {
    use ess_parts::{Launch, Lifetime};

    use super::*;

    fn faults(seed: u64) -> Vec<(Duration, Victim)> {
        let schedule = Chaos::default();
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        (0..40)
            .filter_map(|_| next_fault(&schedule, &mut rng))
            .collect()
    }

    #[test]
    fn the_same_seed_kills_the_same_victims_at_the_same_times() {
        assert_eq!(faults(3), faults(3));
        assert_ne!(faults(3), faults(4));
        for victim in Chaos::default().victims {
            assert!(faults(3).iter().any(|(_, killed)| *killed == victim));
        }
    }

    #[test]
    fn a_process_is_started_again_as_it_was() {
        let folder = ess_parts::Scratch::new().unwrap();
        let (log, file) = (
            folder.path().join("sleeper.log"),
            folder.path().join("sleeper.pid"),
        );
        let mut command = Command::new("sleep");
        command
            .arg("300")
            .env("ESS_MARK", "same")
            .current_dir(folder.path());
        let lifetime = Lifetime::Detached {
            pid_file: file.clone(),
        };
        let launch = Launch {
            name: "sleeper",
            command,
            log: &log,
            lifetime: &lifetime,
        };
        let first = launch.spawn().unwrap();
        let first_pid = first.pid();
        let mark_of = |pid| {
            let environment = Proc::new(pid).ok()?.environ().ok()?;
            environment.get(std::ffi::OsStr::new("ESS_MARK")).cloned()
        };
        // Before exec, the process still has the command line of its parent.
        let started = || {
            let line = Proc::new(first_pid).ok()?.cmdline().ok()?;
            mark_of(first_pid).filter(|_| line == ["sleep", "300"])
        };
        ess_parts::until(Duration::from_secs(10), started).unwrap();
        let restart = kill(&file).unwrap();
        let pid = restart.start().unwrap();
        let mut second = Process::adopt(&file).unwrap();
        let mark = ess_parts::until(Duration::from_secs(10), || mark_of(pid));
        second.kill().unwrap();
        drop(first);
        assert_ne!(pid, first_pid);
        assert_eq!(mark.unwrap(), "same");
    }
}
