//! One round: each case once, right after its yardstick.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ess_parts::progress::note;
use ess_projector::config::Settings;

use super::bodies::{self, BATCH, single};
use super::figure::{BATCHERS, CONNECTIONS, Case, CpuCores, Figure, GOAL_CONNECTIONS};
use super::producer::Producer;
use super::report::IngestReport;
use crate::clock::now;
use crate::error::Result;
use crate::http::client::{Target, load};
use crate::http::latencies::Latencies;
use crate::http::open::Open;
use crate::usage::cpu_of;

/// Duration of the warm-up with one event a request and with batches. A broker that has just started reaches a third of the rate that
/// it has after JIT compilation.
const WARM_UP: Duration = Duration::from_secs(10);
/// Number of different records for Kafka's producer.
const PAYLOADS: u64 = 20_000;

/// The servers and settings of the benchmark.
pub(super) struct IngestBench {
    pub(super) api: Target,
    pub(super) parse: Target,
    pub(super) kafka: i32,
    pub(super) duration: Duration,
    pub(super) records: u64,
    pub(super) settings: Settings,
    pub(super) yardstick: &'static str,
    pub(super) payloads: PathBuf,
    pub(super) jars: PathBuf,
    /// Number of loads so far, so that each sends different events.
    pub(super) runs: u64,
}

impl IngestBench {
    /// Writes the records for Kafka's own producer.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn write_payloads(&self) -> Result<()> {
        Ok(fs::write(
            &self.payloads,
            bodies::records(0, PAYLOADS, now()?)?,
        )?)
    }

    /// Warms up the broker.
    ///
    /// # Errors
    /// A request that fails.
    pub(super) async fn warm_up(&mut self) -> Result<()> {
        note("warming up");
        let (run, target) = (self.next_run(), self.api.clone());
        load(&target, GOAL_CONNECTIONS, WARM_UP, single(run)).await?;
        load(&target, BATCHERS, WARM_UP, bodies::batch(run + 1)).await?;
        self.runs += 1;
        Ok(())
    }

    /// Measures each case once.
    ///
    /// # Errors
    /// Any failure of a measurement.
    pub(super) async fn round(&mut self, report: &mut IngestReport) -> Result<()> {
        for connections in CONNECTIONS {
            let parsed = self.closed(&self.parse.clone(), connections).await?;
            report.add(Case::Parse(connections), parsed);
            let taken = self.closed(&self.api.clone(), connections).await?;
            note(&format!(
                "{connections} connections: {:.0} requests/s, {:.0} if only parsed",
                taken.rate, parsed.rate
            ));
            report.add(Case::Single(connections), taken);
        }
        report.add(Case::Idle, self.closed(&self.api.clone(), 1).await?);
        if let Some(max) = report.rate(Case::Single(GOAL_CONNECTIONS)) {
            report.add(Case::Half, self.half(max / 2.0).await?);
        }
        let taken = self.batches().await?;
        report.add(Case::Batches, taken);
        let sent = self.producer().await?;
        note(&format!(
            "batches: {:.0} events/s, {:.0} by Kafka's own producer",
            taken.rate, sent.rate
        ));
        report.add(Case::Producer, sent);
        Ok(())
    }

    fn next_run(&mut self) -> u64 {
        self.runs += 1;
        self.runs
    }

    async fn closed(&mut self, target: &Target, connections: u64) -> Result<Figure> {
        let (run, clock) = (self.next_run(), Clock::start(target, self.kafka)?);
        let latencies = load(target, connections, self.duration, single(run)).await?;
        Ok(Figure::of(latencies, 1, clock.cores()?))
    }

    async fn batches(&mut self) -> Result<Figure> {
        let (run, target) = (self.next_run(), self.api.clone());
        let clock = Clock::start(&target, self.kafka)?;
        let latencies = load(&target, BATCHERS, self.duration, bodies::batch(run)).await?;
        Ok(Figure::of(latencies, BATCH, clock.cores()?))
    }

    /// An open load at half of the highest rate.
    async fn half(&mut self, rate: f64) -> Result<Figure> {
        let run = self.next_run();
        let open = Open {
            target: self.api.clone(),
            connections: GOAL_CONNECTIONS,
            rate,
            duration: self.duration,
        };
        let clock = Clock::start(&open.target, self.kafka)?;
        let took = Arc::new(Mutex::new(Vec::new()));
        let answered = {
            let took = Arc::clone(&took);
            move |_, this| {
                let mut took = took.lock().unwrap_or_else(PoisonError::into_inner);
                took.push(this);
            }
        };
        let begin = Instant::now();
        open.run(single(run), answered).await?;
        let whole = begin.elapsed();
        let took = std::mem::take(&mut *took.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Figure::of(Latencies::of(took, whole), 1, clock.cores()?))
    }

    async fn producer(&self) -> Result<Figure> {
        let producer = Producer {
            settings: &self.settings,
            topic: self.yardstick,
            payloads: &self.payloads,
            jars: &self.jars,
        };
        Ok(Figure::rate(producer.run(self.records).await?))
    }
}

/// CPU time of all processes since the start.
struct Clock {
    begin: Instant,
    server: i32,
    kafka: i32,
    used: [Duration; 3],
}

impl Clock {
    fn start(target: &Target, kafka: i32) -> Result<Self> {
        let mut clock = Self {
            begin: Instant::now(),
            server: target.pid,
            kafka,
            used: [Duration::ZERO; 3],
        };
        clock.used = clock.all()?;
        Ok(clock)
    }

    fn all(&self) -> Result<[Duration; 3]> {
        let me = std::process::id() as i32;
        Ok([cpu_of(me)?, cpu_of(self.server)?, cpu_of(self.kafka)?])
    }

    /// CPU time since the start, in cores.
    fn cores(&self) -> Result<CpuCores> {
        let (now, whole) = (self.all()?, self.begin.elapsed().as_secs_f64());
        let cores =
            |which: usize| now[which].saturating_sub(self.used[which]).as_secs_f64() / whole;
        Ok(CpuCores {
            generator: cores(0),
            server: cores(1),
            kafka: cores(2),
        })
    }
}
