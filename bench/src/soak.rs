//! `bench soak`: checks that memory, file handles and latencies of the command-api stay flat at half of its highest rate, and plots
//! them.

mod plots;
mod windows;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ess_parts::Scratch;
use ess_parts::progress::note;
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval};

use self::windows::{Flatness, Latency, Window};
use crate::error::Result;
use crate::http::client::{Target, load};
use crate::http::open::Open;
use crate::http::service::Service;
use crate::ingest::single;
use crate::machine::Machine;
use crate::report::{publish, table, thousands};
use crate::servers::Servers;
use crate::topic;
use crate::usage::{open_files, resident_memory};

const NAME: &str = "bench_soak";
const TOPIC: &str = "bench-soak";
const CONNECTIONS: u64 = 256;
const WINDOW: Duration = Duration::from_secs(5);
/// Duration of measuring the highest rate.
const PROBE_TIME: Duration = Duration::from_secs(10);

/// Arguments of `soak`.
#[derive(Debug, clap::Args)]
pub(crate) struct SoakArgs {
    #[command(flatten)]
    servers: Servers,
    /// Duration in minutes
    #[arg(long, default_value_t = 10.0, value_parser = minutes)]
    minutes: f64,
    /// Requests per second; by default half of the highest rate, which is measured first
    #[arg(long)]
    rate: Option<f64>,
    /// Write SVG plots of memory, file handles and latencies into this folder
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Also write all measurements to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn minutes(text: &str) -> std::result::Result<f64, String> {
    let minutes: f64 = text
        .parse()
        .map_err(|_| format!("{text} is not a number"))?;
    if (0.5..=1_440.0).contains(&minutes) {
        Ok(minutes)
    } else {
        Err("allowed: 0.5 to 1440".to_owned())
    }
}

/// The report of `bench soak`.
#[derive(Debug, Serialize)]
struct SoakReport {
    machine: Machine,
    rate: f64,
    windows: Vec<Window>,
    flatness: Vec<Flatness>,
}

/// Runs the benchmark.
///
/// # Errors
/// Any failure of a measurement, including a single failed request.
pub(crate) async fn run(args: SoakArgs) -> Result<()> {
    let machine = Machine::read(&args.servers).await?;
    topic::create(&args.servers.settings(TOPIC, NAME)?).await?;
    let scratch = Scratch::new()?;
    let environment = args.servers.environment(TOPIC, NAME);
    let api = Service::command_api(&environment, scratch.path()).await?;
    let rate = match args.rate {
        Some(rate) => rate,
        None => {
            load(&api.target, CONNECTIONS, PROBE_TIME, single(1))
                .await?
                .rate
                / 2.0
        }
    };
    note(&format!(
        "{rate:.0} requests/s for {} minutes",
        args.minutes
    ));
    let duration = Duration::from_secs_f64(args.minutes * 60.0);
    let windows = soak(&api.target, rate, duration).await?;
    api.stop()?;
    let report = SoakReport {
        machine,
        rate,
        flatness: windows::flatness(&windows),
        windows,
    };
    if let Some(folder) = &args.plots {
        draw(&report, folder)?;
    }
    publish(&report, args.json.as_deref())
}

async fn soak(target: &Target, rate: f64, duration: Duration) -> Result<Vec<Window>> {
    let latencies: Arc<Mutex<Vec<Latency>>> = Arc::default();
    let answered = {
        let latencies = Arc::clone(&latencies);
        move |due, took| {
            let latency = Latency { due, took };
            latencies
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(latency);
        }
    };
    let open = Open {
        target: target.clone(),
        connections: CONNECTIONS,
        rate,
        duration,
    };
    let running = tokio::spawn(async move { open.run(single(2), answered).await });
    let mut windows = Vec::new();
    let mut ticks = interval(WINDOW);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is immediate.
    ticks.tick().await;
    while !running.is_finished() && (windows.len() as u32) < duration.as_secs() as u32 / 5 {
        ticks.tick().await;
        let (memory, files) = (resident_memory(target.pid)?, open_files(target.pid)?);
        let ended = std::mem::take(&mut *latencies.lock().unwrap_or_else(PoisonError::into_inner));
        windows.push(Window::of(
            WINDOW * windows.len() as u32,
            &ended,
            memory,
            files,
        ));
    }
    running.await??;
    Ok(windows)
}

fn draw(report: &SoakReport, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, plot) in plots::all(&report.windows) {
        std::fs::write(folder.join(name), plot.svg(true) + "\n")?;
    }
    Ok(())
}

impl fmt::Display for SoakReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.machine.lines() {
            writeln!(f, "{line}")?;
        }
        let (rate, windows) = (thousands(self.rate), self.windows.len());
        let requests: usize = self.windows.iter().map(|window| window.requests).sum();
        let requests = thousands(requests as f64);
        writeln!(
            f,
            "{rate} requests/s, {requests} in {windows} windows of 5 s; none failed\n"
        )?;
        let mut table = table(&["median of the windows", "first third", "last third", "flat"]);
        for row in &self.flatness {
            table.add_row([
                row.what.to_owned(),
                format!("{:.2}", row.first),
                format!("{:.2}", row.last),
                if row.is_flat { "yes" } else { "NO" }.to_owned(),
            ]);
        }
        writeln!(f, "{table}")
    }
}
