//! The checker of `cargo xtask tidy`, for the parts of the style that a program can check. Each finding names the place and
//! what to do; an exception is a line in a table here, with its reason, never a marker in the file itself.
//! Runs in the repository's root; changes nothing.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a command-line tool prints to the terminal and reads its environment"
)]

mod citations;
mod cycles;
mod dependencies;
mod files;
mod modules;
mod shape;
mod tests;
mod types;
mod unfinished;
mod words;
mod workspace;

use std::process::ExitCode;

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

fn main() -> ExitCode {
    match check() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("tidy: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what it finds; true when there is nothing.
fn check() -> Result<bool, String> {
    let files = files::all()?;
    let mut findings = dependencies::check(&workspace::packages()?);
    for file in &files {
        findings.extend(shape::check(file));
        findings.extend(unfinished::check(file));
        findings.extend(words::check(file));
        findings.extend(dependencies::check_purity(file));
        findings.extend(tests::check(file));
    }
    findings.extend(citations::check(&files));
    for krate in modules::crates(&files)? {
        findings.extend(cycles::check(&krate));
        findings.extend(types::check(&krate));
    }
    for Finding { place, advice } in &findings {
        println!("{place}: {advice}");
    }
    match findings.len() {
        0 => println!("tidy: {} files, no findings", files.len()),
        findings => println!("tidy: {findings} findings"),
    }
    Ok(findings.is_empty())
}
