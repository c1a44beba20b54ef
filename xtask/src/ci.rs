//! `ci`: every check and every test, one after the other, and a table at the end. A step that fails does not hide the
//! others; none is left out.

mod tools;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::cargo::{command, run as run_command};
use crate::error::{Error, Result};
use crate::{compose, openapi, snapshot, test, tidy};

/// One step: its name, and what it does.
type Step = (&'static str, fn() -> Result<()>);

/// Cheap ones first.
const STEPS: [Step; 10] = [
    ("fmt", || cargo(&["fmt", "--all", "--check"])),
    ("tidy", tidy::run),
    ("machete", || tools::run(&tools::MACHETE, &[])),
    ("deny", || {
        tools::run(&tools::DENY, &["check", "bans", "licenses", "sources"])
    }),
    ("clippy", || {
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--keep-going",
            "--",
            "-D",
            "warnings",
        ])
    }),
    ("doc", doc),
    ("openapi", || openapi::run(&snapshot::Args { check: true })),
    ("schemas", || {
        crate::schemas::run(&snapshot::Args { check: true })
    }),
    ("compose", compose::run),
    ("test", tests),
];

pub(crate) fn run() -> Result<()> {
    let results: Vec<_> = STEPS.iter().map(step).collect();
    println!("\n{:<10} {:>8}  RESULT", "STEP", "SECONDS");
    for (name, took, passed) in &results {
        println!(
            "{name:<10} {:>8.1}  {}",
            took.as_secs_f32(),
            if *passed { "ok" } else { "FAILED" }
        );
    }
    let failed: Vec<_> = results
        .iter()
        .filter(|(.., passed)| !passed)
        .map(|(name, ..)| *name)
        .collect();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Error::message(format!("failed: {}", failed.join(", "))))
    }
}

fn step((name, work): &Step) -> (&'static str, Duration, bool) {
    println!("\n== {name}");
    let started = Instant::now();
    let done = work();
    if let Err(error) = &done {
        println!("{name} failed: {error}");
    }
    (name, started.elapsed(), done.is_ok())
}

fn cargo(args: &[&str]) -> Result<()> {
    run_command(&mut command(args))
}

fn doc() -> Result<()> {
    let mut doc: Command = command(&["doc", "--workspace", "--no-deps", "--keep-going"]);
    run_command(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

fn tests() -> Result<()> {
    let code = test::run(&test::Args::default())?;
    if code == ExitCode::SUCCESS {
        Ok(())
    } else {
        Err(Error::message("a test failed"))
    }
}
