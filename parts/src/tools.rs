//! The programs that parts need: finds them, installs them if possible, or reports all missing ones in one error.
//! Never installs anything unless it runs as root on a machine with apt-get.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::error::{Error, Result};
use crate::progress::note;

/// A program and its Debian package.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// Name of the executable.
    pub program: &'static str,
    /// Debian package.
    pub package: &'static str,
}

/// Runs the broker.
pub const JAVA: Tool = Tool {
    program: "java",
    package: "openjdk-17-jre-headless",
};
/// Downloads the broker's jars.
pub const MAVEN: Tool = Tool {
    program: "mvn",
    package: "maven",
};
/// Downloads the ClickHouse library.
pub const NPM: Tool = Tool {
    program: "npm",
    package: "npm",
};
/// Unpacks the ClickHouse library.
pub const TAR: Tool = Tool {
    program: "tar",
    package: "tar",
};

/// Requires `tools` on PATH. As root with apt-get, it installs missing ones and prints that.
///
/// # Errors
/// [`Error::MissingTools`] with the command that installs all of them.
pub fn require(tools: &[Tool]) -> Result<()> {
    let absent = missing(tools);
    if absent.is_empty() {
        return Ok(());
    }
    if nix::unistd::geteuid().is_root() && which("apt-get").is_some() {
        install(&absent);
    }
    let absent = missing(&absent);
    if absent.is_empty() {
        return Ok(());
    }
    Err(Error::MissingTools {
        missing: absent.iter().map(|tool| tool.program).collect(),
        packages: absent.iter().map(|tool| tool.package).collect(),
    })
}

/// The absolute path of a program on PATH.
pub fn which(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn missing(tools: &[Tool]) -> Vec<Tool> {
    tools
        .iter()
        .copied()
        .filter(|tool| which(tool.program).is_none())
        .collect()
}

/// Installs the packages. Callers check the result with `missing`.
fn install(tools: &[Tool]) {
    let packages: Vec<_> = tools.iter().map(|tool| tool.package).collect();
    note(&format!(
        "installing missing packages: apt-get install -y {}",
        packages.join(" ")
    ));
    for args in [
        vec!["-q", "update"],
        [
            vec!["-q", "install", "-y", "--no-install-recommends"],
            packages,
        ]
        .concat(),
    ] {
        let ran = Command::new("apt-get")
            .args(&args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status();
        if !ran.is_ok_and(|status| status.success()) {
            note(&format!("apt-get {} failed", args.join(" ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_reported_with_its_package() {
        let absent = Error::MissingTools {
            missing: vec!["java", "mvn"],
            packages: vec![JAVA.package, MAVEN.package],
        };
        assert_eq!(
            absent.to_string(),
            "missing: java, mvn. Install with: apt-get install -y openjdk-17-jre-headless maven"
        );
        assert!(
            missing(&[
                Tool {
                    program: "no-such-program",
                    package: "none"
                },
                TAR
            ])
            .len()
                == 1
        );
    }
}
