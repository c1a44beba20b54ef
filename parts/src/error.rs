//! Errors of downloading, starting and stopping parts.
//! Every message says what happened and what to do.

use std::io;
use std::path::{Path, PathBuf};

/// The result type of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of a download, a start or a stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Programs are missing and could not be installed.
    #[error("missing: {}. Install with: apt-get install -y {}", missing.join(", "), packages.join(" "))]
    MissingTools {
        /// Names of the programs.
        missing: Vec<&'static str>,
        /// Debian packages that contain them.
        packages: Vec<&'static str>,
    },
    /// This machine cannot run the pinned binaries.
    #[error(
        "{part} is a Linux x86-64 binary, and this machine is {os} {arch}; use ./start.sh --docker, or set {instead}"
    )]
    UnsupportedMachine {
        /// The part to download.
        part: &'static str,
        /// Operating system of this machine.
        os: &'static str,
        /// Processor architecture of this machine.
        arch: &'static str,
        /// The environment variable for the URL of another server.
        instead: &'static str,
    },
    /// A program failed.
    #[error("{what} failed ({status}):\n{tail}")]
    Command {
        /// The purpose of the program.
        what: String,
        /// Its exit status.
        status: String,
        /// Its last lines of output.
        tail: String,
    },
    /// A download succeeded without a required file.
    #[error("{what} is incomplete: {path} is missing; run the same command again", path = path.display())]
    Incomplete {
        /// The downloaded part.
        what: &'static str,
        /// The missing file.
        path: PathBuf,
    },
    /// A part ended before it was ready.
    #[error("{name} ended before it was ready; the last lines of {}:\n{tail}", log.display())]
    Died {
        /// Name of the process.
        name: String,
        /// Its log file.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A part did not become ready in time.
    #[error("{name} was not ready after {seconds} s; the last lines of {}:\n{tail}", log.display())]
    NotReady {
        /// Name of the process.
        name: String,
        /// The deadline.
        seconds: u64,
        /// Its log file.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A required port is in use.
    #[error("port {port} is in use{}", holder.as_ref().map(|h| format!(" by {h}")).unwrap_or_default())]
    PortTaken {
        /// The port.
        port: u16,
        /// The process that listens on it, if visible.
        holder: Option<String>,
    },
    /// No port in the range is free.
    #[error("no free port between {from} and {to} on 127.0.0.1")]
    NoFreePort {
        /// First port tried.
        from: u16,
        /// Last port tried.
        to: u16,
    },
    /// A binary of this crate is missing.
    #[error("{} is not built; run: cargo build -p ess-parts --bins (or set ESS_PARTS_BIN_DIR)", path.display())]
    NotBuilt {
        /// The expected path.
        path: PathBuf,
    },
    /// A process could not be killed.
    #[error("process {pid} does not end, not even after SIGKILL")]
    Unkillable {
        /// Its id.
        pid: i32,
    },
    /// An I/O error.
    #[error("{what}: {source}")]
    Io {
        /// The operation, with the path.
        what: String,
        /// The cause.
        source: io::Error,
    },
}

impl Error {
    /// Adds the operation and the path to an I/O error.
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let what = format!("{what} {}", path.display());
        move |source| Self::Io { what, source }
    }
}
