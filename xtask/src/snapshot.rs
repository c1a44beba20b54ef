//! Generated files that are kept in the repository for review: written on request, compared in CI. A drift shows where
//! it is and the command that accepts it.

use std::fs;

use similar::{ChangeTag, TextDiff};

use crate::error::{Error, Result};

/// Enough to see what happened; the whole is one command away.
const MOST_LINES: usize = 20;

/// What a command that generates files can be told.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write nothing; fail when a file is not what would be written.
    #[arg(long)]
    pub(crate) check: bool,
}

/// A generated file: its path in the repository, and its text.
pub(crate) struct Snapshot {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Writes the files, or compares them.
pub(crate) fn settle(snapshots: &[Snapshot], args: &Args, command: &str) -> Result<()> {
    let mut drifted = Vec::new();
    for Snapshot { path, text } in snapshots {
        let file = ess_parts::project_root().join(path);
        let kept = fs::read_to_string(&file).unwrap_or_default();
        if kept == *text {
            continue;
        }
        if args.check {
            drifted.push(format!(
                "{path} is not what the code says:\n{}",
                diff(&kept, text)
            ));
            continue;
        }
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        }
        fs::write(&file, text).map_err(Error::io("write", &file))?;
        println!("wrote {path}");
    }
    if drifted.is_empty() {
        return Ok(());
    }
    Err(Error::message(format!(
        "{}\nif that is meant, accept it with: cargo xtask {command}",
        drifted.join("\n")
    )))
}

/// The first changed lines: `-` as kept, `+` as generated.
fn diff(kept: &str, generated: &str) -> String {
    let diff = TextDiff::from_lines(kept, generated);
    let changed = |change: similar::Change<&str>| match change.tag() {
        ChangeTag::Equal => None,
        ChangeTag::Delete => Some(format!("  - {}", change.value().trim_end())),
        ChangeTag::Insert => Some(format!("  + {}", change.value().trim_end())),
    };
    let lines: Vec<_> = diff.iter_all_changes().filter_map(changed).collect();
    let more = lines.len().saturating_sub(MOST_LINES);
    let shown = lines[..lines.len() - more].join("\n");
    if more == 0 {
        shown
    } else {
        format!("{shown}\n  … {more} more changed lines")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drift_shows_the_changed_lines_only() {
        assert_eq!(diff("a\nb\nc\n", "a\nB\nc\n"), "  - b\n  + B");
        let long = "line\n".repeat(50);
        assert!(diff("", &long).ends_with("… 30 more changed lines"));
    }
}
