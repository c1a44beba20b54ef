//! A temporary folder for tests, which is removed even if its owner is killed: parts write hundreds of megabytes.

use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::supervisor::Supervisor;

const REMOVE_TIMEOUT: Duration = Duration::from_secs(20);

/// A temporary folder, removed on drop or when the process ends. Declare it before the parts that use it, so that it is dropped
/// after them.
#[derive(Debug)]
pub struct Scratch {
    path: std::path::PathBuf,
    remover: Supervisor,
}

impl Scratch {
    /// Creates a folder in the system's temporary folder.
    ///
    /// # Errors
    /// If it cannot be created, or `parts-supervise` is not built.
    pub fn new() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("ess-")
            .tempdir()
            .map_err(|source| Error::Io {
                what: "cannot create a temporary folder".to_owned(),
                source,
            })?;
        let remover = Supervisor::remove_afterwards(folder.path())?;
        Ok(Self {
            path: folder.keep(),
            remover,
        })
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remover.release(REMOVE_TIMEOUT);
    }
}
