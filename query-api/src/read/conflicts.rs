//! How many identities bear messages that differ: counted again and again, so seldom that it costs the read model next to
//! nothing, and told from the last count. Nobody who asks ever waits for a count.

use std::{
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use ess_schema::Timestamp;
use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    read::{
        read_model::{ReadModel, SelectError},
        watermark::Watch,
    },
    sql::InvalidRow,
};

const CONFLICTS: &str = "ess_query_conflicting_identities";
/// Least time between two counts.
const PAUSE: Duration = Duration::from_secs(5);
/// The pause is this many times as long as the count before it: a count takes one thread of ClickHouse, so all of them
/// together take less than a twentieth of one.
const PAUSE_PER_COUNT: u32 = 20;

/// One count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conflicts {
    /// The generation that was counted.
    pub(crate) generation: u32,
    /// Identities whose messages differ.
    pub(crate) identities: u64,
    /// When they were counted: everything stored before is in it.
    pub(crate) counted_at: Timestamp,
}

/// Counts until the process stops.
pub(crate) struct Counter {
    read_model: Arc<ReadModel>,
    watch: Watch,
    last: watch::Sender<Option<Conflicts>>,
}

/// The last count.
#[derive(Debug)]
pub(crate) struct LastCount(watch::Receiver<Option<Conflicts>>);

impl LastCount {
    /// The last count of this generation, none before the first.
    pub(crate) fn of(&self, generation: u32) -> Option<Conflicts> {
        self.0.borrow().filter(|last| last.generation == generation)
    }
}

impl Counter {
    /// A counter of the generation that `watch` sees, and where its last count is told.
    pub(crate) fn new(read_model: Arc<ReadModel>, watch: Watch) -> (Self, LastCount) {
        metrics::describe_gauge!(
            CONFLICTS,
            "identities under which the log holds messages that differ"
        );
        let (last, told) = watch::channel(None);
        let counter = Self {
            read_model,
            watch,
            last,
        };
        (counter, LastCount(told))
    }

    /// Counts again and again until `stopping`.
    ///
    /// # Errors
    /// None: a count that fails is logged and made again later; the one before it stands, with its time.
    pub(crate) async fn run(self, stopping: CancellationToken) -> Result<(), Infallible> {
        stopping.run_until_cancelled(self.count_for_ever()).await;
        Ok(())
    }

    async fn count_for_ever(&self) {
        loop {
            let start = Instant::now();
            if let Ok(view) = self.watch.reached(&[]).await {
                self.told(self.count(view.generation).await);
            }
            sleep(PAUSE.max(start.elapsed() * PAUSE_PER_COUNT)).await;
        }
    }

    async fn count(&self, generation: u32) -> Result<Option<Conflicts>, SelectError> {
        let rows = self.read_model.conflicts(generation).await?;
        let count = rows.first().map(|row| {
            Ok(Conflicts {
                generation,
                identities: row.identities,
                counted_at: Timestamp::from_millis(row.counted_at)?,
            })
        });
        Ok(count.transpose().map_err(InvalidRow::Time)?)
    }

    fn told(&self, count: Result<Option<Conflicts>, SelectError>) {
        match count {
            Ok(Some(count)) => {
                metrics::gauge!(CONFLICTS).set(count.identities as f64);
                self.last.send_replace(Some(count));
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(
                "conflicting identities were not counted, the last count stands: {error}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_told_of_its_own_generation_only() {
        let counted = Conflicts {
            generation: 2,
            identities: 3,
            counted_at: Timestamp::EPOCH,
        };
        let last = LastCount(watch::channel(Some(counted)).1);
        assert_eq!((last.of(1), last.of(2)), (None, Some(counted)));
    }
}
