//! The phases of `bench freshness`. Each appends events with the current time, waits until all are projected, and queries
//! their ages.

use std::time::Duration;

use ess_schema::{Event, PlaybackId, TestId, Timestamp};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::ages::Ages;
use crate::clock::now;
use crate::error::{Error, Result};
use crate::read_model::ReadModel;
use crate::topic::Writer;
use crate::waiting::until;
use crate::workload::facts;

/// Gap between two events on the idle topic, ms.
const GAPS_MS: std::ops::RangeInclusive<u64> = 50..=400;
/// Interval of checking whether an event is readable.
const POLL_INTERVAL: Duration = Duration::from_millis(2);
const PROJECT_TIMEOUT: Duration = Duration::from_mins(2);
/// Interval between batches of hot events.
const BATCH_INTERVAL: Duration = Duration::from_millis(10);

/// A steady load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) seconds: u64,
    /// Events per second.
    pub(super) rate: u64,
}

/// The state that all phases share.
pub(super) struct Phases {
    writer: Writer,
    model: ReadModel,
    seed: u64,
    appended: u64,
}

impl Phases {
    /// Appends one event and waits for it, as a warm-up.
    ///
    /// # Errors
    /// A projector that stores nothing.
    pub(super) async fn begin(writer: Writer, model: ReadModel, seed: u64) -> Result<Self> {
        let mut phases = Self {
            writer,
            model,
            seed,
            appended: 0,
        };
        for fact in phases.facts("warm-up", 1)? {
            phases.append(fact)?;
        }
        phases.wait_until_projected().await?;
        Ok(phases)
    }

    /// Appends one event at a time at random intervals. Returns ages when stored, and when the progress says that they are readable.
    ///
    /// # Errors
    /// An event that is not projected in time.
    pub(super) async fn idle(&mut self, count: u64) -> Result<(Ages, Ages)> {
        let mut chance = ChaCha12Rng::seed_from_u64(self.seed);
        let mut readable = Vec::new();
        for fact in self.facts("idle", count)? {
            sleep(Duration::from_millis(chance.random_range(GAPS_MS))).await;
            let ingested = self.append(fact)?;
            self.wait_until_projected().await?;
            readable.push(now()?.millis_since(ingested));
        }
        Ok((self.ages("idle").await?, Ages::of(readable)))
    }

    /// Appends events of many playbacks at a steady rate.
    ///
    /// # Errors
    /// Events that are not projected in time.
    pub(super) async fn alone(&mut self, load: Load) -> Result<Ages> {
        self.steadily("alone", load, Vec::new()).await
    }

    /// The same, while one more playback gets `hot` events in the same time.
    ///
    /// # Errors
    /// Events that are not projected in time.
    pub(super) async fn beside(&mut self, load: Load, hot: u64) -> Result<Ages> {
        let playback = PlaybackId::new("hot").map_err(|e| Error::message(e.to_string()))?;
        let of_one = |fact: Event| Event {
            playback_id: Some(playback.clone()),
            ..fact
        };
        let hot = self.facts("hot", hot)?.into_iter().map(of_one).collect();
        self.steadily("beside", load, hot).await
    }

    async fn steadily(&mut self, name: &str, load: Load, hot: Vec<Event>) -> Result<Ages> {
        let steady = self.facts(name, load.seconds * load.rate)?;
        let whole = Duration::from_secs(load.seconds);
        let batch_count = (whole.as_millis() / BATCH_INTERVAL.as_millis()) as usize;
        let batch = hot.len().div_ceil(batch_count).max(1);
        let mut hot = hot.into_iter();
        let mut batches = ticks(BATCH_INTERVAL);
        let mut paces = ticks(Duration::from_secs(1) / load.rate as u32);
        for fact in steady {
            loop {
                tokio::select! {
                    _ = paces.tick() => break,
                    _ = batches.tick() => {
                        for fact in hot.by_ref().take(batch) {
                            self.append(fact)?;
                        }
                    }
                }
            }
            self.append(fact)?;
        }
        self.wait_until_projected().await?;
        self.ages(name).await
    }

    /// The events of this phase, different from those of other phases.
    fn facts(&self, phase: &str, count: u64) -> Result<Vec<Event>> {
        let test_id = TestId::new(phase).map_err(|e| Error::message(e.to_string()))?;
        let seed = phase.bytes().fold(self.seed, |seed, byte| {
            seed.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        let marked = facts(seed, count)?.map(|fact| Event {
            test_id: Some(test_id.clone()),
            ..fact
        });
        Ok(marked.collect())
    }

    /// Appends an event with the current time. Returns its ingest time.
    fn append(&mut self, fact: Event) -> Result<Timestamp> {
        let now = now()?;
        self.writer.append(&Event {
            occurred_at: now,
            ingest_time: now,
            ..fact
        })?;
        self.appended += 1;
        Ok(now)
    }

    async fn wait_until_projected(&self) -> Result<()> {
        let what = "everything appended is projected";
        until(what, PROJECT_TIMEOUT, POLL_INTERVAL, async || {
            // The projector creates the tables, so that they may be missing.
            let progress = self.model.progress().await.unwrap_or_default();
            Ok((progress.values().sum::<u64>() >= self.appended).then_some(()))
        })
        .await
    }

    async fn ages(&self, phase: &str) -> Result<Ages> {
        self.model
            .row(&Ages::query(&self.model.generation(), phase))
            .await
    }
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    ticks
}
