//! The phases of `bench freshness`: each appends facts stamped with the moment they are appended, waits until all are
//! projected, and asks ClickHouse how old they were when it stored them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ess_schema::{Event, PlaybackId, TestId, Timestamp};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::ages::Ages;
use crate::error::{Error, Result};
use crate::read_model::ReadModel;
use crate::topic::Writer;
use crate::waiting::until;
use crate::workload::facts;

/// Between two facts of the idle log, ms.
const GAPS_MS: std::ops::RangeInclusive<u64> = 50..=400;
/// How often it is asked whether a fact is readable.
const LOOK_EVERY: Duration = Duration::from_millis(2);
const PROJECTED_WITHIN: Duration = Duration::from_mins(2);
/// Hot facts are appended in bunches this far apart.
const BUNCH_EVERY: Duration = Duration::from_millis(10);

/// A steady stream of facts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) seconds: u64,
    /// Facts a second.
    pub(super) rate: u64,
}

/// What all phases share.
pub(super) struct Phases {
    writer: Writer,
    model: ReadModel,
    seed: u64,
    appended: u64,
}

impl Phases {
    /// Appends one fact and waits for it, so that everything has been started and reached once.
    ///
    /// # Errors
    /// A projector that does not project.
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

    /// One fact at a time at random moments: ages when stored, and when the projection says that they are readable.
    ///
    /// # Errors
    /// A fact that is not projected.
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

    /// Facts of many playbacks at a steady pace.
    ///
    /// # Errors
    /// Facts that are not projected.
    pub(super) async fn alone(&mut self, load: Load) -> Result<Ages> {
        self.steadily("alone", load, Vec::new()).await
    }

    /// The same, while one more playback gets `hot` facts over the same time.
    ///
    /// # Errors
    /// Facts that are not projected.
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
        let bunches = (whole.as_millis() / BUNCH_EVERY.as_millis()) as usize;
        let bunch = hot.len().div_ceil(bunches).max(1);
        let mut hot = hot.into_iter();
        let mut bunches = ticks(BUNCH_EVERY);
        let mut paces = ticks(Duration::from_secs(1) / load.rate as u32);
        for fact in steady {
            loop {
                tokio::select! {
                    _ = paces.tick() => break,
                    _ = bunches.tick() => {
                        for fact in hot.by_ref().take(bunch) {
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

    /// Facts of this phase, all different from those of another.
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

    /// Appends a fact as happening now; returns its ingest time.
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
        until(what, PROJECTED_WITHIN, LOOK_EVERY, async || {
            // The tables are made by the projector itself.
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

fn now() -> Result<Timestamp> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.map_or(-1, |since| since.as_millis() as i64);
    Timestamp::from_millis(millis).map_err(|e| Error::message(e.to_string()))
}
