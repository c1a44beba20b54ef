//! Counts the event identities with different messages, so seldom that it costs the read model next to nothing. Callers get the
//! last count and never wait for one.

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
/// The minimum time between two counts.
const MIN_PAUSE: Duration = Duration::from_secs(5);
/// The pause is this many times as long as the count before it. A count takes one thread of ClickHouse, so all counts together
/// take less than a twentieth of one.
const PAUSE_FACTOR: u32 = 20;

/// One count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conflicts {
    /// The generation.
    pub(crate) generation: u32,
    /// The number of identities with different messages.
    pub(crate) identities: u64,
    /// When they were counted. The count includes everything stored before.
    pub(crate) counted_at: Timestamp,
}

/// Counts until the process stops.
pub(crate) struct ConflictCounter {
    read_model: Arc<ReadModel>,
    watch: Watch,
    last: watch::Sender<Option<Conflicts>>,
}

/// The last count.
#[derive(Debug)]
pub(crate) struct LastCount(watch::Receiver<Option<Conflicts>>);

impl LastCount {
    /// The last count of this generation; none before the first.
    pub(crate) fn of(&self, generation: u32) -> Option<Conflicts> {
        self.0.borrow().filter(|last| last.generation == generation)
    }
}

impl ConflictCounter {
    /// A counter of the active generation, and a handle to its last count.
    pub(crate) fn new(read_model: Arc<ReadModel>, watch: Watch) -> (Self, LastCount) {
        metrics::describe_gauge!(
            CONFLICTS,
            "event identities with different messages in the log"
        );
        let (last, receiver) = watch::channel(None);
        let counter = Self {
            read_model,
            watch,
            last,
        };
        (counter, LastCount(receiver))
    }

    /// Counts until `stopping`.
    ///
    /// # Errors
    /// None: a failed count is logged and repeated later; the last count stays, with its time.
    pub(crate) async fn run(self, stopping: CancellationToken) -> Result<(), Infallible> {
        stopping.run_until_cancelled(self.count_forever()).await;
        Ok(())
    }

    async fn count_forever(&self) {
        loop {
            let start = Instant::now();
            if let Ok(view) = self.watch.reached(&[]).await {
                self.report(self.count(view.generation).await);
            }
            sleep(MIN_PAUSE.max(start.elapsed() * PAUSE_FACTOR)).await;
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

    fn report(&self, count: Result<Option<Conflicts>, SelectError>) {
        match count {
            Ok(Some(count)) => {
                metrics::gauge!(CONFLICTS).set(count.identities as f64);
                self.last.send_replace(Some(count));
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(
                "conflicting identities could not be counted, the last count stays: {error}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_of_one_generation() {
        let counted = Conflicts {
            generation: 2,
            identities: 3,
            counted_at: Timestamp::EPOCH,
        };
        let last = LastCount(watch::channel(Some(counted)).1);
        assert_eq!((last.of(1), last.of(2)), (None, Some(counted)));
    }
}
