//! The checkers that are cargo subcommands of their own: pinned, and installed beside the fetched parts when they are
//! not there, never into the user's own cargo folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ess_parts::Downloads;
use ess_parts::progress::note;

use crate::cargo::{command, run as run_command};
use crate::error::Result;

/// A checker on crates.io.
pub(super) struct Tool {
    /// Name of the crate and of its program.
    krate: &'static str,
    version: &'static str,
}

pub(super) const DENY: Tool = Tool {
    krate: "cargo-deny",
    version: "0.20.2",
};
pub(super) const MACHETE: Tool = Tool {
    krate: "cargo-machete",
    version: "0.9.2",
};

/// Runs it in the project's root, after installing it if need be.
pub(super) fn run(tool: &Tool, args: &[&str]) -> Result<()> {
    let program = installed(tool)?;
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir(ess_parts::project_root())
        .stdin(Stdio::null());
    run_command(&mut command)
}

/// The pinned version: on PATH, or in `.parts/tools`.
fn installed(tool: &Tool) -> Result<PathBuf> {
    let root = Downloads::default().root().join("tools");
    let ours = root.join("bin").join(tool.krate);
    let candidates = [ess_parts::tools::which(tool.krate), Some(ours.clone())];
    if let Some(found) = candidates
        .into_iter()
        .flatten()
        .find(|path| has_version(path, tool))
    {
        return Ok(found);
    }
    note(&format!(
        "installing {} {} into {} (some minutes)",
        tool.krate,
        tool.version,
        root.display()
    ));
    let mut install = command(&[
        "install",
        "--locked",
        "--quiet",
        tool.krate,
        "--version",
        tool.version,
        "--root",
    ]);
    run_command(install.arg(&root))?;
    Ok(ours)
}

fn has_version(program: &Path, tool: &Tool) -> bool {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(tool.version))
}
