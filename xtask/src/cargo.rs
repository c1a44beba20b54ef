//! Calls of cargo, and what cargo knows about the workspace: its members, where binaries lie. Builds
//! with the features of the whole workspace: with those of single packages, dependencies would be compiled twice.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use serde::Deserialize;
use serde::de::DeserializeOwned;

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
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// A profile of Cargo.toml.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Dev,
    Release,
    /// Of images and benchmarks.
    Dist,
}

impl Profile {
    /// Name of its folder under `target/`.
    fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
            Self::Dist => "dist",
        }
    }

    /// Name, as `--profile` takes it.
    fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
            Self::Dist => "dist",
        }
    }
}

impl Metadata {
    /// Runs `cargo metadata`, which needs no network.
    pub(crate) fn read() -> Result<Self> {
        let mut cargo = command(&["metadata", "--format-version=1", "--no-deps", "--offline"]);
        let output = cargo
            .stderr(Stdio::inherit())
            .output()
            .map_err(Error::io("start", Path::new("cargo")))?;
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

    /// Path of a binary, whether it is built or not.
    pub(crate) fn binary(&self, name: &str, profile: Profile) -> PathBuf {
        self.target_directory.join(profile.folder()).join(name)
    }

    /// Path of an example of the dev profile, whether it is built or not.
    pub(crate) fn example(&self, name: &str) -> PathBuf {
        self.binary("examples", Profile::Dev).join(name)
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

/// Builds binaries by name.
pub(crate) fn build_binaries(names: &[&str], profile: Profile) -> Result<()> {
    let binaries = names.iter().flat_map(|name| ["--bin", name]);
    let args: Vec<_> = ["build", "--profile", profile.name()]
        .into_iter()
        .chain(binaries)
        .collect();
    run(&mut command(&args))
}

/// Builds every binary and example, with the features that tests are built with.
pub(crate) fn build_all() -> Result<()> {
    run(&mut command(&[
        "build",
        "--workspace",
        "--bins",
        "--examples",
    ]))
}

/// Runs a program to its end and parses the JSON that it prints.
pub(crate) fn json<T: DeserializeOwned>(program: &Path, args: &[&str]) -> Result<T> {
    let mut command = Command::new(program);
    command
        .args(args)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = command.output().map_err(Error::io("run", program))?;
    let failed =
        |why: String| Error::message(format!("{} {}: {why}", program.display(), args.join(" ")));
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))
}

/// Runs a command to its end; an exit code other than 0 is an error.
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

/// Runs a command to its end and returns its exit status.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    let program = command.get_program().to_owned();
    command
        .status()
        .map_err(Error::io("start", Path::new(&program)))
}
