//! `down`: stops the system in the reverse order of its start, so that the projector can still commit what it drained.

use std::time::Duration;

use ess_parts::Stopped;
use ess_parts::progress::note;

use crate::error::Result;
use crate::run_dir::RunDir;
use crate::system::{CLICKHOUSE, KAFKA, SERVICES};

/// A service drains within 20 s by default (SHUTDOWN_DEADLINE_MS).
const STOP_WITHIN: Duration = Duration::from_secs(25);

/// Options of `down`.
#[derive(clap::Args)]
pub(crate) struct DownArgs {
    /// Also remove data, logs and everything else under .run/.
    #[arg(long)]
    wipe: bool,
}

pub(crate) fn run(args: &DownArgs) -> Result<()> {
    let run_dir = RunDir::here();
    let services = SERVICES.iter().rev().map(|service| service.name);
    let mut ran = false;
    for name in services.chain([CLICKHOUSE, KAFKA]) {
        let Some(mut process) = run_dir.process(name) else {
            continue;
        };
        ran = true;
        let pid = process.pid();
        match process.stop(STOP_WITHIN)? {
            Stopped::Gracefully => note(&format!("{name}: stopped (pid {pid})")),
            Stopped::Killed => note(&format!(
                "{name}: killed after {} s (pid {pid})",
                STOP_WITHIN.as_secs()
            )),
        }
    }
    if !ran {
        note("nothing runs");
    }
    if args.wipe {
        note(&format!(
            "removed {} with all data and logs; the data of a Kafka or ClickHouse that runs elsewhere stays",
            run_dir.wipe()?.display()
        ));
    }
    Ok(())
}
