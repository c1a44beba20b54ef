//! One round: every measurement once, each right after its yardstick.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ess_parts::progress::note;
use ess_projector::config::Settings;
use ess_schema::Timestamp;

use super::bodies::{self, BATCH, single};
use super::producer::Producer;
use super::report::{Figure, Of, Report, Spent};
use crate::error::Result;
use crate::http::client::{Target, load};
use crate::http::latencies::Latencies;
use crate::http::open::Open;
use crate::usage::cpu_of;

/// Connections of the singles, few to many.
pub(super) const CONNECTIONS: [u64; 3] = [64, 256, 1_024];
/// Where the goals are set.
pub(super) const AIMED_AT: u64 = 256;
/// Connections that send batches.
pub(super) const BATCHERS: u64 = 16;
/// How long one fact a request, and then batches, are sent before anything is measured: a broker that has just started takes a third
/// of what it takes when its hot code is compiled.
const WARM_UP: Duration = Duration::from_secs(10);
/// Different records that Kafka's producer draws from.
const PAYLOADS: u64 = 20_000;

/// What is measured, and for how long.
pub(super) struct Bench {
    pub(super) api: Target,
    pub(super) parse: Target,
    pub(super) kafka: i32,
    pub(super) lasting: Duration,
    pub(super) records: u64,
    pub(super) settings: Settings,
    pub(super) yardstick: &'static str,
    pub(super) payloads: PathBuf,
    pub(super) jars: PathBuf,
    /// Counts the loads, so that no two send the same events.
    pub(super) runs: u64,
}

impl Bench {
    /// The records for Kafka's own producer.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn write_payloads(&self) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = Timestamp::EPOCH.plus_millis(now.unwrap_or_default().as_millis() as i64);
        Ok(fs::write(
            &self.payloads,
            bodies::records(0, PAYLOADS, now)?,
        )?)
    }

    /// Lets the broker compile what it needs.
    ///
    /// # Errors
    /// A request that fails.
    pub(super) async fn warm_up(&mut self) -> Result<()> {
        note("warming up");
        let (run, target) = (self.next_run(), self.api.clone());
        load(&target, AIMED_AT, WARM_UP, single(run)).await?;
        load(&target, BATCHERS, WARM_UP, bodies::batch(run + 1)).await?;
        self.runs += 1;
        Ok(())
    }

    /// Measures everything once.
    ///
    /// # Errors
    /// Whatever keeps a figure from being measured.
    pub(super) async fn round(&mut self, report: &mut Report) -> Result<()> {
        for connections in CONNECTIONS {
            let parsed = self.closed(&self.parse.clone(), connections).await?;
            report.add(Of::Parse(connections), parsed);
            let taken = self.closed(&self.api.clone(), connections).await?;
            note(&format!(
                "{connections} connections: {:.0} requests/s, {:.0} where they are only parsed",
                taken.rate, parsed.rate
            ));
            report.add(Of::Single(connections), taken);
        }
        report.add(Of::Idle, self.closed(&self.api.clone(), 1).await?);
        if let Some(most) = report.rate(Of::Single(AIMED_AT)) {
            report.add(Of::Half, self.half(most / 2.0).await?);
        }
        let taken = self.batches().await?;
        report.add(Of::Batches, taken);
        let sent = self.producer().await?;
        note(&format!(
            "batches: {:.0} events/s, {:.0} by Kafka's own producer",
            taken.rate, sent.rate
        ));
        report.add(Of::Producer, sent);
        Ok(())
    }

    fn next_run(&mut self) -> u64 {
        self.runs += 1;
        self.runs
    }

    async fn closed(&mut self, target: &Target, connections: u64) -> Result<Figure> {
        let (run, clock) = (self.next_run(), Clock::start(target, self.kafka)?);
        let latencies = load(target, connections, self.lasting, single(run)).await?;
        Ok(Figure::of(latencies, 1, clock.spent()?))
    }

    async fn batches(&mut self) -> Result<Figure> {
        let (run, target) = (self.next_run(), self.api.clone());
        let clock = Clock::start(&target, self.kafka)?;
        let latencies = load(&target, BATCHERS, self.lasting, bodies::batch(run)).await?;
        Ok(Figure::of(latencies, BATCH, clock.spent()?))
    }

    /// Requests that are due at half of the highest rate.
    async fn half(&mut self, rate: f64) -> Result<Figure> {
        let run = self.next_run();
        let open = Open {
            target: self.api.clone(),
            connections: AIMED_AT,
            rate,
            lasting: self.lasting,
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
        Ok(Figure::of(Latencies::of(took, whole), 1, clock.spent()?))
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

/// CPU time of those who take part, from the start.
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

    /// In cores.
    fn spent(&self) -> Result<Spent> {
        let (now, whole) = (self.all()?, self.begin.elapsed().as_secs_f64());
        let cores =
            |which: usize| now[which].saturating_sub(self.used[which]).as_secs_f64() / whole;
        Ok(Spent {
            generator: cores(0),
            server: cores(1),
            kafka: cores(2),
        })
    }
}
