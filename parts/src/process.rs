//! A server process of this run, or one that an earlier run left running: starts, identifies and stops it.
//! Never signals a process unless its identity proves that it is the one that was started.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::supervisor::{Supervisor, detached};
use crate::wait;

const KILLED_WITHIN: Duration = Duration::from_secs(10);
const TAIL_LINES: usize = 25;

/// The lifetime of a process.
#[derive(Clone, Debug)]
pub enum Lifetime {
    /// Ends with its owner, even if the owner is killed: for tests.
    Attached,
    /// Runs until it is stopped.
    Detached {
        /// The file for its pid and start time.
        pid_file: PathBuf,
    },
}

/// A process to start.
#[derive(Debug)]
pub struct Launch<'a> {
    /// Display name.
    pub name: &'a str,
    /// Program, arguments, environment, working directory.
    pub command: Command,
    /// The log file for stdout and stderr. Output is appended.
    pub log: &'a Path,
    /// Its lifetime.
    pub lifetime: &'a Lifetime,
}

/// The result of a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It ended after SIGTERM, or before.
    Gracefully,
    /// It was killed at the deadline.
    Killed,
}

/// A server process, running or ended.
#[derive(Debug)]
pub struct Process {
    identity: Identity,
    pid_file: Option<PathBuf>,
    supervisor: Option<Supervisor>,
    /// The child process, to reap when it ends.
    child: Option<Child>,
    ended: Option<ExitStatus>,
}

impl Launch<'_> {
    /// Starts the process. Does not wait until it is ready.
    ///
    /// # Errors
    /// If the log or the process cannot be created.
    pub fn spawn(self) -> Result<Process> {
        let log = open_log(self.log)?;
        match self.lifetime {
            Lifetime::Attached => {
                let (supervisor, identity) = Supervisor::attach(&self.command, log)?;
                Ok(Process {
                    identity,
                    pid_file: None,
                    supervisor: Some(supervisor),
                    child: None,
                    ended: None,
                })
            }
            Lifetime::Detached { pid_file } => {
                spawn_detached(self.name, &self.command, log, pid_file)
            }
        }
    }
}

impl Process {
    /// The process of an earlier run, if it still runs.
    pub fn adopt(pid_file: &Path) -> Option<Self> {
        let identity: Identity = fs::read_to_string(pid_file).ok()?.parse().ok()?;
        let pid_file = Some(pid_file.to_owned());
        identity.is_alive().then_some(Self {
            identity,
            pid_file,
            supervisor: None,
            child: None,
            ended: None,
        })
    }

    /// The process id.
    pub fn pid(&self) -> i32 {
        self.identity.pid
    }

    /// The exit code after a stop: 1 if a signal ended the process, `None` if another process started it.
    pub fn exit_code(&self) -> Option<i32> {
        self.ended.and_then(|status| status.code())
    }

    /// Whether the process runs.
    pub fn is_alive(&self) -> bool {
        self.identity.is_alive()
    }

    /// Sends SIGTERM, then SIGKILL at the deadline.
    ///
    /// # Errors
    /// [`Error::Unkillable`] if the process survives SIGKILL.
    pub fn stop(&mut self, deadline: Duration) -> Result<Stopped> {
        let _ = self.identity.signal(Signal::SIGTERM);
        if self.ended_within(deadline) {
            return self.clean_up().map(|()| Stopped::Gracefully);
        }
        self.kill().map(|()| Stopped::Killed)
    }

    /// Sends SIGKILL to its process group.
    ///
    /// # Errors
    /// [`Error::Unkillable`].
    pub fn kill(&mut self) -> Result<()> {
        let _ = self.identity.signal(Signal::SIGKILL);
        if self.ended_within(KILLED_WITHIN) {
            return self.clean_up();
        }
        Err(Error::Unkillable {
            pid: self.identity.pid,
        })
    }

    /// Polls until `ready` returns true.
    ///
    /// # Errors
    /// [`Error::Died`] or [`Error::NotReady`], with the last lines of the log. The process is killed then.
    pub fn wait_until_ready(
        &mut self,
        name: &str,
        log: &Path,
        deadline: Duration,
        mut ready: impl FnMut() -> bool,
    ) -> Result<()> {
        let outcome = wait::until(deadline, || {
            if !self.is_alive() {
                return Some(false);
            }
            ready().then_some(true)
        });
        let (name, log_file, tail) = match outcome {
            Some(true) => return Ok(()),
            _ => (name.to_owned(), log.to_owned(), tail(log)),
        };
        self.kill()?;
        Err(match outcome {
            Some(_) => Error::Died {
                name,
                log: log_file,
                tail,
            },
            None => Error::NotReady {
                name,
                seconds: deadline.as_secs(),
                log: log_file,
                tail,
            },
        })
    }

    fn ended_within(&mut self, deadline: Duration) -> bool {
        wait::until(deadline, || (!self.is_alive()).then_some(())).is_some()
    }

    /// Releases the supervisor, reaps the child and removes the pid file.
    fn clean_up(&mut self) -> Result<()> {
        if let Some(mut supervisor) = self.supervisor.take() {
            self.ended = supervisor.release(KILLED_WITHIN);
        }
        if let Some(mut child) = self.child.take() {
            self.ended = child.wait().ok();
        }
        match self
            .pid_file
            .take()
            .map(|file| (fs::remove_file(&file), file))
        {
            Some((Err(source), file)) if file.exists() => {
                Err(Error::io("cannot remove", &file)(source))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Process {
    /// Stops an attached process. A detached one keeps running.
    fn drop(&mut self) {
        if let Some(mut supervisor) = self.supervisor.take() {
            supervisor.release(KILLED_WITHIN);
        }
    }
}

fn spawn_detached(name: &str, command: &Command, log: File, pid_file: &Path) -> Result<Process> {
    let io = |source| Error::Io {
        what: format!("cannot start {name}"),
        source,
    };
    let errors = log.try_clone().map_err(io)?;
    let child = detached(command)?
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .map_err(io)?;
    let pid = child.id().cast_signed();
    let identity = Identity::of(pid).unwrap_or(Identity { pid, started: 0 });
    let process = Process {
        identity,
        pid_file: Some(pid_file.to_owned()),
        supervisor: None,
        child: Some(child),
        ended: None,
    };
    fs::write(pid_file, identity.to_string()).map_err(Error::io("cannot write", pid_file))?;
    Ok(process)
}

fn open_log(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::io("cannot create", folder))?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(Error::io("cannot open", path))
}

/// Returns the last lines of a log file.
pub fn tail(log: &Path) -> String {
    let text = fs::read(log)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
