//! `tidy`: the parts of the style that a program can check. The example `tidy` checks them; only it needs syn, so that
//! `up` does not build it.

use std::process::Command;

use crate::cargo::{self, Metadata};
use crate::error::Result;

/// Builds the checker and runs it in the project's root.
pub(crate) fn run() -> Result<()> {
    cargo::run(&mut cargo::command(&[
        "build",
        "--quiet",
        "--example",
        "tidy",
    ]))?;
    let checker = Metadata::read()?.example("tidy");
    cargo::run(Command::new(checker).current_dir(ess_parts::project_root()))
}
