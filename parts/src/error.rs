//! What can go wrong while parts are fetched, started or stopped. Every message is written for the person at the
//! terminal: what happened, and what to do.

use std::io;
use std::path::{Path, PathBuf};

/// Result of everything in this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// One failure of a fetch, a start or a stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Programs are missing and could not be installed.
    #[error("missing: {}. Install with: apt-get install -y {}", missing.join(", "), packages.join(" "))]
    MissingTools {
        /// Names of the programs.
        missing: Vec<&'static str>,
        /// Debian packages that bring them.
        packages: Vec<&'static str>,
    },
    /// This machine cannot run the pinned binaries.
    #[error(
        "{part} is fetched as a Linux x86-64 binary, this is {os} {arch}: use ./start.sh --docker, or set {instead}"
    )]
    UnsupportedMachine {
        /// What was to be fetched.
        part: &'static str,
        /// Operating system of this machine.
        os: &'static str,
        /// Processor architecture of this machine.
        arch: &'static str,
        /// Environment variable that names a server to use instead.
        instead: &'static str,
    },
    /// A program that fetches or prepares something failed.
    #[error("{what} failed ({status}):\n{tail}")]
    Command {
        /// What the program was doing.
        what: String,
        /// How it ended.
        status: String,
        /// Its last lines.
        tail: String,
    },
    /// A fetch ended well, yet a file it must bring is not there.
    #[error("{what} is incomplete: {path} is missing; run the same command again", path = path.display())]
    Incomplete {
        /// What was fetched.
        what: &'static str,
        /// The absent file.
        path: PathBuf,
    },
    /// A part ended before it was ready.
    #[error("{name} ended before it was ready; the last lines of {}:\n{tail}", log.display())]
    Died {
        /// Name of the process.
        name: String,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A part did not become ready in time.
    #[error("{name} was not ready after {seconds} s; the last lines of {}:\n{tail}", log.display())]
    NotReady {
        /// Name of the process.
        name: String,
        /// How long was waited.
        seconds: u64,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A port that was asked for is taken.
    #[error("port {port} is taken{}", holder.as_ref().map(|h| format!(" by {h}")).unwrap_or_default())]
    PortTaken {
        /// The port.
        port: u16,
        /// Who holds it, when that can be seen.
        holder: Option<String>,
    },
    /// No free port was found where they are looked for.
    #[error("no free port between {from} and {to} on 127.0.0.1")]
    NoFreePort {
        /// First port tried.
        from: u16,
        /// Last port tried.
        to: u16,
    },
    /// One of this crate's binaries is not beside the running program.
    #[error("{} is not built; run: cargo build -p ess-parts --bins (or set ESS_PARTS_BIN_DIR)", path.display())]
    NotBuilt {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A process could not be ended.
    #[error("process {pid} does not end, even by SIGKILL")]
    Unkillable {
        /// Its id.
        pid: i32,
    },
    /// A file or a process could not be handled.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, with the path.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
}

impl Error {
    /// Wraps an I/O error with what was tried and on which path.
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let what = format!("{what} {}", path.display());
        move |source| Self::Io { what, source }
    }
}
