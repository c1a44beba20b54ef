//! Kills processes of a stack that `cargo xtask up` started, and starts them again as they were, on a seeded schedule. A process is
//! known by its pid file and the moment it started, so that none is ever hit that is not of the stack.

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

use crate::error::Error;
use crate::report::Blow;
use crate::scenario::{self, Victim};
use crate::usage::Pids;

/// Blows and what they hit.
pub(crate) struct Chaos {
    schedule: scenario::Chaos,
    run_dir: PathBuf,
    begin: Instant,
}

/// Chaos that goes on.
pub(crate) struct Raging {
    task: JoinHandle<Vec<Blow>>,
    done: CancellationToken,
}

impl Chaos {
    /// # Errors
    /// A victim that does not run.
    pub(crate) fn new(
        schedule: &scenario::Chaos,
        pids: &Pids,
        begin: Instant,
    ) -> Result<Self, Error> {
        let run_dir = pids.run_dir.clone().unwrap_or_default();
        for victim in &schedule.victims {
            if Process::adopt(&pid_file(&run_dir, *victim)).is_none() {
                return Err(Error::NoVictim {
                    name: victim.name(),
                    run_dir: run_dir.display().to_string(),
                });
            }
        }
        Ok(Self {
            schedule: schedule.clone(),
            run_dir,
            begin,
        })
    }

    /// Strikes until it is told to finish, or the run stops; whoever is down then is started first.
    pub(crate) fn start(self, stop: &CancellationToken) -> Raging {
        let done = stop.child_token();
        let until = done.clone();
        let task = tokio::spawn(async move { self.rage(&until).await });
        Raging { task, done }
    }

    async fn rage(self, done: &CancellationToken) -> Vec<Blow> {
        let mut chance = ChaCha12Rng::seed_from_u64(self.schedule.seed);
        let mut blows = Vec::new();
        while let Some(blow) = next_blow(&self.schedule, &mut chance) {
            if done.run_until_cancelled(sleep(blow.0)).await.is_none() {
                break;
            }
            self.strike(blow.1, &mut blows).await;
        }
        blows
    }

    async fn strike(&self, victim: Victim, blows: &mut Vec<Blow>) {
        let (file, name) = (pid_file(&self.run_dir, victim), victim.name());
        let mut tell = |what: String| {
            let at_s = self.begin.elapsed().as_secs_f64();
            blows.push(Blow { at_s, what });
        };
        let killed = spawn_blocking(move || kill(&file)).await;
        let again = match killed {
            Ok(Ok(again)) => again,
            Ok(Err(reason)) => return tell(format!("{name} could not be killed: {reason}")),
            Err(_) => return,
        };
        tell(format!("{name} was killed"));
        // Not cut short by the end of the run: the stack is left as it was found.
        sleep(self.schedule.down_for.0).await;
        let started = spawn_blocking(move || again.start());
        match started.await {
            Ok(Ok(pid)) => tell(format!("{name} was started again (pid {pid})")),
            Ok(Err(reason)) => tell(format!("{name} could not be started: {reason}")),
            Err(_) => {}
        }
    }
}

impl Raging {
    /// Ends it; every victim runs again.
    pub(crate) async fn finish(self) -> Vec<Blow> {
        self.done.cancel();
        self.task.await.unwrap_or_default()
    }
}

fn pid_file(run_dir: &Path, victim: Victim) -> PathBuf {
    run_dir.join(format!("{}.pid", victim.name()))
}

/// After how long whom: half to one and a half of the time between blows.
fn next_blow(schedule: &scenario::Chaos, chance: &mut ChaCha12Rng) -> Option<(Duration, Victim)> {
    let factor = chance.random_range(0.5..1.5);
    let victim = schedule.victims.choose(chance)?;
    Some((schedule.every.0.mul_f64(factor), *victim))
}

/// How a process was started, and so can be again.
struct Again {
    command: Command,
    log: PathBuf,
    pid_file: PathBuf,
}

fn kill(pid_file: &Path) -> Result<Again, String> {
    let mut process = Process::adopt(pid_file).ok_or("it does not run")?;
    let again = Again::of(process.pid(), pid_file).map_err(|error| error.to_string())?;
    process.kill().map_err(|error| error.to_string())?;
    Ok(again)
}

impl Again {
    /// Read while it runs, from what the kernel tells of it (proc(5)).
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

    /// In a process group of its own, so that Ctrl-C at our terminal is not meant for it; its pid file is that of `ess_parts`.
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

    fn blows(seed: u64) -> Vec<(Duration, Victim)> {
        let schedule = scenario::Chaos::default();
        let mut chance = ChaCha12Rng::seed_from_u64(seed);
        (0..40)
            .filter_map(|_| next_blow(&schedule, &mut chance))
            .collect()
    }

    #[test]
    fn the_same_seed_strikes_the_same_victims_at_the_same_times() {
        assert_eq!(blows(3), blows(3));
        assert_ne!(blows(3), blows(4));
        for victim in scenario::Chaos::default().victims {
            assert!(blows(3).iter().any(|(_, hit)| *hit == victim));
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
        // Until then it is what starts it, and its environment is not laid out.
        let became = || {
            let line = Proc::new(first_pid).ok()?.cmdline().ok()?;
            mark_of(first_pid).filter(|_| line == ["sleep", "300"])
        };
        ess_parts::until(Duration::from_secs(10), became).unwrap();
        let again = kill(&file).unwrap();
        let pid = again.start().unwrap();
        let mut second = Process::adopt(&file).unwrap();
        let mark = ess_parts::until(Duration::from_secs(10), || mark_of(pid));
        second.kill().unwrap();
        drop(first);
        assert_ne!(pid, first_pid);
        assert_eq!(mark.unwrap(), "same");
    }
}
