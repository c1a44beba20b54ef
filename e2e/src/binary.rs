//! Paths of the services' binaries: beside the test's own. Never builds them: a test runs the binaries that were built
//! with it.

use std::env;
use std::path::PathBuf;

/// A later version of the projector, which is an example of its crate.
pub(crate) const NEXT_PROJECTOR: &str = "next-projector";

/// The binary of a service, or of an example.
///
/// # Panics
/// When it is not built, with the command that builds it.
pub fn path(name: &str) -> PathBuf {
    let mut folder = env::current_exe().expect("this program's path");
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    if name == NEXT_PROJECTOR {
        folder.push("examples");
    }
    let path = folder.join(name);
    assert!(
        path.is_file(),
        "{} is not built; run: cargo build --workspace --bins --examples",
        path.display()
    );
    path
}
