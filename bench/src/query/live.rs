//! The background load during the measurements: events with the current time, appended to Kafka at a steady rate, which the real
//! projector folds into the generation under test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use clickhouse::Row;
use ess_schema::{Event, TestId, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::clock::now;
use crate::error::{Error, Result};
use crate::read_model::ReadModel;
use crate::topic::Writer;
use crate::waiting::until;
use crate::workload::facts;

/// Interval between batches of events.
const BATCH_INTERVAL: Duration = Duration::from_millis(10);
/// More than a run can use: two days at 10,000 per second.
const MAX_FACTS: u64 = 2_000_000_000;
const MARK: &str = "live";
const STEADY_TIMEOUT: Duration = Duration::from_mins(2);
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Number of stored events after which the load counts as folded.
const FIRST_STORED: u64 = 1_000;

/// A running background load.
pub(super) struct Live {
    appended: Arc<AtomicU64>,
    begun: Instant,
    begun_at: Timestamp,
    task: JoinHandle<Result<()>>,
}

/// The result of the background load.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Folded {
    /// Events appended per second.
    pub(super) appended_per_second: f64,
    /// Events stored per second.
    pub(super) stored_per_second: f64,
    /// Ages of the events when stored.
    pub(super) ages: LiveAges,
}

/// Time from ingest to store, ms.
#[derive(Debug, Clone, Copy, Row, Serialize, Deserialize)]
pub(super) struct LiveAges {
    stored: u64,
    pub(super) p50: i64,
    pub(super) p99: i64,
    pub(super) max: i64,
}

impl Live {
    /// Starts appending `rate` events per second.
    ///
    /// # Errors
    /// A clock outside the years that ESS stores.
    pub(super) fn start(writer: Writer, seed: u64, rate: u64) -> Result<Self> {
        let appended = Arc::<AtomicU64>::default();
        let facts = facts(seed, MAX_FACTS)?;
        let (begun, begun_at) = (Instant::now(), now()?);
        let task = tokio::spawn(append(writer, facts, rate, begun, Arc::clone(&appended)));
        Ok(Self {
            appended,
            begun,
            begun_at,
            task,
        })
    }

    /// Waits until the projector stores events and `playbacks` contains some.
    ///
    /// # Errors
    /// A timeout, or appending has failed.
    pub(super) async fn wait_until_folded(&self, model: &ReadModel) -> Result<()> {
        let what = "the projector stores the live events";
        until(what, STEADY_TIMEOUT, POLL_INTERVAL, async || {
            self.require_appending()?;
            let stored = self.ages(model).await?.stored;
            let rolled_up = model.number(&self.rolled_up(model)).await?;
            Ok((stored >= FIRST_STORED && rolled_up > 0).then_some(()))
        })
        .await
    }

    /// The query for the number of partitions whose live events are in `playbacks`.
    fn rolled_up(&self, model: &ReadModel) -> String {
        format!(
            "SELECT count() FROM {}.playbacks_progress WHERE last_ingest_time >= fromUnixTimestamp64Milli({})",
            model.generation(),
            self.begun_at.as_millis()
        )
    }

    /// # Errors
    /// Appending has failed.
    pub(super) fn require_appending(&self) -> Result<()> {
        if self.task.is_finished() {
            return Err(Error::message("appending live events has failed"));
        }
        Ok(())
    }

    /// Stops the load and returns its result.
    ///
    /// # Errors
    /// ClickHouse does not answer.
    pub(super) async fn stop(self, model: &ReadModel) -> Result<Folded> {
        self.require_appending()?;
        let seconds = self.begun.elapsed().as_secs_f64();
        let appended = self.appended.load(Relaxed);
        let ages = self.ages(model).await?;
        self.task.abort();
        Ok(Folded {
            appended_per_second: appended as f64 / seconds,
            stored_per_second: ages.stored as f64 / seconds,
            ages,
        })
    }

    async fn ages(&self, model: &ReadModel) -> Result<LiveAges> {
        let sql = format!(
            "SELECT count() AS stored, quantileExact(0.5)(age) AS p50, quantileExact(0.99)(age) AS p99, max(age) AS max \
             FROM (SELECT toUnixTimestamp64Milli(store_time) - toUnixTimestamp64Milli(ingest_time) AS age FROM {}.events \
             WHERE occurred_at >= fromUnixTimestamp64Milli({}) AND test_id = '{MARK}')",
            model.generation(),
            self.begun_at.as_millis()
        );
        model.row(&sql).await
    }
}

async fn append(
    writer: Writer,
    facts: impl Iterator<Item = Event> + Send,
    rate: u64,
    begun: Instant,
    appended: Arc<AtomicU64>,
) -> Result<()> {
    let mark = TestId::new(MARK).map_err(|e| Error::message(e.to_string()))?;
    let mut ticks = interval(BATCH_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut facts = facts;
    loop {
        ticks.tick().await;
        let due = (begun.elapsed().as_secs_f64() * rate as f64) as u64;
        let missing = due.saturating_sub(appended.load(Relaxed));
        let now = now()?;
        for fact in facts.by_ref().take(missing as usize) {
            writer.append(&Event {
                occurred_at: now,
                ingest_time: now,
                test_id: Some(mark.clone()),
                ..fact
            })?;
            appended.fetch_add(1, Relaxed);
        }
    }
}
