//! Fills a generation with playbacks of the last thirty days, straight in ClickHouse: in slices of time as the log has them, so
//! that the tables' own views do their work and parts are as a running system has them. Never touches the partitions that a
//! projector writes.

use std::collections::HashMap;
use std::process::Stdio;
use std::time::Instant;

use ess_parts::progress::note;
use tokio::process::Command;

use super::phase::Phase;
use crate::error::{Error, Result};
use crate::projector::binary;
use crate::read_model::ReadModel;
use crate::report::thousands;

const GENERATE: &str = include_str!("generate.sql");
/// Over so much time the playbacks begin, in ms.
const SPAN_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// No event occurs later than this after its playback has begun.
const LONGEST_MS: i64 = 25 * 60 * 1_000;
/// Events of a slice, about.
const SLICE_EVENTS: u64 = 500_000;
const FEWEST_SLICES: u64 = 30;
/// The first of the twelve partitions of the generated events: those of the log lie below.
const FIRST_PARTITION: i64 = 12;
/// A month of 20 playbacks for each listener, and of 100 for each track.
const PLAYBACKS_OF_A_USER: u64 = 20;
const PLAYBACKS_OF_A_TRACK: u64 = 100;

/// What is generated.
pub(super) struct Generator {
    pub(super) model: ReadModel,
    pub(super) playbacks: u64,
    pub(super) seed: u64,
    /// Of a projector that rolls them up.
    pub(super) environment: HashMap<String, String>,
    /// The present, at which the last playback begins, in ms since 1970.
    pub(super) now_ms: i64,
}

impl Generator {
    /// Generates the events, tells how far they go, rolls the playbacks up, and lets ClickHouse merge.
    ///
    /// # Errors
    /// A statement that ClickHouse refuses.
    pub(super) async fn run(&self) -> Result<Vec<Phase>> {
        Ok(vec![
            self.timed("events and their states", self.events()).await?,
            self.timed("roll-up of playbacks", self.roll_up()).await?,
            self.timed("merging what is old", self.merge()).await?,
        ])
    }

    async fn timed(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<()>>,
    ) -> Result<Phase> {
        note(&format!("{name} of {}", thousands(self.playbacks as f64)));
        let begun = Instant::now();
        work.await?;
        let took = begun.elapsed();
        note(&format!("{name}: {:.0} s", took.as_secs_f64()));
        Ok(Phase { name, took })
    }

    async fn events(&self) -> Result<()> {
        let slices = self.slices();
        let mut offset = 0;
        // The one past the last holds only what is stored twice of the last.
        for slice in 0..=slices {
            self.slice(slice, slices, offset).await?;
            offset = self.next_offset().await?;
            note(&format!(
                "slice {slice} of {slices}, {} rows",
                thousands(offset as f64)
            ));
        }
        let generation = self.model.generation();
        let progress = format!(
            "INSERT INTO {generation}.projection_progress (partition, next_offset, last_ingest_time) \
             SELECT partition, max(offset) + 1, max(ingest_time) FROM {generation}.events GROUP BY partition"
        );
        self.model.execute(&progress).await
    }

    async fn slice(&self, slice: u64, slices: u64, offset: u64) -> Result<()> {
        let start_ms = self.now_ms - SPAN_MS;
        let bound = |slice: i64| start_ms + SPAN_MS * slice.min(slices as i64) / slices as i64;
        let slice = slice as i64;
        let (again_from_ms, from_ms, to_ms) = (bound(slice - 1), bound(slice), bound(slice + 1));
        let gap_us = SPAN_MS * 1_000 / self.playbacks as i64;
        let number = |at_ms: i64| (at_ms - start_ms) * 1_000 / gap_us;
        let first = (number(again_from_ms - LONGEST_MS) - 1).max(0);
        let last = (number(to_ms) + 1).min(self.playbacks as i64);
        let parameters = [
            ("seed", self.seed as i64),
            ("start_ms", start_ms),
            ("gap_us", gap_us),
            ("first", first),
            ("count", last - first),
            (
                "users",
                (self.playbacks / PLAYBACKS_OF_A_USER).max(1_000) as i64,
            ),
            (
                "tracks",
                (self.playbacks / PLAYBACKS_OF_A_TRACK).max(500) as i64,
            ),
            ("again_from_ms", again_from_ms),
            ("from_ms", from_ms),
            ("to_ms", to_ms),
            ("partition", FIRST_PARTITION),
            ("offset", offset as i64),
        ];
        let sql = GENERATE.replace("{database}", &self.model.generation());
        self.model.execute_with(&sql, &parameters).await
    }

    fn slices(&self) -> u64 {
        (self.playbacks * 10 / SLICE_EVENTS).max(FEWEST_SLICES)
    }

    async fn next_offset(&self) -> Result<u64> {
        let generation = self.model.generation();
        self.model
            .number(&format!("SELECT max(offset) + 1 FROM {generation}.events"))
            .await
    }

    /// As an operator does for a read model that was filled without a projector.
    async fn roll_up(&self) -> Result<()> {
        let mut projector = Command::new(binary("projector")?);
        projector
            .arg("rollup")
            .envs(&self.environment)
            .stdout(Stdio::null());
        let ended = projector.kill_on_drop(true).status().await?;
        if ended.success() {
            return Ok(());
        }
        Err(Error::message(format!("projector rollup: {ended}")))
    }

    /// What the table's own settings do with a day a quarter of an hour after it was written last, now; and then whatever
    /// ClickHouse still wants to merge.
    async fn merge(&self) -> Result<()> {
        let generation = self.model.generation();
        let settled = format!(
            "SELECT DISTINCT partition_id FROM system.parts WHERE active AND database = '{generation}' AND table = 'playbacks' \
             AND toDate(partition) < today() ORDER BY partition_id"
        );
        for partition in self.model.all::<String>(&settled).await? {
            let merge =
                format!("OPTIMIZE TABLE {generation}.playbacks PARTITION ID '{partition}' FINAL");
            self.model.execute(&merge).await?;
        }
        self.model.quiet().await
    }
}
