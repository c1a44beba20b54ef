//! The parts as files: where they lie, and how they get there. A fetch fills a `.partial` sibling and renames it as its
//! last step, so that a folder with its final name is always whole. Never touches anything outside its own folder.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::progress::note;
use crate::tools::{self, JAVA, MAVEN, NPM, TAR};
use crate::{maven, npm, versions};

/// Written into a complete folder: what it holds.
const MARKER: &str = "COMPLETE";

/// The cache of fetched parts.
#[derive(Clone, Debug)]
pub struct Downloads {
    root: PathBuf,
}

/// Everything fetched and ready to start.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Folder of the broker's jars.
    pub kafka_jars: PathBuf,
    /// ClickHouse as a shared library.
    pub libchdb: PathBuf,
}

/// One part that can be fetched.
pub(crate) struct Download {
    /// Name for people.
    pub(crate) name: &'static str,
    /// Name of the folder, with the version in it.
    pub(crate) folder: String,
    /// Exactly what the folder holds; a marker that says otherwise makes the folder stale.
    pub(crate) contents: String,
    /// Fills an empty folder.
    pub(crate) fill: fn(&Path) -> Result<()>,
}

/// Fetches whatever is missing into the default cache.
///
/// # Errors
/// Missing tools, no network, a full disk: each as one message.
pub fn fetch() -> Result<Parts> {
    Downloads::default().fetch()
}

impl Default for Downloads {
    /// `ESS_PARTS_DIR`, else `.parts` in the project's root.
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

    /// The folder that holds the cache.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Fetches whatever is missing; does nothing when all is there. Two callers at once take turns.
    ///
    /// # Errors
    /// As [`fetch`].
    pub fn fetch(&self) -> Result<Parts> {
        require_this_machine()?;
        let (kafka, chdb) = (maven::kafka(), npm::chdb());
        let all_there = self.is_complete(&kafka) && self.is_complete(&chdb);
        // All that is missing in one message, before anything is fetched.
        tools::require(if all_there {
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

    /// Held while the cache may change; the kernel gives it back however its holder ends.
    fn lock(&self) -> Result<File> {
        let path = self.root.join("lock");
        let file = File::create(&path).map_err(Error::io("cannot create", &path))?;
        if file.try_lock().is_err() {
            note("waiting for another process that fetches into the same folder");
            file.lock().map_err(Error::io("cannot lock", &path))?;
        }
        Ok(file)
    }

    /// Whether the folder is there and holds the pinned versions.
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
                "an earlier fetch of {} was cut short: fetching again",
                download.name
            ),
        )?;
        discard(
            &folder,
            &format!(
                "{} is there in another version: fetching the pinned one",
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

fn discard(leftover: &Path, why: &str) -> Result<()> {
    if !leftover.exists() {
        return Ok(());
    }
    note(why);
    fs::remove_dir_all(leftover).map_err(Error::io("cannot remove", leftover))
}

/// The workspace this crate was built in.
pub fn project_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

fn require_this_machine() -> Result<()> {
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

    fn whole(folder: &Path) -> Result<()> {
        fs::write(folder.join("file"), "whole").map_err(Error::io("cannot write", folder))
    }

    fn broken(folder: &Path) -> Result<()> {
        fs::write(folder.join("file"), "ha").map_err(Error::io("cannot write", folder))?;
        Err(Error::Incomplete {
            what: "a part",
            path: folder.to_owned(),
        })
    }

    #[test]
    fn a_half_finished_download_is_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Downloads::at(folder.path());
        cache.ensure(&download("v1", broken)).unwrap_err();
        assert!(
            !folder.path().join("part-1").exists(),
            "half a part must not carry the final name"
        );
        let part = cache.ensure(&download("v1", whole)).unwrap();
        assert_eq!(fs::read_to_string(part.join("file")).unwrap(), "whole");
    }

    #[test]
    fn a_whole_download_is_left_alone_until_its_versions_change() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Downloads::at(folder.path());
        cache.ensure(&download("v1", whole)).unwrap();
        cache.ensure(&download("v1", broken)).unwrap();
        cache.ensure(&download("v2", broken)).unwrap_err();
    }
}
