//! How this crate's own binaries are found and started: `parts-supervise` and `clickhouse-host`. They are never built
//! from here; whoever starts parts builds them first.

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

/// A supervisor holds a part only as long as we hold its stdin; the kernel closes that however we end.
#[derive(Debug)]
pub(crate) struct Supervisor {
    process: Child,
    stdin: Option<ChildStdin>,
}

impl Supervisor {
    /// Starts `command` attached to us; its output goes to `log`.
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
        // A part that ended at once is no longer there to be identified: it is reported by whoever waits for it.
        let pid = pid.trim().parse().unwrap_or_default();
        let identity = Identity::of(pid).unwrap_or(Identity { pid, started: 0 });
        Ok((supervisor, identity))
    }

    /// Removes `folder` once we have ended.
    pub(crate) fn remove_afterwards(folder: &std::path::Path) -> Result<Self> {
        let mut command = Command::new(binary(SUPERVISE)?);
        command.arg("remove").arg(folder).stdout(Stdio::null());
        Self::spawn(&mut command)
    }

    fn spawn(command: &mut Command) -> Result<Self> {
        // A group of its own: Ctrl-C at our terminal must not take the supervisor before it did its work.
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

    /// Lets go, and waits until the supervisor has done its work. Its exit status is the part's, failure for a signal.
    pub(crate) fn release(&mut self, deadline: Duration) -> Option<ExitStatus> {
        self.stdin = None;
        wait::until(deadline, || self.process.try_wait().ok().flatten())
    }
}

/// `command` in a session of its own, with the same pid.
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

/// A binary of this crate: in `ESS_PARTS_BIN_DIR`, else beside the running program (tests run one folder deeper).
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
    let me = env::current_exe().map_err(|source| Error::Io {
        what: "cannot find this program".to_owned(),
        source,
    })?;
    let mut folder = me;
    folder.pop();
    if folder.ends_with("deps") || folder.ends_with("examples") {
        folder.pop();
    }
    Ok(folder)
}
