//! The cache of downloaded parts. A download fills a `.partial` folder and renames it at the end, so that a folder with its final
//! name is always complete. Never changes anything outside the cache folder.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::download::Download;
use crate::error::{Error, Result};
use crate::progress::note;
use crate::tools::{self, JAVA, MAVEN, NPM, TAR};
use crate::{maven, npm, versions};

/// The file in a complete folder that lists its versions.
const MARKER: &str = "COMPLETE";

/// The cache of downloaded parts.
#[derive(Clone, Debug)]
pub struct Downloads {
    root: PathBuf,
}

/// Paths of the downloaded parts.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The folder of the broker's jars.
    pub kafka_jars: PathBuf,
    /// ClickHouse as a shared library.
    pub libchdb: PathBuf,
}

/// Downloads missing parts into the default cache.
///
/// # Errors
/// A missing tool, a failed download, or an I/O error.
pub fn fetch() -> Result<Parts> {
    Downloads::default().fetch()
}

impl Default for Downloads {
    /// `ESS_PARTS_DIR`, by default `.parts` in the workspace root.
    fn default() -> Self {
        Self::at(
            env::var_os("ESS_PARTS_DIR")
                .map_or_else(|| project_root().join(".parts"), PathBuf::from),
        )
    }
}

impl Downloads {
    /// A cache in this folder.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The cache folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Downloads missing parts. Concurrent calls wait for each other.
    ///
    /// # Errors
    /// As [`fetch`].
    pub fn fetch(&self) -> Result<Parts> {
        require_supported_machine()?;
        let (kafka, chdb) = (maven::kafka(), npm::chdb());
        let complete = self.is_complete(&kafka) && self.is_complete(&chdb);
        // Reports all missing tools together, before the first download.
        tools::require(if complete {
            &[JAVA]
        } else {
            &[JAVA, MAVEN, NPM, TAR]
        })?;
        fs::create_dir_all(&self.root).map_err(Error::io("cannot create", &self.root))?;
        let lock = self.lock()?;
        let kafka = self.ensure(&kafka)?;
        let chdb = self.ensure(&chdb)?;
        drop(lock);
        Ok(Parts {
            kafka_jars: kafka.join("lib"),
            libchdb: chdb.join(npm::LIBRARY),
        })
    }

    /// Locks the cache. The kernel releases the lock when the process ends.
    fn lock(&self) -> Result<File> {
        let path = self.root.join("lock");
        let file = File::create(&path).map_err(Error::io("cannot create", &path))?;
        if file.try_lock().is_err() {
            note("waiting for another process that downloads into the same folder");
            file.lock().map_err(Error::io("cannot lock", &path))?;
        }
        Ok(file)
    }

    /// Whether the folder exists with the pinned versions.
    fn is_complete(&self, download: &Download) -> bool {
        let marker = self.root.join(&download.folder).join(MARKER);
        fs::read_to_string(marker).is_ok_and(|found| found == download.contents)
    }

    fn ensure(&self, download: &Download) -> Result<PathBuf> {
        let folder = self.root.join(&download.folder);
        if self.is_complete(download) {
            return Ok(folder);
        }
        let partial = self.root.join(format!("{}.partial", download.folder));
        discard(
            &partial,
            &format!(
                "an earlier download of {} was interrupted: downloading again",
                download.name
            ),
        )?;
        discard(
            &folder,
            &format!(
                "{} has another version: downloading the pinned one",
                download.name
            ),
        )?;
        fs::create_dir(&partial).map_err(Error::io("cannot create", &partial))?;
        (download.fill)(&partial)?;
        let marker = partial.join(MARKER);
        fs::write(&marker, &download.contents).map_err(Error::io("cannot write", &marker))?;
        fs::rename(&partial, &folder).map_err(Error::io("cannot rename", &partial))?;
        Ok(folder)
    }
}

fn discard(leftover: &Path, reason: &str) -> Result<()> {
    if !leftover.exists() {
        return Ok(());
    }
    note(reason);
    fs::remove_dir_all(leftover).map_err(Error::io("cannot remove", leftover))
}

/// The root of the workspace in which this crate was built.
pub fn project_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

fn require_supported_machine() -> Result<()> {
    let (os, arch) = (env::consts::OS, env::consts::ARCH);
    if (os, arch) == ("linux", "x86_64") {
        return Ok(());
    }
    Err(Error::UnsupportedMachine {
        part: versions::CHDB_PACKAGE,
        os,
        arch,
        instead: "CLICKHOUSE_URL",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn download(contents: &str, fill: fn(&Path) -> Result<()>) -> Download {
        Download {
            name: "a part",
            folder: "part-1".to_owned(),
            contents: contents.to_owned(),
            fill,
        }
    }

    fn complete(folder: &Path) -> Result<()> {
        fs::write(folder.join("file"), "complete").map_err(Error::io("cannot write", folder))
    }

    fn broken(folder: &Path) -> Result<()> {
        fs::write(folder.join("file"), "ha").map_err(Error::io("cannot write", folder))?;
        Err(Error::Incomplete {
            what: "a part",
            path: folder.to_owned(),
        })
    }

    #[test]
    fn an_interrupted_download_is_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Downloads::at(folder.path());
        cache.ensure(&download("v1", broken)).unwrap_err();
        assert!(
            !folder.path().join("part-1").exists(),
            "an incomplete part must not have the final name"
        );
        let part = cache.ensure(&download("v1", complete)).unwrap();
        assert_eq!(fs::read_to_string(part.join("file")).unwrap(), "complete");
    }

    #[test]
    fn a_complete_download_is_reused_until_its_versions_change() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Downloads::at(folder.path());
        cache.ensure(&download("v1", complete)).unwrap();
        cache.ensure(&download("v1", broken)).unwrap();
        cache.ensure(&download("v2", broken)).unwrap_err();
    }
}
