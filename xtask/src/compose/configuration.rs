//! compose.yml against the services themselves: each is asked, through its own `--check-config`, which keys it knows
//! and whether it would start with these values.

use std::collections::BTreeSet;
use std::process::{Command, Output, Stdio};

use super::model::{Compose, Service};
use crate::cargo::{self, Metadata, Profile};
use crate::error::{Error, Result};
use crate::system::SERVICES;

pub(super) fn check(compose: &Compose) -> Result<Vec<String>> {
    let packages: Vec<_> = SERVICES
        .iter()
        .flat_map(|service| ["-p", service.package])
        .collect();
    cargo::build(&packages)?;
    let metadata = Metadata::read()?;
    let known = known_keys(&metadata)?;
    let mut findings = Vec::new();
    for (name, service) in compose
        .services
        .iter()
        .filter(|(_, service)| is_ours(compose, service))
    {
        let environment = service.environment.pairs();
        let unknown = environment.iter().filter(|(key, _)| !known.contains(key));
        findings.extend(
            unknown.map(|(key, _)| format!("{name}: {key} is no configuration key of any service")),
        );
        findings.extend(refused(&metadata, name, &environment)?);
    }
    Ok(findings)
}

/// Built from this repository, here or by a service that shares the image.
pub(super) fn is_ours(compose: &Compose, service: &Service) -> bool {
    let built = |other: &Service| {
        other.build.is_some() && other.image.is_some() && other.image == service.image
    };
    service.build.is_some() || compose.services.values().any(built)
}

/// Every key of every service, out of `--check-config`'s `KEY=value` lines.
fn known_keys(metadata: &Metadata) -> Result<BTreeSet<String>> {
    let mut known = BTreeSet::new();
    for service in &SERVICES {
        let output = check_config(metadata, service.package, &[])?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let keys: Vec<_> = text
            .lines()
            .filter_map(|line| Some(line.split_once('=')?.0.to_owned()))
            .collect();
        if keys.is_empty() {
            return Err(Error::message(format!(
                "{} --check-config lists no keys:\n{text}",
                service.name
            )));
        }
        known.extend(keys);
    }
    Ok(known)
}

/// What the service says of the values it would get; only of services that bear the name of a binary.
fn refused(
    metadata: &Metadata,
    name: &str,
    environment: &[(String, String)],
) -> Result<Option<String>> {
    let Some(service) = SERVICES
        .iter()
        .find(|service| name.starts_with(service.name))
    else {
        return Ok(None);
    };
    let output = check_config(metadata, service.package, environment)?;
    let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Ok((!output.status.success()).then(|| format!("{name}: {why}")))
}

fn check_config(
    metadata: &Metadata,
    package: &str,
    environment: &[(String, String)],
) -> Result<Output> {
    let binary = metadata.binary(package, Profile::Debug)?;
    let mut command = Command::new(&binary);
    command
        .arg("--check-config")
        .env_clear()
        .envs(environment.iter().cloned())
        .stdin(Stdio::null());
    command.output().map_err(Error::io("run", &binary))
}
