//! Downloads ClickHouse as `libchdb.so` from the npm registry. The package is unpacked and never installed, so none of its
//! scripts run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::child;
use crate::download::Download;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::versions::{CHDB, CHDB_PACKAGE, CHDB_UNPACKED_BYTES};
use crate::wait;

/// The path of the library in the unpacked package.
pub(crate) const LIBRARY: &str = "package/libchdb.so";

const REDRAW_EVERY: Duration = Duration::from_millis(200);

pub(crate) fn chdb() -> Download {
    Download {
        name: "ClickHouse (libchdb)",
        folder: format!("chdb-{CHDB}"),
        contents: format!("{CHDB_PACKAGE} {CHDB}\n"),
        fill,
    }
}

fn fill(folder: &Path) -> Result<()> {
    let tarball = pack(folder)?;
    unpack(folder, &tarball)?;
    fs::remove_file(&tarball).map_err(Error::io("cannot remove", &tarball))
}

/// `npm pack` checks the tarball against the registry's integrity hash.
fn pack(folder: &Path) -> Result<PathBuf> {
    let progress = Progress::spinner(format!("ClickHouse {CHDB} from npm (180 MB)"));
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", &format!("{CHDB_PACKAGE}@{CHDB}")])
        .current_dir(folder);
    let mut tarball = None;
    let mut watched = Watched {
        progress,
        redraw: Progress::tick,
    };
    watched.run(|| {
        child::run("downloading ClickHouse with npm pack", &mut npm, |line| {
            tarball = Some(line.trim().to_owned());
        })
    })?;
    let tarball = folder.join(tarball.unwrap_or_default());
    if !tarball.is_file() {
        return Err(Error::Incomplete {
            what: "ClickHouse (libchdb)",
            path: tarball,
        });
    }
    watched.progress.done("downloaded");
    Ok(tarball)
}

fn unpack(folder: &Path, tarball: &Path) -> Result<()> {
    let library = folder.join(LIBRARY);
    let progress = Progress::bytes("ClickHouse: unpacking", CHDB_UNPACKED_BYTES);
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(tarball).arg("-C").arg(folder);
    let size = || fs::metadata(&library).map_or(0, |file| file.len());
    let mut watched = Watched {
        progress,
        redraw: |progress: &mut Progress| progress.position(size()),
    };
    watched.run(|| child::run("unpacking ClickHouse", &mut tar, |_| ()))?;
    if !library.is_file() {
        return Err(Error::Incomplete {
            what: "ClickHouse (libchdb)",
            path: library,
        });
    }
    watched.progress.done(&format!("{} MB", size() / 1_000_000));
    Ok(())
}

/// Work without output of its own, with a progress bar that a thread redraws.
struct Watched<F: FnMut(&mut Progress)> {
    progress: Progress,
    redraw: F,
}

impl<F: FnMut(&mut Progress) + Send> Watched<F> {
    fn run(&mut self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let finished = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while wait::until(REDRAW_EVERY, || {
                    finished.load(Ordering::Acquire).then_some(())
                })
                .is_none()
                {
                    (self.redraw)(&mut self.progress);
                }
            });
            let result = work();
            finished.store(true, Ordering::Release);
            result
        })
    }
}
