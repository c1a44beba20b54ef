//! Installs packages from the Python Package Index, for tests that run Python programs.

use std::path::Path;
use std::process::{Command, Stdio};

use ess_parts::tools::{self, Tool};

const TOOLS: [Tool; 2] = [
    Tool {
        program: "python3",
        package: "python3",
    },
    Tool {
        program: "pip3",
        package: "python3-pip",
    },
];

/// Installs the packages of a requirements file into `folder`, for use in PYTHONPATH.
///
/// # Panics
/// If pip fails, with its error output.
pub(crate) fn install(requirements: &Path, folder: &Path) {
    tools::require(&TOOLS).unwrap();
    let mut pip = Command::new("pip3");
    pip.args([
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--target",
    ])
    .arg(folder)
    .arg("--requirement")
    .arg(requirements);
    let output = pip.stdin(Stdio::null()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{pip:?}: {errors}");
}
