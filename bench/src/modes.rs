//! The four modes over the same topic, each measured once with empty tables. The clock runs from the first record or insert to the last
//! stored row: the start of a process does not count.

use std::fs;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ess_parts::Scratch;

use crate::ceiling::Ceiling;
use crate::decode::run_child;
use crate::error::{Error, Result};
use crate::kafka_engine;
use crate::projector::Projector;
use crate::read_model::ReadModel;
use crate::recorder::{Recorded, Recorder, is_insert_of_events};
use crate::run::{Mode, Run};
use crate::servers::Servers;
use crate::topic::Ends;
use crate::usage::{Meter, peak_memory};
use crate::waiting::until;

/// Deadline of a mode.
const FOLD_TIMEOUT: Duration = Duration::from_mins(20);
/// The end time comes from the recorded progress, so that polling can be rare: each poll is a query.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Runs modes over a filled topic.
pub(crate) struct ModeRunner {
    pub(crate) servers: Servers,
    pub(crate) topic: String,
    pub(crate) ends: Ends,
    pub(crate) engine_timeout: Duration,
    pub(crate) scratch: Scratch,
}

impl ModeRunner {
    /// Runs the projector once without measuring, and records its inserts.
    ///
    /// # Errors
    /// A projector that fails.
    pub(crate) async fn record(&self) -> Result<Recorded> {
        let model = self.model(RECORDED);
        let recorder = Recorder::start(&self.servers.clickhouse_url, is_insert_of_events).await?;
        let through = Servers {
            clickhouse_url: recorder.url().to_owned(),
            ..self.servers.clone()
        };
        let projector = self.start_projector(&through, RECORDED)?;
        self.wait_until_folded(&projector, &model).await?;
        projector.stop()?;
        self.clean(&model).await?;
        Ok(recorder.finish())
    }

    /// Measures one mode once, and cleans up.
    ///
    /// # Errors
    /// Any failure of the measurement.
    pub(crate) async fn measure(&self, mode: Mode, round: u32, sent: &Recorded) -> Result<Run> {
        let name = match mode {
            Mode::Projector => format!("bench_projector_{round}"),
            Mode::Ceiling => format!("bench_ceiling_{round}"),
            Mode::KafkaEngine => format!("bench_engine_{round}"),
            Mode::Decode => return self.decode(round).await,
        };
        let model = self.model(&name);
        let (mut run, meter) = match mode {
            Mode::Ceiling => self.ceiling(&model, sent).await?,
            Mode::KafkaEngine => self.engine(&model).await?,
            Mode::Projector | Mode::Decode => self.projector(&model, &name).await?,
        };
        model.wait_for_merges().await?;
        (run.mode, run.round) = (mode, round);
        run.clickhouse_until_merged = Some(meter.used_by_clickhouse()?);
        run.content = Some(model.content().await?);
        self.clean(&model).await?;
        Ok(run)
    }

    async fn projector(&self, model: &ReadModel, name: &str) -> Result<(Run, Meter)> {
        let projector = self.start_projector(&self.servers, name)?;
        projector.wait_until_it_consumes().await?;
        let (begun, meter) = (now(), Meter::start(&self.servers, Some(projector.pid()))?);
        self.wait_until_folded(&projector, model).await?;
        let run = Run {
            took: Duration::from_millis(model.last_progress_ms().await?).saturating_sub(begun),
            peak_bytes: Some(peak_memory(projector.pid())?),
            inserts: Some(projector.counted().await?.inserts),
            ..Run::of_all(self.events(), meter.used()?)
        };
        projector.stop()?;
        Ok((run, meter))
    }

    async fn ceiling(&self, model: &ReadModel, sent: &Recorded) -> Result<(Run, Meter)> {
        model.create().await?;
        let (from, to) = (self.model(RECORDED).generation(), model.generation());
        let ceiling = Ceiling::new(sent, &self.servers.clickhouse_url, (&from, &to))?;
        let me = std::process::id() as i32;
        let (begun, meter) = (Instant::now(), Meter::start(&self.servers, Some(me))?);
        ceiling.send().await?;
        let run = Run {
            took: begun.elapsed(),
            inserts: Some(sent.sent.len() as u64),
            ..Run::of_all(self.events(), meter.used()?)
        };
        Ok((run, meter))
    }

    async fn engine(&self, model: &ReadModel) -> Result<(Run, Meter)> {
        model.create().await?;
        kafka_engine::attach(model, &self.servers, &self.topic).await?;
        kafka_engine::wait_until_assigned(model).await?;
        let meter = Meter::start(&self.servers, None)?;
        let managed = kafka_engine::work(model, self.events(), self.engine_timeout).await?;
        let run = Run {
            events: managed.rows,
            took: managed.took,
            ..Run::of_all(self.events(), meter.used()?)
        };
        kafka_engine::detach(model).await?;
        Ok((run, meter))
    }

    async fn decode(&self, round: u32) -> Result<Run> {
        let environment = self.servers.environment(&self.topic, "bench_decode");
        let meter = Meter::start(&self.servers, None)?;
        let decoded = run_child(&environment).await?;
        let mut run = Run {
            mode: Mode::Decode,
            round,
            events: decoded.rows,
            took: decoded.took,
            peak_bytes: Some(decoded.peak_bytes),
            ..Run::of_all(self.events(), meter.used()?)
        };
        run.cpu.client = decoded.cpu;
        self.require_all(decoded.rows, decoded.dead_letters)?;
        Ok(run)
    }

    fn start_projector(&self, servers: &Servers, name: &str) -> Result<Projector> {
        let logs = self.scratch.path().join(name);
        fs::create_dir_all(&logs)?;
        Projector::start(&servers.environment(&self.topic, name), &logs)
    }

    /// Waits until the recorded progress covers the entire topic.
    async fn wait_until_folded(&self, projector: &Projector, model: &ReadModel) -> Result<()> {
        let what = "the projector has folded the topic";
        until(what, FOLD_TIMEOUT, POLL_INTERVAL, async || {
            projector.require_alive()?;
            // The projector creates the tables, so that they may be missing.
            let progress = model.progress().await.unwrap_or_default();
            let holds = |(partition, end): (&u16, &u64)| progress.get(partition) >= Some(end);
            Ok(self.filled().all(holds).then_some(()))
        })
        .await?;
        let dead_letters = projector.counted().await?.dead_letters;
        self.require_all(model.rows().await?, dead_letters)
    }

    fn require_all(&self, rows: u64, dead_letters: u64) -> Result<()> {
        let events = self.events();
        if rows == events && dead_letters == 0 {
            return Ok(());
        }
        Err(Error::message(format!(
            "{rows} rows and {dead_letters} dead letters of {events} events"
        )))
    }

    async fn clean(&self, model: &ReadModel) -> Result<()> {
        model.drop_databases().await?;
        model.wait_for_merges().await
    }

    fn model(&self, name: &str) -> ReadModel {
        ReadModel::new(&self.servers.clickhouse_url, name)
    }

    fn filled(&self) -> impl Iterator<Item = (&u16, &u64)> {
        self.ends.iter().filter(|(_, end)| **end > 0)
    }

    /// Events in the topic.
    pub(crate) fn events(&self) -> u64 {
        self.ends.values().sum()
    }
}

/// The databases of the recorded run.
const RECORDED: &str = "bench_recorded";

fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
