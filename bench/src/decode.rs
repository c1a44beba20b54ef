//! Consuming and decoding only, in a process of its own, to measure its CPU time and memory. The parent reads one line of JSON from
//! its standard output.

use std::collections::HashMap;
use std::env;
use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use ess_projector::dry_run;
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::error::{Error, Result};
use crate::servers::settings;
use crate::topic;
use crate::usage::{cpu_of, peak_memory};

/// The result of the process.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Decoded {
    pub(crate) rows: u64,
    pub(crate) dead_letters: u64,
    pub(crate) took: Duration,
    pub(crate) cpu: Duration,
    pub(crate) peak_bytes: u64,
}

/// The child: consumes the entire topic and prints the result.
///
/// # Errors
/// A topic that cannot be consumed.
pub(crate) fn run() -> Result<()> {
    let environment = env::vars_os().filter_map(|(key, value)| {
        let text = |os: std::ffi::OsString| os.into_string().ok();
        Some((text(key)?, text(value)?))
    });
    let settings = settings(environment.collect())?;
    let consumed = dry_run::run(&settings, &topic::ends(&settings)?)?;
    let me = std::process::id() as i32;
    let decoded = Decoded {
        rows: consumed.rows,
        dead_letters: consumed.dead_letters,
        took: consumed.elapsed,
        cpu: cpu_of(me)?,
        peak_bytes: peak_memory(me)?,
    };
    serde_json::to_writer(std::io::stdout(), &decoded)?;
    Ok(std::io::stdout().flush()?)
}

/// The parent: runs the child to its end.
///
/// # Errors
/// A child that fails.
pub(crate) async fn run_child(environment: &HashMap<String, String>) -> Result<Decoded> {
    let mut child = Command::new(env::current_exe()?);
    child.arg("decode").envs(environment).kill_on_drop(true);
    let ended = child.stderr(Stdio::inherit()).output().await?;
    if !ended.status.success() {
        let status = ended.status;
        return Err(Error::message(format!("decoding failed: {status}")));
    }
    Ok(serde_json::from_slice(&ended.stdout)?)
}
