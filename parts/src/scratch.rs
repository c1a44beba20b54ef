//! A temporary folder that does not outlive its owner, even when the owner is killed: for tests, whose parts write
//! hundreds of megabytes.

use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::supervisor::Supervisor;

const REMOVED_WITHIN: Duration = Duration::from_secs(20);

/// The folder; removed on drop, or when the process is gone. Declare it before the parts that live in it, so that it is
/// dropped after them.
#[derive(Debug)]
pub struct Scratch {
    path: std::path::PathBuf,
    remover: Supervisor,
}

impl Scratch {
    /// A fresh folder under the system's temporary folder.
    ///
    /// # Errors
    /// When it cannot be created, or `parts-supervise` is not built.
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

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remover.release(REMOVED_WITHIN);
    }
}
