//! `.run/`: the files of a running system. Data, logs, pid files, and the addresses that it was started with, so that a
//! later `status` or `down` needs no environment.

use std::fs;
use std::path::{Path, PathBuf};

use ess_parts::Process;

use crate::error::{Error, Result};
use crate::system::Addresses;

/// The folder.
pub(crate) struct RunDir {
    root: PathBuf,
}

impl RunDir {
    /// In the project's root, or at `ESS_RUN_DIR`.
    pub(crate) fn here() -> Self {
        let chosen = std::env::var_os("ESS_RUN_DIR").map(PathBuf::from);
        Self {
            root: chosen.unwrap_or_else(|| ess_parts::project_root().join(".run")),
        }
    }

    /// Creates the folder if it is missing.
    pub(crate) fn create(&self) -> Result<()> {
        let logs = self.root.join("logs");
        fs::create_dir_all(&logs).map_err(Error::io("create", &logs))
    }

    /// Removes the folder with everything in it, and returns its path.
    pub(crate) fn wipe(&self) -> Result<&Path> {
        match fs::remove_dir_all(&self.root) {
            Err(error) if self.root.exists() => Err(Error::io("remove", &self.root)(error)),
            _ => Ok(&self.root),
        }
    }

    /// Data folder of a server.
    pub(crate) fn data(&self, name: &str) -> PathBuf {
        self.root.join("data").join(name)
    }

    /// File with the output of a process.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.root.join("logs").join(format!("{name}.log"))
    }

    /// File with the pid of a process.
    pub(crate) fn pid_file(&self, name: &str) -> PathBuf {
        self.root.join(format!("{name}.pid"))
    }

    /// The process, if it runs.
    pub(crate) fn process(&self, name: &str) -> Option<Process> {
        Process::adopt(&self.pid_file(name))
    }

    /// The addresses of the last `up`.
    pub(crate) fn addresses(&self) -> Option<Addresses> {
        serde_json::from_slice(&fs::read(self.addresses_file()).ok()?).ok()
    }

    /// Saves the addresses for later commands.
    pub(crate) fn save(&self, addresses: &Addresses) -> Result<()> {
        let file = self.addresses_file();
        let text = serde_json::to_string_pretty(addresses)
            .map_err(|error| Error::message(error.to_string()))?;
        fs::write(&file, text + "\n").map_err(Error::io("write", &file))
    }

    fn addresses_file(&self) -> PathBuf {
        self.root.join("addresses.json")
    }
}
