//! Who may depend on whom (docs/ARCHITECTURE.md), and that schema does no I/O.

use crate::Finding;
use crate::files::SourceFile;
use crate::workspace::Package;

/// Every crate of ours, with those of ours it may depend on.
const MAY_USE: [(&str, &[&str]); 11] = [
    ("ess-schema", &[]),
    ("ess-service", &["ess-schema"]),
    ("ess-command-api", &["ess-schema", "ess-service"]),
    ("ess-projector", &["ess-schema", "ess-service"]),
    ("ess-query-api", &["ess-schema", "ess-service"]),
    // Starts again what it killed, as the parts know how to.
    ("ess-load", &["ess-schema", "ess-parts"]),
    ("ess-fuzz", &[]),
    ("ess-parts", &[]),
    // Decodes as the projector does, makes its tables and topics, and replays what it sent: it measures one, from inside
    // and outside, and no service may ever need it.
    (
        "ess-bench",
        &[
            "ess-schema",
            "ess-service",
            "ess-projector",
            "ess-load",
            "ess-parts",
        ],
    ),
    ("ess-e2e", &["ess-schema", "ess-load", "ess-parts"]),
    ("xtask", &["ess-schema", "ess-parts"]),
];

/// What a test may use beyond that: real servers, and arbitrary inputs.
const TESTS_MAY_USE: [&str; 2] = ["ess-fuzz", "ess-parts"];

/// Crates that do I/O, which schema must not know.
const IO_CRATES: [&str; 6] = ["tokio", "rdkafka", "reqwest", "ureq", "poem", "nix"];

/// Ways to the outside that need no crate.
const IO_PATHS: [&str; 8] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "now_utc(",
];

pub(crate) fn check(packages: &[Package]) -> Vec<Finding> {
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<Finding> {
    let manifest = format!("{} (Cargo.toml)", package.name);
    let finding = |advice: String| Finding {
        place: manifest.clone(),
        advice,
    };
    let Some((_, may_use)) = MAY_USE.iter().find(|(name, _)| *name == package.name) else {
        return vec![finding(
            "a new crate: say in xtask/examples/tidy/dependencies.rs what it may depend on"
                .to_owned(),
        )];
    };
    let is_member = |name: &str| MAY_USE.iter().any(|(known, _)| *known == name);
    let allowed = |name: &str, kind: Option<&str>| {
        may_use.contains(&name) || (kind == Some("dev") && TESTS_MAY_USE.contains(&name))
    };
    let direction = package
        .dependencies
        .iter()
        .filter(|used| is_member(&used.name) && !allowed(&used.name, used.kind.as_deref()));
    let direction = direction.map(|used| {
        finding(format!(
            "must not depend on {}; see docs/ARCHITECTURE.md",
            used.name
        ))
    });
    let pure = package.name == "ess-schema";
    let io = package
        .dependencies
        .iter()
        .filter(|used| pure && IO_CRATES.contains(&used.name.as_str()));
    let io = io.map(|used| {
        finding(format!(
            "does no I/O, {} does: move what needs it to its caller",
            used.name
        ))
    });
    direction.chain(io).collect()
}

/// schema/src: no clock, no file, no socket.
pub(crate) fn check_purity(file: &SourceFile) -> Vec<Finding> {
    if !file.path.starts_with("schema/src/") {
        return Vec::new();
    }
    let tests_from = file.tests_from().unwrap_or(usize::MAX);
    let code = file
        .lines()
        .filter(|(number, line)| *number < tests_from && !line.trim_start().starts_with("//"));
    code.filter_map(|(number, line)| {
        let path = IO_PATHS.into_iter().find(|path| line.contains(path))?;
        Some(Finding::at(
            &file.path,
            number,
            format!("schema does no I/O, {path} does: take the value as an argument"),
        ))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, uses: &[(&str, Option<&str>)]) -> Package {
        let dependencies: Vec<_> = uses
            .iter()
            .map(|(name, kind)| serde_json::json!({"name": name, "kind": kind}))
            .collect();
        serde_json::from_value(
            serde_json::json!({"name": name, "dependencies": dependencies, "targets": []}),
        )
        .unwrap()
    }

    #[test]
    fn sides_do_not_mix() {
        assert_eq!(
            check_package(&package(
                "ess-query-api",
                &[("ess-service", None), ("ess-parts", Some("dev"))]
            ))
            .len(),
            0
        );
        assert_eq!(
            check_package(&package(
                "ess-query-api",
                &[("ess-command-api", Some("dev"))]
            ))
            .len(),
            1
        );
        assert_eq!(
            check_package(&package("ess-query-api", &[("ess-parts", None)])).len(),
            1
        );
        assert_eq!(
            check_package(&package("ess-schema", &[("tokio", None), ("serde", None)])).len(),
            1
        );
        assert_eq!(check_package(&package("ess-new", &[])).len(), 1);
    }

    #[test]
    fn schema_takes_time_as_an_argument() {
        let file = |path: &str| SourceFile {
            path: path.to_owned(),
            text: "//! x\nlet t = SystemTime::now();\n".to_owned(),
        };
        assert_eq!(
            check_purity(&file("schema/src/time.rs"))[0].place,
            "schema/src/time.rs:2"
        );
        assert_eq!(check_purity(&file("service/src/clock.rs")), []);
    }
}
