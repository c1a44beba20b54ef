//! What an engine, or the person who starts it, would trip over. Pure: each rule takes the parsed file and gives its
//! findings.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::model::{Build, Compose, Condition, HealthCheck, Service, Words, interpolate};

/// Profiles that the README names.
const PROFILES: [&str; 3] = ["consumers", "load", "cluster"];

/// How a test that is a list begins.
const TESTS: [&str; 3] = ["CMD", "CMD-SHELL", "NONE"];

pub(super) fn check(compose: &Compose) -> Vec<String> {
    let rules = [
        dependencies,
        health,
        images,
        volumes,
        networks,
        profiles,
        durations,
        replicas,
    ];
    let each = compose.services.iter().flat_map(|(name, service)| {
        let of_service = rules
            .iter()
            .flat_map(|rule| rule(compose, service))
            .collect::<Vec<_>>();
        of_service
            .into_iter()
            .map(move |finding| format!("{name}: {finding}"))
    });
    each.chain(host_ports(compose))
        .chain(unused_volumes(compose))
        .collect()
}

fn dependencies(compose: &Compose, service: &Service) -> Vec<String> {
    let wrong = |(target, on): (&String, &super::model::DependsOn)| {
        let Some(other) = compose.services.get(target) else {
            return Some(format!("depends on \"{target}\", which is no service here"));
        };
        let checked = other
            .healthcheck
            .as_ref()
            .is_some_and(|check| !check.disable);
        if on.condition == Condition::ServiceHealthy && !checked {
            return Some(format!(
                "waits for \"{target}\" to be healthy, which has no healthcheck"
            ));
        }
        if on.condition == Condition::ServiceCompletedSuccessfully && restarts(other) {
            return Some(format!(
                "waits for \"{target}\" to complete, which restarts for ever"
            ));
        }
        let reachable = other.profiles.is_empty()
            || other
                .profiles
                .iter()
                .any(|profile| service.profiles.contains(profile));
        (!reachable)
            .then(|| format!("depends on \"{target}\", which its own profile does not start"))
    };
    service.depends_on.iter().filter_map(wrong).collect()
}

fn restarts(service: &Service) -> bool {
    service
        .restart
        .as_deref()
        .is_some_and(|policy| matches!(policy, "always" | "unless-stopped"))
}

fn health(_: &Compose, service: &Service) -> Vec<String> {
    let Some(check) = service.healthcheck.as_ref().filter(|check| !check.disable) else {
        return Vec::new();
    };
    let finding = match &check.test {
        None => "has a healthcheck without a test".to_owned(),
        Some(Words::Shell(line)) if line.is_empty() => {
            "has a healthcheck with an empty test".to_owned()
        }
        Some(Words::Exec(words))
            if !words
                .first()
                .is_some_and(|word| TESTS.contains(&word.to_string().as_str())) =>
        {
            format!(
                "has a healthcheck whose test does not begin with {}",
                TESTS.join(" or ")
            )
        }
        Some(_) => return Vec::new(),
    };
    vec![finding]
}

/// An image that is not built here names its version.
fn images(compose: &Compose, service: &Service) -> Vec<String> {
    let Some(image) = service.image.as_deref().map(interpolate) else {
        return if service.build.is_some() {
            Vec::new()
        } else {
            vec!["has neither image nor build".to_owned()]
        };
    };
    let built = |other: &Service| {
        other.build.is_some() && other.image.as_deref().map(interpolate) == Some(image.clone())
    };
    if compose.services.values().any(built) || image.contains("@sha256:") {
        return Vec::new();
    }
    let name = image.rsplit('/').next().unwrap_or(&image);
    match name.split_once(':') {
        Some((_, tag)) if !tag.is_empty() && tag != "latest" => Vec::new(),
        _ => vec![format!("image {image} names no version: pin one")],
    }
}

/// The named volume of `name:/path`, if it is one.
fn named_volume(mount: &str) -> Option<&str> {
    let (source, _) = mount.split_once(':')?;
    (!source.starts_with(['.', '/', '~', '$'])).then_some(source)
}

fn volumes(compose: &Compose, service: &Service) -> Vec<String> {
    let named = service
        .volumes
        .iter()
        .filter_map(|mount| named_volume(mount));
    let unknown = named.filter(|name| !compose.volumes.contains_key(*name));
    unknown
        .map(|name| format!("mounts volume \"{name}\", which is not declared"))
        .collect()
}

fn unused_volumes(compose: &Compose) -> Vec<String> {
    let mounts = compose
        .services
        .values()
        .flat_map(|service| &service.volumes);
    let used: BTreeSet<_> = mounts.filter_map(|mount| named_volume(mount)).collect();
    let unused = compose
        .volumes
        .keys()
        .filter(|name| !used.contains(name.as_str()));
    unused
        .map(|name| format!("volume \"{name}\" is declared and never mounted"))
        .collect()
}

fn networks(compose: &Compose, service: &Service) -> Vec<String> {
    let unknown = service
        .networks
        .iter()
        .filter(|name| !compose.networks.contains_key(*name) && *name != "default");
    unknown
        .map(|name| format!("joins network \"{name}\", which is not declared"))
        .collect()
}

fn profiles(_: &Compose, service: &Service) -> Vec<String> {
    let unknown = service
        .profiles
        .iter()
        .filter(|profile| !PROFILES.contains(&profile.as_str()));
    unknown
        .map(|profile| {
            format!(
                "profile \"{profile}\" is not one of {}",
                PROFILES.join(", ")
            )
        })
        .collect()
}

fn durations(_: &Compose, service: &Service) -> Vec<String> {
    let of_check = |check: &HealthCheck| {
        [
            &check.interval,
            &check.timeout,
            &check.start_period,
            &check.start_interval,
        ]
        .map(Clone::clone)
        .to_vec()
    };
    let mut given = service
        .healthcheck
        .as_ref()
        .map(of_check)
        .unwrap_or_default();
    given.push(service.stop_grace_period.clone());
    let wrong = given
        .into_iter()
        .flatten()
        .filter(|text| !is_duration(text));
    wrong
        .map(|text| format!("\"{text}\" is no duration such as 1m30s"))
        .collect()
}

/// Numbers, each with a unit of the specification.
fn is_duration(text: &str) -> bool {
    let after_number = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let unit = ["us", "ms", "s", "m", "h"]
        .into_iter()
        .find_map(|unit| after_number.strip_prefix(unit));
    after_number.len() < text.len() && unit.is_some_and(|rest| rest.is_empty() || is_duration(rest))
}

/// Several containers of one service cannot share a host port or a name.
fn replicas(_: &Compose, service: &Service) -> Vec<String> {
    let replicas = service
        .deploy
        .as_ref()
        .and_then(|deploy| deploy.replicas.as_ref());
    let several = replicas.is_some_and(|count| interpolate(&count.to_string()) != "1");
    let fixed = service.container_name.is_some()
        || service
            .ports
            .iter()
            .any(|port| host_port(&port.to_string()).is_some());
    if several && fixed {
        vec!["has replicas that would share one host port or name".to_owned()]
    } else {
        Vec::new()
    }
}

/// The host's side of `[address:]host:container`.
fn host_port(mapping: &str) -> Option<String> {
    let mapping = interpolate(mapping);
    let mut sides = mapping.rsplit(':');
    sides.next()?;
    sides.next().map(str::to_owned)
}

fn host_ports(compose: &Compose) -> Vec<String> {
    let mut owners: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, service) in &compose.services {
        for port in service
            .ports
            .iter()
            .filter_map(|port| host_port(&port.to_string()))
        {
            owners.entry(port).or_default().push(name);
        }
    }
    let shared = owners.into_iter().filter(|(_, owners)| owners.len() > 1);
    shared
        .map(|(port, owners)| format!("host port {port} is wanted by {}", owners.join(" and ")))
        .collect()
}

/// The Dockerfile of every build is there, and has the stage that is asked for.
pub(super) fn check_builds(compose: &Compose) -> Vec<String> {
    let root = ess_parts::project_root();
    let wrong = |(name, service): (&String, &Service)| {
        let (context, dockerfile, target) = match service.build.as_ref()? {
            Build::Context(context) => (context, None, None),
            Build::Full(build) => (
                &build.context,
                build.dockerfile.as_deref(),
                build.target.as_deref(),
            ),
        };
        let file = root.join(context).join(dockerfile.unwrap_or("Dockerfile"));
        let Ok(text) = fs::read_to_string(&file) else {
            return Some(format!("{name}: {} is not there", file.display()));
        };
        let has = |stage: &str| {
            text.lines()
                .any(|line| line.starts_with("FROM") && line.ends_with(&format!(" AS {stage}")))
        };
        let missing = target.filter(|stage| !has(stage))?;
        Some(format!("{name}: the Dockerfile has no stage \"{missing}\""))
    };
    compose.services.iter().filter_map(wrong).collect()
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
