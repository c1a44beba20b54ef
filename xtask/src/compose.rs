//! `compose-check`: compose.yml as Docker Compose resolves it, compared with what only ESS knows: the services'
//! configuration keys, the Dockerfile and the workspace. Needs no engine, and builds no image.

mod configuration;
mod image;

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::cargo::{self, Metadata, Profile};
use crate::error::{Error, Result};
use crate::system::SERVICES;
use crate::tools;

const FILE: &str = "compose.yml";

/// The file, as `docker compose config` prints it: merged, interpolated and complete.
#[derive(Deserialize)]
struct Compose {
    services: BTreeMap<String, Container>,
}

/// The part of a Compose service that ESS checks.
#[derive(Deserialize)]
struct Container {
    image: Option<String>,
    build: Option<serde::de::IgnoredAny>,
    command: Option<Vec<String>>,
    #[serde(default)]
    environment: BTreeMap<String, Option<String>>,
}

impl Compose {
    /// The services whose image is built from this repository.
    fn own(&self) -> impl Iterator<Item = (&str, &Container)> {
        let built = |container: &Container| {
            container.build.is_some()
                || self.services.values().any(|other| {
                    other.build.is_some() && other.image.is_some() && other.image == container.image
                })
        };
        let services = self.services.iter();
        services
            .filter(move |(_, container)| built(container))
            .map(|(name, container)| (name.as_str(), container))
    }
}

/// Builds the services, then [`check`].
pub(crate) fn run() -> Result<()> {
    cargo::build_binaries(&SERVICES.map(|service| service.name), Profile::Dev)?;
    check()
}

/// Checks the file against services that are built.
pub(crate) fn check() -> Result<()> {
    let compose = resolve()?;
    println!("{FILE}: valid, {} services", compose.services.len());
    let root = ess_parts::project_root();
    let read = |name: &str| {
        let path = root.join(name);
        fs::read_to_string(&path).map_err(Error::io("read", &path))
    };
    let metadata = Metadata::read()?;
    let mut findings = image::check(&compose, &read("Dockerfile")?, &metadata.binaries());
    let packages = metadata.packages.iter();
    let packages = packages.map(|package| package.name.as_str());
    findings.extend(image::check_context(&read(".dockerignore")?, packages));
    findings.extend(configuration::check(&compose, &metadata)?);
    if findings.is_empty() {
        println!("{FILE}: programs, build context and configuration keys are right");
        return Ok(());
    }
    Err(Error::message(format!(
        "{FILE}:\n  {}",
        findings.join("\n  ")
    )))
}

/// Lets Docker Compose read the file: the installed plugin, else the pinned program.
fn resolve() -> Result<Compose> {
    let mut compose = if has_plugin() {
        let mut docker = Command::new("docker");
        docker.arg("compose");
        docker
    } else {
        Command::new(tools::DOCKER_COMPOSE.installed()?)
    };
    compose
        .args(["--profile", "*", "config", "--format", "json"])
        .current_dir(ess_parts::project_root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = compose.output().map_err(|source| Error::Io {
        what: "cannot start docker compose".to_owned(),
        source,
    })?;
    if !output.status.success() {
        return Err(Error::message(format!("{FILE} is not valid")));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Error::message(format!("docker compose config: {error}")))
}

fn has_plugin() -> bool {
    let mut version = Command::new("docker");
    version
        .args(["compose", "version"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}
