//! After the last response: waits until the read model contains every acknowledged fact, reads how long each took from ingest to
//! store, and has the proof made. Never sends a fact.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use ess_schema::TestId;
use tokio::time::{Instant, sleep};

use crate::facts::ledger::Ledger;
use crate::facts::source::FactSource;
use crate::proof::{Check, Checker};
use crate::read_model::{ReadModel, ReadModelError, TimeRange};
use crate::report::Lag;
use crate::watch::live::LiveView;

const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Clocks of two machines differ, and a simulated fact may be an hour old.
const MARGIN_MS: i64 = 2 * 3_600_000;
/// Facts or playbacks between two messages about the proof.
const CHECKED_PER_MESSAGE: u64 = 100_000;

/// What was read from the read model.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) lag: Option<Lag>,
    pub(crate) drain_ms: Option<f64>,
    pub(crate) check: Option<Check>,
    /// Why the rest is missing or incomplete.
    pub(crate) unread: Option<String>,
}

impl Settled {
    /// Nothing, because a signal ended the wait.
    pub(crate) fn interrupted() -> Self {
        Self {
            unread: Some("a signal ended the run before it was read completely".to_owned()),
            ..Self::default()
        }
    }
}

/// A run whose facts are sent, and the read model that is to contain them.
pub(crate) struct Settling<'a> {
    pub(crate) read_model: &'a ReadModel,
    pub(crate) test_id: &'a TestId,
    pub(crate) source: &'a FactSource,
    pub(crate) ledger: &'a Ledger,
    /// The highest acknowledged offset, by partition.
    pub(crate) last_offsets: &'a BTreeMap<u16, u64>,
    /// When the last response came, ms since the epoch.
    pub(crate) last_response_ms: i64,
    pub(crate) timeout: Duration,
    pub(crate) check: bool,
    pub(crate) live: &'a LiveView,
}

impl Settling<'_> {
    /// Waits, reads and checks. An error ends it, and is part of the result.
    pub(crate) async fn run(&self) -> Settled {
        let mut settled = Settled::default();
        if let Err(reason) = self.fill(&mut settled).await {
            settled.unread = Some(reason);
        }
        settled
    }

    async fn fill(&self, settled: &mut Settled) -> Result<(), String> {
        self.live
            .message("waiting until the read model contains every fact (Ctrl-C skips this)");
        let stored = self.wait().await;
        let text = |error: ReadModelError| error.to_string();
        let database = self.read_model.database().await.map_err(text)?;
        let began = self.source.began.as_millis();
        let lags = self
            .read_model
            .lags(&database, self.test_id, self.range(), began);
        let (all, each) = lags.await.map_err(text)?;
        if all.events > 0 {
            let by_second = each
                .iter()
                .map(|s| (s.second, s.quantiles[0], s.quantiles[2]));
            settled.lag = Some(Lag {
                count: all.events,
                p50: all.quantiles[0],
                p95: all.quantiles[1],
                p99: all.quantiles[2],
                max: all.max as f64,
                by_second: by_second.collect(),
            });
        }
        let is_drained = stored.is_ok() && all.events > 0;
        settled.drain_ms =
            is_drained.then_some((all.last_stored - self.last_response_ms).max(0) as f64);
        if self.check {
            let checker = Checker {
                read_model: self.read_model,
                database: &database,
                test_id: self.test_id,
                source: self.source,
                range: self.range(),
            };
            let progress = throttled(
                |Check {
                     facts, playbacks, ..
                 }| {
                    let text = format!("checked {facts} facts, {playbacks} playbacks");
                    self.live.message(&text);
                },
            );
            let check = checker.run(self.ledger, progress).await;
            settled.check = Some(check.map_err(text)?);
        }
        stored
    }

    /// Waits until every acknowledged offset is folded.
    async fn wait(&self) -> Result<(), String> {
        let deadline = Instant::now() + self.timeout;
        loop {
            let lag = match self.lagging_partitions().await {
                Ok(0) => return Ok(()),
                Ok(count) => format!("{count} partitions lack acknowledged facts"),
                Err(error) => error.to_string(),
            };
            if Instant::now() > deadline {
                let seconds = self.timeout.as_secs();
                return Err(format!("{lag} {seconds} s after the last response"));
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    async fn lagging_partitions(&self) -> Result<usize, ReadModelError> {
        let database = self.read_model.database().await?;
        let progress = self.read_model.progress(&database).await?;
        let lags = |(partition, last): &(&u16, &u64)| {
            progress.get(*partition).is_none_or(|next| next <= *last)
        };
        Ok(self.last_offsets.iter().filter(lags).count())
    }

    fn range(&self) -> TimeRange {
        TimeRange {
            from: self.source.began.as_millis() - MARGIN_MS,
            to: self.last_response_ms + MARGIN_MS,
        }
    }
}

/// Calls `show` once for each [`CHECKED_PER_MESSAGE`].
fn throttled(show: impl Fn(&Check)) -> impl Fn(&Check) {
    let shown = Cell::new(0);
    move |check| {
        let steps = (check.facts + check.playbacks) / CHECKED_PER_MESSAGE;
        if steps > shown.get() {
            shown.set(steps);
            show(check);
        }
    }
}
