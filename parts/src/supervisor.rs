//! Finds and starts the binaries of this crate, `parts-supervise` and `clickhouse-host`.
//! Never builds them: callers build them first.

use std::env;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::wait;

const SUPERVISE: &str = "parts-supervise";
pub(crate) const CLICKHOUSE_HOST: &str = "clickhouse-host";

/// A supervisor process. It stops its part when its stdin closes, which the kernel does even if this process is killed.
#[derive(Debug)]
pub(crate) struct Supervisor {
    process: Child,
    stdin: Option<ChildStdin>,
}

impl Supervisor {
    /// Starts `command` attached to this process. Its output goes to `log`.
    pub(crate) fn attach(command: &Command, log: File) -> Result<(Self, Identity)> {
        let mut supervisor = Self::spawn(
            supervised("attached", command)?
                .stdout(Stdio::piped())
                .stderr(log),
        )?;
        let mut pid = String::new();
        if let Some(stdout) = supervisor.process.stdout.take() {
            let _ = BufReader::new(stdout).read_line(&mut pid);
        }
        // A part that has already ended has no identity; `wait_until_ready` reports it.
        let pid = pid.trim().parse().unwrap_or_default();
        let identity = Identity::of(pid).unwrap_or(Identity { pid, started: 0 });
        Ok((supervisor, identity))
    }

    /// Removes `folder` after this process ends.
    pub(crate) fn remove_afterwards(folder: &std::path::Path) -> Result<Self> {
        let mut command = Command::new(binary(SUPERVISE)?);
        command.arg("remove").arg(folder).stdout(Stdio::null());
        Self::spawn(&mut command)
    }

    fn spawn(command: &mut Command) -> Result<Self> {
        // A process group of its own: Ctrl-C must not stop the supervisor before it has cleaned up.
        let mut process = command
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|source| Error::Io {
                what: format!("cannot start {SUPERVISE}"),
                source,
            })?;
        let stdin = process.stdin.take();
        Ok(Self { process, stdin })
    }

    /// Closes the supervisor's stdin and waits until it ends. Its exit status is the part's, or failure if a signal ended the part.
    pub(crate) fn release(&mut self, deadline: Duration) -> Option<ExitStatus> {
        self.stdin = None;
        wait::until(deadline, || self.process.try_wait().ok().flatten())
    }
}

/// `command` in a session of its own.
pub(crate) fn detached(command: &Command) -> Result<Command> {
    supervised("detached", command)
}

fn supervised(mode: &str, command: &Command) -> Result<Command> {
    let mut supervised = Command::new(binary(SUPERVISE)?);
    supervised
        .arg(mode)
        .arg(command.get_program())
        .args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => supervised.env(key, value),
            None => supervised.env_remove(key),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        supervised.current_dir(folder);
    }
    Ok(supervised)
}

/// The path of a binary of this crate: in `ESS_PARTS_BIN_DIR`, by default beside the running program (tests run in a subfolder).
pub(crate) fn binary(name: &str) -> Result<PathBuf> {
    let path = folder_of_binaries()?.join(name);
    if path.is_file() {
        Ok(path)
    } else {
        Err(Error::NotBuilt { path })
    }
}

fn folder_of_binaries() -> Result<PathBuf> {
    if let Some(folder) = env::var_os("ESS_PARTS_BIN_DIR") {
        return Ok(folder.into());
    }
    let exe = env::current_exe().map_err(|source| Error::Io {
        what: "cannot find the running program".to_owned(),
        source,
    })?;
    let mut folder = exe;
    folder.pop();
    if folder.ends_with("deps") || folder.ends_with("examples") {
        folder.pop();
    }
    Ok(folder)
}
