//! Generated files that are kept in the repository for review: written on request, compared in CI. A difference is shown
//! by git, with the command that accepts it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{Error, Result};

/// The complete difference is one command away.
const MAX_DIFF_LINES: usize = 20;

/// Options of a command that generates files.
#[derive(clap::Args)]
pub(crate) struct SnapshotArgs {
    /// Write nothing; fail if a file differs from the generated text.
    #[arg(long)]
    pub(crate) check: bool,
}

/// A generated file: its path in the repository, and its text.
pub(crate) struct Snapshot {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Writes the files, or compares them.
pub(crate) fn settle(snapshots: &[Snapshot], args: &SnapshotArgs, command: &str) -> Result<()> {
    let mut outdated = Vec::new();
    for Snapshot { path, text } in snapshots {
        let file = ess_parts::project_root().join(path);
        let current = fs::read_to_string(&file).unwrap_or_default();
        if current == *text {
            continue;
        }
        if args.check {
            let diff = diff(&file, text)?;
            outdated.push(format!("{path} differs from the code:\n{diff}"));
            continue;
        }
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        }
        fs::write(&file, text).map_err(Error::io("write", &file))?;
        println!("wrote {path}");
    }
    if outdated.is_empty() {
        return Ok(());
    }
    Err(Error::message(format!(
        "{}\nif the change is intended, accept it with: cargo xtask {command}",
        outdated.join("\n")
    )))
}

/// The first changed lines: `-` in the repository, `+` generated.
fn diff(file: &Path, generated: &str) -> Result<String> {
    let mut git = Command::new("git");
    git.args(["diff", "--no-index", "--no-color", "--unified=0"])
        .arg(file)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = git.spawn().map_err(Error::io("start", Path::new("git")))?;
    if let Some(mut stdin) = child.stdin.take() {
        use std::io::Write as _;
        // A file that is missing ends git before it has read everything.
        let _ = stdin.write_all(generated.as_bytes());
    }
    let output = child
        .wait_with_output()
        .map_err(Error::io("run", Path::new("git")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    // git's own four lines of heading say nothing here.
    let lines: Vec<_> = text.lines().skip(4).collect();
    let shown = lines[..lines.len().min(MAX_DIFF_LINES)].join("\n");
    match lines.len().saturating_sub(MAX_DIFF_LINES) {
        0 => Ok(shown),
        more => Ok(format!("{shown}\n… {more} more lines")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_the_changed_lines_only() {
        let this = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/snapshot.rs");
        let text = fs::read_to_string(&this).unwrap();
        let shown = diff(&this, &text.replacen("//! by git", "//! by hand", 1)).unwrap();
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines.len(), 3, "{shown}");
        assert!(lines[1].starts_with("-//! by git") && lines[2].starts_with("+//! by hand"));
        assert!(diff(&this, "").unwrap().ends_with(" more lines"));
    }
}
