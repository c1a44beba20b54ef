//! `compose-check`: is compose.yml sound, on a machine without an engine? Parsed into the part of the Compose
//! specification that is used here (anything else is refused), checked for what an engine would trip over, and compared
//! with the services' own configuration. Says which checks were run.

mod configuration;
mod model;
mod programs;
mod rules;

use std::fs;
use std::process::{Command, Stdio};

use crate::cargo::{self, Metadata};
use crate::error::{Error, Result};
use model::Compose;

const FILE: &str = "compose.yml";

pub(crate) fn run() -> Result<()> {
    let path = ess_parts::project_root().join(FILE);
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let compose =
        Compose::parse(&text).map_err(|error| Error::message(format!("{FILE}: {error}")))?;
    println!("{FILE}: parsed, {} services", compose.services.len());
    let mut findings = rules::check(&compose);
    findings.extend(rules::check_builds(&compose));
    println!(
        "{FILE}: references, images, ports, volumes, networks, profiles, health checks, builds checked"
    );
    let dockerfile = ess_parts::project_root().join("Dockerfile");
    let text = fs::read_to_string(&dockerfile).map_err(Error::io("read", &dockerfile))?;
    let metadata = Metadata::read()?;
    findings.extend(programs::check(&compose, &text, &metadata.binaries()));
    let ignore = ess_parts::project_root().join(".dockerignore");
    let text = fs::read_to_string(&ignore).map_err(Error::io("read", &ignore))?;
    let packages = metadata.packages.iter();
    let packages = packages.map(|package| package.name.as_str());
    findings.extend(programs::check_context(&text, packages));
    println!("{FILE}: programs checked against the Dockerfile, .dockerignore and the workspace");
    findings.extend(configuration::check(&compose)?);
    println!("{FILE}: environment checked against the services' configuration (--check-config)");
    if findings.is_empty() {
        return with_engine();
    }
    Err(Error::message(format!(
        "{FILE}:\n  {}",
        findings.join("\n  ")
    )))
}

/// Docker's own reading of the file, where its compose plugin is installed; it needs no running engine.
fn with_engine() -> Result<()> {
    let mut version = Command::new("docker");
    version
        .args(["compose", "version"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if !version.status().is_ok_and(|status| status.success()) {
        println!(
            "{FILE}: docker compose is not installed here, so `docker compose config` was not run"
        );
        return Ok(());
    }
    let mut config = Command::new("docker");
    config
        .args(["compose", "--profile", "*", "config", "-q"])
        .current_dir(ess_parts::project_root());
    cargo::run(&mut config)?;
    println!("{FILE}: docker compose config: ok");
    Ok(())
}
