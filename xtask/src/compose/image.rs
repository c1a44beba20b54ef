//! The image that compose.yml builds: each program that a container starts must be copied by the Dockerfile, each copied
//! program must be a binary of the workspace, and the build context must hold every member. Pure; builds nothing.

use std::collections::BTreeSet;

use super::Compose;

/// Where the Dockerfile's build leaves binaries (profile `dist`).
const BUILT: &str = "target/dist/";

pub(super) fn check(compose: &Compose, dockerfile: &str, binaries: &BTreeSet<&str>) -> Vec<String> {
    let copied: BTreeSet<&str> = dockerfile
        .split_whitespace()
        .filter_map(|word| Some(word.split_once(BUILT)?.1))
        .collect();
    let unknown = copied
        .difference(binaries)
        .map(|name| format!("the Dockerfile copies \"{name}\", which is not a binary of ESS"));
    let missing = compose.own().filter_map(|(name, container)| {
        match container.command.as_ref().and_then(|words| words.first()) {
            Some(program) if copied.contains(program.as_str()) => None,
            Some(program) => Some(format!(
                "{name}: starts \"{program}\", which the Dockerfile does not copy"
            )),
            None => Some(format!("{name}: has no command, and neither has the image")),
        }
    });
    unknown.chain(missing).collect()
}

/// Every member of the workspace must be in the build context (.dockerignore): cargo reads all manifests.
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
        let text = format!(
            r#"{{"services": {{
                "init": {{"image": "ess", "build": {{"context": "."}}, "command": ["api"]}},
                "a": {{"image": "ess", "command": {command}}},
                "kafka": {{"image": "apache/kafka", "command": null}}
            }}}}"#
        );
        let compose = serde_json::from_str(&text).unwrap();
        check(&compose, dockerfile, &["api", "fold"].into())
    }

    #[test]
    fn a_member_outside_the_build_context_is_named() {
        let ignore = "# all\n*\n!schema\n!xtask\n";
        let lacking = check_context(ignore, ["ess-schema", "ess-load", "xtask"].into_iter());
        assert_eq!(
            lacking,
            [".dockerignore leaves out load/, a member of the workspace"]
        );
    }

    #[test]
    fn a_program_is_copied_and_what_is_copied_is_built() {
        assert_eq!(
            findings(r#"["fold", "init"]"#, DOCKERFILE),
            Vec::<String>::new()
        );
        assert_eq!(
            findings(r#"["ess-api"]"#, DOCKERFILE),
            ["a: starts \"ess-api\", which the Dockerfile does not copy"]
        );
        assert_eq!(
            findings("null", DOCKERFILE),
            ["a: has no command, and neither has the image"]
        );
        assert_eq!(
            findings(
                r#"["fold"]"#,
                &DOCKERFILE.replace("dist/fold", "dist/fold /src/target/dist/old")
            ),
            ["the Dockerfile copies \"old\", which is not a binary of ESS"]
        );
    }
}
