//! A server process that we started, or that an earlier run of ours left running: start, identify, end. Never signals
//! a process it cannot prove to be the one that was started.

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

/// How long a process may live.
#[derive(Clone, Debug)]
pub enum Lifetime {
    /// No longer than its owner, however the owner ends: for tests.
    Attached,
    /// Until it is stopped; the file holds its pid and start time.
    Detached {
        /// Where the identity is written.
        pid_file: PathBuf,
    },
}

/// What to run, and how.
#[derive(Debug)]
pub struct Launch<'a> {
    /// Name for people.
    pub name: &'a str,
    /// Program, arguments, environment, folder.
    pub command: Command,
    /// File to which stdout and stderr are appended.
    pub log: &'a Path,
    /// How long it may live.
    pub lifetime: &'a Lifetime,
}

/// How a stop went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It ended by itself after SIGTERM, or had ended before.
    Gracefully,
    /// It had to be killed at the deadline.
    Killed,
}

/// A running (or ended) server process.
#[derive(Debug)]
pub struct Process {
    identity: Identity,
    pid_file: Option<PathBuf>,
    supervisor: Option<Supervisor>,
    /// Ours to reap when it ends before we do.
    child: Option<Child>,
    ended: Option<ExitStatus>,
}

impl Launch<'_> {
    /// Starts it; does not wait for anything.
    ///
    /// # Errors
    /// When the log or the process cannot be created.
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
    /// The process an earlier run left behind, if it still runs.
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

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.identity.pid
    }

    /// The code with which it ended, once it was stopped; 1 when a signal ended it, `None` when it was not ours to wait
    /// for.
    pub fn exit_code(&self) -> Option<i32> {
        self.ended.and_then(|status| status.code())
    }

    /// Whether it still runs.
    pub fn is_alive(&self) -> bool {
        self.identity.is_alive()
    }

    /// Asks it to end, and kills it at the deadline.
    ///
    /// # Errors
    /// [`Error::Unkillable`] when even SIGKILL does not end it.
    pub fn stop(&mut self, deadline: Duration) -> Result<Stopped> {
        let _ = self.identity.signal(Signal::SIGTERM);
        if self.ended_within(deadline) {
            return self.forget().map(|()| Stopped::Gracefully);
        }
        self.kill().map(|()| Stopped::Killed)
    }

    /// Ends it at once, by SIGKILL, with everything in its process group.
    ///
    /// # Errors
    /// [`Error::Unkillable`].
    pub fn kill(&mut self) -> Result<()> {
        let _ = self.identity.signal(Signal::SIGKILL);
        if self.ended_within(KILLED_WITHIN) {
            return self.forget();
        }
        Err(Error::Unkillable {
            pid: self.identity.pid,
        })
    }

    /// Polls until `ready` says yes.
    ///
    /// # Errors
    /// [`Error::Died`] and [`Error::NotReady`], both with the last lines of the log; the process is ended then.
    pub fn wait_until_ready(
        &mut self,
        name: &str,
        log: &Path,
        deadline: Duration,
        mut ready: impl FnMut() -> bool,
    ) -> Result<()> {
        let answered = wait::until(deadline, || {
            if !self.is_alive() {
                return Some(false);
            }
            ready().then_some(true)
        });
        let (name, log_file, tail) = match answered {
            Some(true) => return Ok(()),
            _ => (name.to_owned(), log.to_owned(), tail(log)),
        };
        self.kill()?;
        Err(match answered {
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

    /// After the end: no pid file, no zombie, no supervisor.
    fn forget(&mut self) -> Result<()> {
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
    /// An attached process ends here; a detached one is left running.
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

/// The last lines of a log file.
pub fn tail(log: &Path) -> String {
    let text = fs::read(log)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
