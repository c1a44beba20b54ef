//! `ci`: every check and every test, one after the other, and a table at the end. A step that fails does not hide the
//! others, and none is skipped in silence.

use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ess_parts::progress::note;

use crate::cargo::{self, command, run as run_command};
use crate::error::{Error, Result};
use crate::tools::{CARGO_DENY, CARGO_SHEAR, RUMDL, TYPOS};
use crate::{compose, configuration, openapi, schemas, snapshot, test, tidy, tools};

/// A name and its work.
type Step = (&'static str, fn() -> Result<()>);

const CHECK: snapshot::SnapshotArgs = snapshot::SnapshotArgs { check: true };

/// Cheap ones first. From `build` on, everything runs what is built once.
const STEPS: [Step; 15] = [
    ("fmt", || cargo(&["fmt", "--all", "--check"])),
    ("tidy", tidy::run),
    ("typos", || run_command(&mut TYPOS.command(&[])?)),
    ("markdown", || {
        run_command(&mut RUMDL.command(&["check", "--quiet", "."])?)
    }),
    ("shear", || run_command(&mut CARGO_SHEAR.command(&[])?)),
    ("deny", || deny(&["bans", "licenses", "sources"])),
    ("advisories", advisories),
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
    ("build", cargo::build_all),
    ("openapi", || openapi::settle(&CHECK)),
    ("config", || configuration::settle(&CHECK)),
    ("schemas", || schemas::settle(&CHECK)),
    ("compose", compose::check),
    ("test", tests),
];

/// Options of `ci`.
#[derive(clap::Args)]
pub(crate) struct CiArgs {
    /// Run only these steps; all by default.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(STEPS.map(|(name, _)| name)))]
    steps: Vec<String>,
}

pub(crate) fn run(args: &CiArgs) -> Result<()> {
    let chosen =
        |(name, _): &&Step| args.steps.is_empty() || args.steps.iter().any(|chosen| chosen == name);
    let steps: Vec<_> = STEPS.iter().filter(chosen).collect();
    if steps.iter().any(|(name, _)| *name == "test") {
        // Both may call apt-get, which refuses to run twice. A step that needs pip reports that it is missing.
        let _ = tools::require_pip();
        // Downloads in the meantime. The test step waits for it, and reports its errors.
        thread::spawn(ess_parts::fetch);
    }
    let results: Vec<_> = steps.into_iter().map(step).collect();
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

fn deny(checks: &[&str]) -> Result<()> {
    run_command(&mut CARGO_DENY.command(&[&["check"], checks].concat())?)
}

/// RustSec's advisories, where their database can be fetched.
fn advisories() -> Result<()> {
    let mut fetch = CARGO_DENY.command(&["fetch", "db"])?;
    let fetched = cargo::status(fetch.stdout(Stdio::null()).stderr(Stdio::null()))?;
    if fetched.success() {
        return deny(&["advisories"]);
    }
    note("skipped: the advisory database cannot be fetched");
    Ok(())
}

fn doc() -> Result<()> {
    let mut doc: Command = command(&["doc", "--workspace", "--no-deps", "--keep-going"]);
    run_command(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

fn tests() -> Result<()> {
    let code = test::run(&test::TestArgs::default())?;
    if code == ExitCode::SUCCESS {
        Ok(())
    } else {
        Err(Error::message("a test failed"))
    }
}
