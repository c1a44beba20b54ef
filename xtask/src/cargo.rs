//! Calls of cargo, and what cargo knows about the workspace: its members, what depends on what, where binaries lie.

use std::collections::BTreeSet;
use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use serde::Deserialize;

use crate::error::{Error, Result};

/// The workspace, as `cargo metadata` describes it.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) target_directory: PathBuf,
}

/// A member of the workspace.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

/// One line of a member's dependencies.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `dev`, `build`, or nothing for a normal one.
    pub(crate) kind: Option<String>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// A profile that xtask builds with.
#[derive(Clone, Copy)]
pub(crate) enum Profile {
    Debug,
    Release,
    /// What images and benchmarks run.
    Dist,
}

impl Metadata {
    /// Asks cargo; never touches the network.
    pub(crate) fn read() -> Result<Self> {
        let mut cargo = command(&["metadata", "--format-version=1", "--no-deps", "--offline"]);
        let output = cargo
            .stderr(Stdio::inherit())
            .output()
            .map_err(not_started)?;
        serde_json::from_slice(&output.stdout)
            .map_err(|error| Error::message(format!("cargo metadata: {error}")))
    }

    /// The names of all binaries.
    pub(crate) fn binaries(&self) -> BTreeSet<&str> {
        self.packages
            .iter()
            .flat_map(|package| &package.targets)
            .filter(|target| target.kind.iter().any(|kind| kind == "bin"))
            .map(|target| target.name.as_str())
            .collect()
    }

    /// The one binary of a package, whether it is built or not.
    pub(crate) fn binary(&self, package: &str, profile: Profile) -> Result<PathBuf> {
        let found = self
            .packages
            .iter()
            .find(|candidate| candidate.name == package);
        let mut targets = found.into_iter().flat_map(|package| &package.targets);
        let target = targets.find(|target| target.kind.iter().any(|kind| kind == "bin"));
        let target =
            target.ok_or_else(|| Error::message(format!("package {package} has no binary")))?;
        let folder = match profile {
            Profile::Debug => "debug",
            Profile::Release => "release",
            Profile::Dist => "dist",
        };
        Ok(self.target_directory.join(folder).join(&target.name))
    }
}

/// `cargo ARGS` in the project's root.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(args)
        .current_dir(ess_parts::project_root())
        .stdin(Stdio::null());
    cargo
}

/// Builds, with cargo's own progress on the terminal.
pub(crate) fn build(args: &[&str]) -> Result<()> {
    run(&mut command(&[&["build"], args].concat()))
}

/// Runs something to its end, output and all; fails when it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    if status.success() {
        return Ok(());
    }
    let program = PathBuf::from(command.get_program());
    let words = program.file_name().into_iter().chain(command.get_args());
    let line: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    Err(Error::message(format!(
        "{} failed ({status})",
        line.join(" ")
    )))
}

/// Runs something to its end and says how it ended.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    command.status().map_err(not_started)
}

fn not_started(source: std::io::Error) -> Error {
    Error::Io {
        what: "cannot start cargo".to_owned(),
        source,
    }
}
