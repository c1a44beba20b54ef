//! The environment in compose.yml against the services themselves: `--check-config` lists the keys that a service knows
//! and validates the values that it would get.

use std::collections::BTreeSet;
use std::process::{Command, Output, Stdio};

use super::Compose;
use crate::cargo::{Metadata, Profile};
use crate::error::{Error, Result};
use crate::system::SERVICES;

pub(super) fn check(compose: &Compose, metadata: &Metadata) -> Result<Vec<String>> {
    let known = known_keys(metadata)?;
    let mut findings = Vec::new();
    for (name, container) in compose.own() {
        let environment: Vec<_> = container
            .environment
            .iter()
            .filter_map(|(key, value)| Some((key.as_str(), value.as_deref()?)))
            .collect();
        let unknown = environment.iter().filter(|(key, _)| !known.contains(*key));
        findings.extend(
            unknown.map(|(key, _)| format!("{name}: no service has a configuration key {key}")),
        );
        // A container of another name runs a command that is not a service.
        if let Some(service) = SERVICES
            .iter()
            .find(|service| name.starts_with(service.name))
        {
            let output = check_config(metadata, service.name, &environment)?;
            if !output.status.success() {
                let reason = String::from_utf8_lossy(&output.stderr);
                findings.push(format!("{name}: {}", reason.trim()));
            }
        }
    }
    Ok(findings)
}

/// The keys of all services, from the `KEY=value` lines of `--check-config`.
fn known_keys(metadata: &Metadata) -> Result<BTreeSet<String>> {
    let mut known = BTreeSet::new();
    for service in &SERVICES {
        let output = check_config(metadata, service.name, &[])?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let before = known.len();
        let lines = text.lines();
        known.extend(lines.filter_map(|line| Some(line.split_once('=')?.0.to_owned())));
        if known.len() == before {
            return Err(Error::message(format!(
                "{} --check-config lists no keys of its own:\n{text}",
                service.name
            )));
        }
    }
    Ok(known)
}

fn check_config(metadata: &Metadata, name: &str, environment: &[(&str, &str)]) -> Result<Output> {
    let binary = metadata.binary(name, Profile::Dev);
    let mut command = Command::new(&binary);
    command
        .arg("--check-config")
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null());
    command.output().map_err(Error::io("run", &binary))
}
