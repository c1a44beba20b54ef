//! The programs that compose.yml starts in images built here: each must be copied by the Dockerfile, and what that copies
//! must be a binary of the workspace. Pure; no image is built.

use std::collections::BTreeSet;

use super::configuration::is_ours;
use super::model::Compose;

/// Where the Dockerfile's build leaves binaries (profile `dist`).
const BUILT: &str = "target/dist/";

pub(super) fn check(compose: &Compose, dockerfile: &str, binaries: &BTreeSet<&str>) -> Vec<String> {
    let copied: BTreeSet<&str> = dockerfile
        .split_whitespace()
        .filter_map(|word| Some(word.split_once(BUILT)?.1))
        .collect();
    let alien = copied
        .difference(binaries)
        .map(|name| format!("the Dockerfile copies \"{name}\", which is no binary of ours"));
    let missing = compose
        .services
        .iter()
        .filter(|(_, service)| is_ours(compose, service))
        .filter_map(|(name, service)| match service.program() {
            Some(program) if copied.contains(program.as_str()) => None,
            Some(program) => Some(format!(
                "{name}: starts \"{program}\", which the Dockerfile does not copy"
            )),
            None => Some(format!("{name}: has no command, and the image has none")),
        });
    alien.chain(missing).collect()
}

/// Every member of the workspace must be in what an image is built of (.dockerignore): cargo reads all manifests.
pub(super) fn check_context<'p>(
    ignore: &str,
    packages: impl Iterator<Item = &'p str>,
) -> Vec<String> {
    let lacks = |folder: &&str| {
        !ignore
            .lines()
            .any(|line| line.strip_prefix('!') == Some(folder))
    };
    packages
        .map(|name| name.strip_prefix("ess-").unwrap_or(name))
        .filter(lacks)
        .map(|folder| format!(".dockerignore leaves out {folder}/, a member of the workspace"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKERFILE: &str = "COPY --from=builder /src/target/dist/api /src/target/dist/fold /bin/";

    fn findings(command: &str, dockerfile: &str) -> Vec<String> {
        let yaml = format!("services:\n  a:\n    build: .\n    command: {command}\n");
        let compose = Compose::parse(&yaml).unwrap();
        check(&compose, dockerfile, &["api", "fold"].into())
    }

    #[test]
    fn a_member_that_is_not_copied_is_named() {
        let ignore = "# all\n*\n!schema\n!xtask\n";
        let lacking = check_context(ignore, ["ess-schema", "ess-load", "xtask"].into_iter());
        assert_eq!(
            lacking,
            [".dockerignore leaves out load/, a member of the workspace"]
        );
    }

    #[test]
    fn a_program_is_copied_and_what_is_copied_is_built() {
        assert_eq!(findings("[fold, init]", DOCKERFILE), Vec::<String>::new());
        assert_eq!(findings("api --fast", DOCKERFILE), Vec::<String>::new());
        assert_eq!(
            findings("[ess-api]", DOCKERFILE),
            ["a: starts \"ess-api\", which the Dockerfile does not copy"]
        );
        assert_eq!(
            findings("[old]", &DOCKERFILE.replace("dist/api", "dist/old")),
            ["the Dockerfile copies \"old\", which is no binary of ours"]
        );
    }
}
