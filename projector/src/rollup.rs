//! Keeps the table `playbacks`, one row per playback, up to date with the aggregate states. After events are stored, the complete
//! rows of the touched playbacks are written again; no row is ever added to, so repeated events, late events and two projectors
//! at once are harmless (I3). It runs beside the pipeline and must never block it.

mod command;
mod lag;
mod statement;
mod worker;

pub use self::command::{RollupOptions, run};
pub(crate) use self::worker::RollupWorker;
use std::time::Instant;

use clickhouse::{Client, error::Error};
use ess_service::clickhouse::is_missing;

use self::{
    lag::{Lag, ProjectedOffsets},
    statement::Selection,
};
use crate::{commit::progress::ProgressRow, metrics};

/// From this many events on, reading all playbacks in order costs less than selecting the touched ones.
const FULL_ROLLUP_EVENTS: u64 = 2_000_000;

/// The table `playbacks` of one generation.
#[derive(Clone)]
pub(crate) struct Rollup {
    client: Client,
}

/// The result of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RollupStep {
    /// The rows include all stored events.
    UpToDate,
    /// Only partitions lag that were not selected.
    NoneSelected,
    /// Rows were written for so many offsets.
    RolledUp(u64),
    /// An older version created the generation, without this table.
    NoTable,
}

impl Rollup {
    /// `client` uses the generation's database.
    pub(crate) fn new(client: Client) -> Self {
        let client = client.with_setting("async_insert", "0");
        Self { client }
    }

    /// Runs steps until the rows include all stored events.
    ///
    /// # Errors
    /// A server that does not respond, or responds with an error.
    pub(crate) async fn catch_up(&self) -> Result<RollupStep, Error> {
        let mut total = 0;
        loop {
            match self.step(|_| true).await? {
                RollupStep::RolledUp(events) => total += events,
                RollupStep::UpToDate if total > 0 => return Ok(RollupStep::RolledUp(total)),
                step => return Ok(step),
            }
        }
    }

    /// Writes all rows again.
    ///
    /// # Errors
    /// As [`Rollup::catch_up`].
    pub(crate) async fn rewrite_all(&self) -> Result<RollupStep, Error> {
        let Some(offsets) = self.offsets().await? else {
            return Ok(RollupStep::NoTable);
        };
        self.write(&Selection::All, &offsets).await?;
        let events = offsets.lagging().iter().map(Lag::events).sum();
        Ok(RollupStep::RolledUp(events))
    }

    /// Writes the rows that lack events of the selected partitions, up to the offsets stored now.
    ///
    /// # Errors
    /// As [`Rollup::catch_up`].
    pub(crate) async fn step(
        &self,
        selected: impl FnMut(&Lag) -> bool,
    ) -> Result<RollupStep, Error> {
        let Some(offsets) = self.offsets().await? else {
            return Ok(RollupStep::NoTable);
        };
        let lagging = offsets.lagging();
        metrics::roll_up_lag(lagging.iter().map(Lag::events).sum());
        if lagging.is_empty() {
            return Ok(RollupStep::UpToDate);
        }
        let lagging: Vec<Lag> = lagging.into_iter().filter(selected).collect();
        let events: u64 = lagging.iter().map(Lag::events).sum();
        if lagging.is_empty() {
            return Ok(RollupStep::NoneSelected);
        }
        if events >= FULL_ROLLUP_EVENTS {
            self.write(&Selection::All, &offsets).await?;
        } else {
            self.write(&Selection::Touched(&lagging), &offsets.only(&lagging))
                .await?;
        }
        Ok(RollupStep::RolledUp(events))
    }

    /// Writes rows, then records that they include all events below `offsets`.
    async fn write(
        &self,
        selection: &Selection<'_>,
        offsets: &ProjectedOffsets,
    ) -> Result<(), Error> {
        let start = Instant::now();
        let insert = statement::insert(selection, offsets.version());
        self.client.query_raw(&insert).execute().await?;
        self.record(offsets).await?;
        metrics::rolled_up(start.elapsed());
        Ok(())
    }

    async fn record(&self, offsets: &ProjectedOffsets) -> Result<(), Error> {
        let table = "playbacks_progress";
        let mut insert = self.client.insert::<ProgressRow>(table).await?;
        for row in &offsets.stored {
            insert.write(row).await?;
        }
        insert.end().await
    }

    /// The offsets of the events and of the rows; none without the table. The rows are read first: events that are stored in
    /// between make the lag too long, never too short.
    async fn offsets(&self) -> Result<Option<ProjectedOffsets>, Error> {
        let rolled_up = match self.progress("playbacks_progress").await {
            Err(error) if is_missing(&error) => return Ok(None),
            rows => rows?,
        };
        let stored = self.progress("projection_progress").await?;
        Ok(Some(ProjectedOffsets::new(stored, &rolled_up)))
    }

    async fn progress(&self, table: &str) -> Result<Vec<ProgressRow>, Error> {
        let query = format!(
            "SELECT p.partition AS partition, max(p.next_offset) AS next_offset, \
             max(p.last_ingest_time) AS last_ingest_time FROM {table} AS p GROUP BY p.partition"
        );
        self.client.query_raw(&query).fetch_all().await
    }

    /// Drops the records of touched playbacks from before yesterday. Call it only when no partition lags.
    ///
    /// # Errors
    /// As [`Rollup::catch_up`].
    pub(crate) async fn drop_old_touched(&self) -> Result<(), Error> {
        let old = self.client.query_raw(statement::OLD_TOUCHED);
        for day in old.fetch_all::<String>().await? {
            let drop = format!("ALTER TABLE playbacks_touched DROP PARTITION '{day}'");
            self.client.query_raw(&drop).execute().await?;
        }
        Ok(())
    }
}
