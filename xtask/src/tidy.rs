//! `tidy`: the parts of the style that a program can check. Each finding names the place and what to do; an exception
//! is a line in a table here, with its reason, never a marker in the file itself.

mod dependencies;
mod shape;
mod tests;
mod words;

use crate::cargo::Metadata;
use crate::error::{Error, Result};
use crate::files;

/// One thing to put right.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// `path:line`, or a path.
    place: String,
    /// What is wrong, and what to do.
    advice: String,
}

impl Finding {
    fn at(path: &str, line: usize, advice: impl Into<String>) -> Self {
        Self {
            place: format!("{path}:{line}"),
            advice: advice.into(),
        }
    }
}

pub(crate) fn run() -> Result<()> {
    let files = files::all()?;
    let mut findings = dependencies::check(&Metadata::read()?.packages);
    for file in &files {
        findings.extend(shape::check(file));
        findings.extend(words::check(file));
        findings.extend(dependencies::check_purity(file));
        findings.extend(tests::check(file));
    }
    for Finding { place, advice } in &findings {
        println!("{place}: {advice}");
    }
    if findings.is_empty() {
        println!("tidy: {} files, nothing to put right", files.len());
        return Ok(());
    }
    Err(Error::message(format!(
        "tidy: {} to put right",
        findings.len()
    )))
}
