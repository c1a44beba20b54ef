//! The repository's text files, for tidy: those that git tracks or would track. Reads only.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A text file of the repository.
pub(crate) struct SourceFile {
    /// Path from the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    pub(crate) fn is_rust(&self) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|extension| extension == "rs")
    }

    /// Lines with their numbers, from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }

    /// Number of the first line of test code; all of it in a folder of tests.
    pub(crate) fn tests_from(&self) -> Option<usize> {
        if self
            .path
            .split('/')
            .any(|folder| folder == "tests" || folder == "e2e")
        {
            return Some(1);
        }
        self.lines()
            .find(|(_, line)| line.trim() == "#[cfg(test)]")
            .map(|(number, _)| number)
    }
}

/// All text files that are tracked, or new and not ignored.
///
/// # Errors
/// The message of git.
pub(crate) fn all() -> Result<Vec<SourceFile>, String> {
    let mut git = Command::new("git");
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let output = git
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run git: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    // A binary file, or one that was just removed, has no lines to check.
    let read = |path: &str| {
        Some(SourceFile {
            path: path.to_owned(),
            text: fs::read_to_string(path).ok()?,
        })
    };
    Ok(listed
        .split('\0')
        .filter(|path| !path.is_empty())
        .filter_map(read)
        .collect())
}
