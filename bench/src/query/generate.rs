//! Generates playbacks of the last thirty days in ClickHouse, in slices of time like a projector, so that materialized views and parts
//! are as in a running system. Never writes partitions that the projector of the benchmark writes.

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
/// The time over which playbacks start, in ms.
const SPAN_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// Maximum duration of a playback.
const MAX_PLAYBACK_MS: i64 = 25 * 60 * 1_000;
/// Approximate events in a slice.
const SLICE_EVENTS: u64 = 500_000;
const MIN_SLICES: u64 = 30;
/// The first of the twelve partitions of the generated events, after those of the topic.
const FIRST_PARTITION: i64 = 12;
/// Each listener has 20 playbacks, and each track 100.
const PLAYBACKS_OF_A_USER: u64 = 20;
const PLAYBACKS_OF_A_TRACK: u64 = 100;

/// The parameters of the generator.
pub(super) struct Generator {
    pub(super) model: ReadModel,
    pub(super) playbacks: u64,
    pub(super) seed: u64,
    /// The environment of the projector that rolls the playbacks up.
    pub(super) environment: HashMap<String, String>,
    /// The current time, at which the last playback starts, in ms since 1970.
    pub(super) now_ms: i64,
}

impl Generator {
    /// Generates events, writes their progress, rolls playbacks up, and waits for merges.
    ///
    /// # Errors
    /// A statement that ClickHouse refuses.
    pub(super) async fn run(&self) -> Result<Vec<Phase>> {
        Ok(vec![
            self.timed("events and their states", self.events()).await?,
            self.timed("roll-up of playbacks", self.roll_up()).await?,
            self.timed("merging", self.merge()).await?,
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
        // One more slice stores the repeated events of the last one.
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
        let first = (number(again_from_ms - MAX_PLAYBACK_MS) - 1).max(0);
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
        (self.playbacks * 10 / SLICE_EVENTS).max(MIN_SLICES)
    }

    async fn next_offset(&self) -> Result<u64> {
        let generation = self.model.generation();
        self.model
            .number(&format!("SELECT max(offset) + 1 FROM {generation}.events"))
            .await
    }

    /// Runs `projector rollup`, as an operator does after filling a read model without a projector.
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

    /// Merges each settled day into one part, which the table's settings do after 15 minutes, and waits for all other merges.
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
        self.model.wait_for_merges().await
    }
}
