//! Keeps `playbacks`, one row of plain values a playback, up to date with the states that it is made of. Whenever events were
//! stored, the rows of the playbacks that they touched are made again as a whole: nothing is ever added to a row, so repetitions,
//! late events and two projectors at once do no harm (I3). It works beside the pipeline and never holds it up.

mod command;
mod lag;
mod statement;
mod worker;

pub use self::command::{Options, run};
pub(crate) use self::worker::Keeper;
use std::{collections::BTreeMap, time::Instant};

use clickhouse::{Client, Row, error::Error};
use ess_service::clickhouse::is_missing;
use serde::{Deserialize, Serialize};

use self::{
    lag::{Held, Lag},
    statement::Which,
};
use crate::metrics;

/// From so many events on it is cheaper to read all playbacks in order than to look for those that were touched.
const ALL_FROM: u64 = 2_000_000;

/// The rows of one generation.
#[derive(Clone)]
pub(crate) struct Rollup {
    client: Client,
}

/// What one step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Every row was as new as the events.
    UpToDate,
    /// Only rows lack events that were not chosen.
    OfOthers,
    /// Rows were made again for so many positions of the log.
    Made(u64),
    /// The generation was made by a version that knew no such rows.
    Absent,
}

#[derive(Row, Serialize, Deserialize)]
struct ProgressRow {
    partition: u16,
    next_offset: u64,
    last_ingest_time: i64,
}

impl Rollup {
    /// `client` is of the generation's database.
    pub(crate) fn new(client: Client) -> Self {
        let client = client.with_setting("async_insert", "0");
        Self { client }
    }

    /// Makes every row again that lacks stored events, until none does.
    ///
    /// # Errors
    /// A server that cannot be reached, or refuses.
    pub(crate) async fn catch_up(&self) -> Result<Step, Error> {
        let mut made = 0;
        loop {
            match self.step(|_| true).await? {
                Step::Made(events) => made += events,
                Step::UpToDate if made > 0 => return Ok(Step::Made(made)),
                ended => return Ok(ended),
            }
        }
    }

    /// Makes every row again, whether it lacks anything or not.
    ///
    /// # Errors
    /// As [`Rollup::catch_up`].
    pub(crate) async fn all(&self) -> Result<Step, Error> {
        let Some(lag) = self.lag().await? else {
            return Ok(Step::Absent);
        };
        self.make(&Which::All, &lag).await?;
        Ok(Step::Made(lag.behind().iter().map(Lag::events).sum()))
    }

    /// Makes the rows again that lack events of the partitions chosen, as far as these are stored now.
    ///
    /// # Errors
    /// As [`Rollup::catch_up`].
    pub(crate) async fn step(&self, chosen: impl FnMut(&Lag) -> bool) -> Result<Step, Error> {
        let Some(held) = self.lag().await? else {
            return Ok(Step::Absent);
        };
        let behind = held.behind();
        metrics::roll_up_lag(behind.iter().map(Lag::events).sum());
        if behind.is_empty() {
            return Ok(Step::UpToDate);
        }
        let lagging: Vec<Lag> = behind.into_iter().filter(chosen).collect();
        let events: u64 = lagging.iter().map(Lag::events).sum();
        if lagging.is_empty() {
            return Ok(Step::OfOthers);
        }
        if events >= ALL_FROM {
            self.make(&Which::All, &held).await?;
        } else {
            self.make(&Which::Touched(&lagging), &held.only(&lagging))
                .await?;
        }
        Ok(Step::Made(events))
    }

    /// Makes rows of what is stored at least up to `held`, then says that they hold it.
    async fn make(&self, which: &Which<'_>, held: &Held) -> Result<(), Error> {
        let begun = Instant::now();
        let remake = statement::remake(which, held.version());
        self.client.query_raw(&remake).execute().await?;
        self.record(held).await?;
        metrics::rolled_up(begun.elapsed());
        Ok(())
    }

    async fn record(&self, held: &Held) -> Result<(), Error> {
        let mut insert = self
            .client
            .insert::<ProgressRow>("playbacks_progress")
            .await?;
        for (partition, stored) in &held.stored {
            let row = ProgressRow {
                partition: *partition,
                next_offset: stored.next_offset,
                last_ingest_time: stored.last_ingest_time,
            };
            insert.write(&row).await?;
        }
        insert.end().await
    }

    /// How far the events and the rows are; none when there are no such rows. The rows are looked at first: what is stored
    /// meanwhile makes the lag too long, never too short.
    async fn lag(&self) -> Result<Option<Held>, Error> {
        let rows = match self.progress("playbacks_progress").await {
            Err(error) if is_missing(&error) => return Ok(None),
            rows => rows?,
        };
        let made = rows.into_iter().map(|row| (row.partition, row.next_offset));
        let made: BTreeMap<_, _> = made.collect();
        let stored = self.progress("projection_progress").await?;
        Ok(Some(Held::new(stored, made)))
    }

    async fn progress(&self, table: &str) -> Result<Vec<ProgressRow>, Error> {
        let query = format!(
            "SELECT p.partition AS partition, max(p.next_offset) AS next_offset, \
             max(p.last_ingest_time) AS last_ingest_time FROM {table} AS p GROUP BY p.partition"
        );
        self.client.query_raw(&query).fetch_all().await
    }

    /// Drops what is known of touched playbacks from days before yesterday. Call it only when nothing lags.
    ///
    /// # Errors
    /// As [`Rollup::catch_up`].
    pub(crate) async fn forget_touched(&self) -> Result<(), Error> {
        let old = self.client.query_raw(statement::OLD_TOUCHED);
        for day in old.fetch_all::<String>().await? {
            let drop = format!("ALTER TABLE playbacks_touched DROP PARTITION '{day}'");
            self.client.query_raw(&drop).execute().await?;
        }
        Ok(())
    }
}
