//! After the last answer: waits until the read model holds everything that was acknowledged, reads how old each fact was then,
//! and has it all checked.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::facts::feed::Origin;
use crate::facts::ledger::Ledger;
use crate::proof::{Check, Checker};
use crate::read_model::{Store, StoreError, Window};
use crate::report::Lag;
use crate::watch::live::Live;

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Clocks of two machines differ, and a simulated fact may lie an hour back.
const MARGIN_MS: i64 = 2 * 3_600_000;

/// What the read model told.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) lag: Option<Lag>,
    pub(crate) drain_ms: Option<f64>,
    pub(crate) check: Option<Check>,
    pub(crate) unread: Option<String>,
}

impl Settled {
    /// Nothing, because a signal said not to wait for it.
    pub(crate) fn given_up() -> Self {
        Self {
            unread: Some("a signal ended the run before it was read whole".to_owned()),
            ..Self::default()
        }
    }
}

/// What is asked about.
pub(crate) struct Settling<'a> {
    pub(crate) store: &'a Store,
    pub(crate) origin: &'a Origin,
    pub(crate) ledger: &'a Ledger,
    /// The highest offset acknowledged, by partition.
    pub(crate) last: &'a BTreeMap<u16, u64>,
    /// When the last answer came, ms after the epoch.
    pub(crate) last_answer_ms: i64,
    pub(crate) within: Duration,
    pub(crate) is_checked: bool,
    pub(crate) live: &'a Live,
}

impl Settling<'_> {
    /// Waits, reads, checks; says why where it could not.
    pub(crate) async fn run(&self) -> Settled {
        let mut settled = Settled::default();
        if let Err(reason) = self.fill(&mut settled).await {
            settled.unread = Some(reason);
        }
        settled
    }

    async fn fill(&self, settled: &mut Settled) -> Result<(), String> {
        self.live
            .say("waiting until the read model holds everything (Ctrl-C ends without it)");
        let stored = self.wait().await;
        let told = |error: StoreError| error.to_string();
        let database = self.store.database().await.map_err(told)?;
        let lags = self.store.lags(
            &database,
            &self.origin.test_id,
            self.window(),
            self.origin.began.as_millis(),
        );
        let (all, each) = lags.await.map_err(told)?;
        if all.events > 0 {
            let by_second = each
                .iter()
                .map(|s| (s.second, s.quantiles[0], s.quantiles[2]));
            settled.lag = Some(Lag {
                count: all.events,
                p50: all.quantiles[0],
                p95: all.quantiles[1],
                p99: all.quantiles[2],
                max: all.longest as f64,
                by_second: by_second.collect(),
            });
        }
        let is_drained = stored.is_ok() && all.events > 0;
        settled.drain_ms =
            is_drained.then_some((all.last_stored - self.last_answer_ms).max(0) as f64);
        if self.is_checked {
            let checker = Checker::new(self.store, &database, self.origin, self.window());
            let progress = every(100_000, |check| {
                let Check {
                    facts, playbacks, ..
                } = check;
                self.live
                    .say(&format!("checked {facts} facts, {playbacks} playbacks"));
            });
            settled.check = Some(checker.run(self.ledger, progress).await.map_err(told)?);
        }
        stored
    }

    /// Until every acknowledged offset is folded.
    async fn wait(&self) -> Result<(), String> {
        let deadline = Instant::now() + self.within;
        loop {
            let behind = match self.behind().await {
                Ok(0) => return Ok(()),
                Ok(behind) => format!("{behind} partitions lack acknowledged facts"),
                Err(error) => error.to_string(),
            };
            if Instant::now() > deadline {
                let seconds = self.within.as_secs();
                return Err(format!("{behind} {seconds} s after the last answer"));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn behind(&self) -> Result<usize, StoreError> {
        let database = self.store.database().await?;
        let progress = self.store.progress(&database).await?;
        let lacks = |(partition, last): &(&u16, &u64)| {
            progress.get(*partition).is_none_or(|next| next <= *last)
        };
        Ok(self.last.iter().filter(lacks).count())
    }

    fn window(&self) -> Window {
        Window {
            from: self.origin.began.as_millis() - MARGIN_MS,
            to: self.last_answer_ms + MARGIN_MS,
        }
    }
}

/// Passes on what was found once for so many facts or playbacks.
fn every(step: u64, tell: impl Fn(&Check)) -> impl Fn(&Check) {
    let told = std::cell::Cell::new(0);
    move |found| {
        let steps = (found.facts + found.playbacks) / step;
        if steps > told.get() {
            told.set(steps);
            tell(found);
        }
    }
}
