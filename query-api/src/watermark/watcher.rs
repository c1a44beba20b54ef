//! The task that looks, and the handle of those who want to know. However many wait for a position, one query at a time asks.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use ess_schema::Position;
use ess_service::{
    health::Check,
    problem::{Problem, ProblemKind},
};
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::View;
use crate::read_model::{ReadModel, SelectError};

/// How often the active generation is asked for, and its progress while nobody waits.
const AT_REST: Duration = Duration::from_secs(1);
/// How often progress is asked for while somebody waits.
const AWAITED: Duration = Duration::from_millis(20);

type Seen = Option<Arc<View>>;

/// Looks at the read model until the process stops.
pub(crate) struct Watcher {
    read_model: Arc<ReadModel>,
    check: Check,
    seen: watch::Sender<Seen>,
    demand: Arc<Demand>,
}

/// What the watcher saw last.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    seen: watch::Receiver<Seen>,
    demand: Arc<Demand>,
    max_wait: Duration,
}

/// How many wait, and the bell they ring.
#[derive(Debug, Default)]
struct Demand {
    waiting: AtomicUsize,
    bell: Notify,
}

/// One who waits, counted until dropped.
struct Waiting<'d>(&'d Demand);

impl<'d> Waiting<'d> {
    fn new(demand: &'d Demand) -> Self {
        demand.waiting.fetch_add(1, Ordering::Relaxed);
        demand.bell.notify_one();
        Self(demand)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Watcher {
    /// A watcher and the handle to it; `check` tells whether there is a generation to ask.
    pub(crate) fn new(
        read_model: Arc<ReadModel>,
        check: Check,
        max_wait: Duration,
    ) -> (Self, Watch) {
        let (sender, receiver) = watch::channel(None);
        let demand = Arc::<Demand>::default();
        let watch = Watch {
            seen: receiver,
            demand: Arc::clone(&demand),
            max_wait,
        };
        let watcher = Self {
            read_model,
            check,
            seen: sender,
            demand,
        };
        (watcher, watch)
    }

    /// Looks again and again until `stopping`.
    ///
    /// # Errors
    /// None: a read model that cannot be asked is told by the check, and asked again.
    pub(crate) async fn run(self, stopping: CancellationToken) -> Result<(), Infallible> {
        stopping.run_until_cancelled(self.look_for_ever()).await;
        Ok(())
    }

    async fn look_for_ever(&self) {
        let mut generation = (None, Instant::now());
        loop {
            if generation.0.is_none() || generation.1.elapsed() >= AT_REST {
                generation = (
                    self.told(self.read_model.active_generation().await),
                    Instant::now(),
                );
            }
            if let Some(active) = generation.0 {
                self.look(active).await;
            }
            self.pause().await;
        }
    }

    fn told(&self, active: Result<Option<u32>, SelectError>) -> Option<u32> {
        match active {
            Ok(Some(generation)) => return Some(generation),
            Ok(None) => {
                self.seen.send_replace(None);
                self.check.not_ready(
                    "no generation of the read model is active: has `projector init` run?",
                );
            }
            Err(error) => self.check.not_ready(error.to_string()),
        }
        None
    }

    async fn look(&self, generation: u32) {
        let rows = self.read_model.progress(generation).await;
        let view = rows.and_then(|rows| Ok(View::new(generation, &rows)?));
        match view {
            Ok(view) => {
                self.check.ok();
                self.seen.send_if_modified(|seen| {
                    let changed = seen.as_deref() != Some(&view);
                    if changed {
                        *seen = Some(Arc::new(view));
                    }
                    changed
                });
            }
            Err(error) => self
                .check
                .not_ready(format!("generation {generation}: {error}")),
        }
    }

    async fn pause(&self) {
        if self.demand.waiting.load(Ordering::Relaxed) > 0 {
            sleep(AWAITED).await;
        } else {
            let _ = timeout(AT_REST, self.demand.bell.notified()).await;
        }
    }
}

impl Watch {
    /// What was seen last, once it holds `positions`; without positions at once.
    ///
    /// # Errors
    /// 503 when there is no generation to ask, or it does not hold them in time.
    pub(crate) async fn reached(&self, positions: &[Position]) -> Result<Arc<View>, Problem> {
        let last = self.seen.borrow().clone();
        match last {
            None => Err(nothing_to_ask()),
            Some(view) if view.holds(positions) => Ok(view),
            Some(_) => self.wait_for(positions).await,
        }
    }

    /// Waits until another generation is active than the one seen last. False: nobody looks any more.
    pub(crate) async fn next_generation(&mut self) -> bool {
        let generation = |seen: &Seen| seen.as_ref().map(|view| view.generation);
        let last = generation(&self.seen.borrow_and_update());
        self.seen
            .wait_for(|seen| generation(seen) != last)
            .await
            .is_ok()
    }

    async fn wait_for(&self, positions: &[Position]) -> Result<Arc<View>, Problem> {
        let _waiting = Waiting::new(&self.demand);
        let mut seen = self.seen.clone();
        let holds = |seen: &Seen| seen.as_ref().is_some_and(|view| view.holds(positions));
        match timeout(self.max_wait, seen.wait_for(holds)).await {
            Ok(Ok(view)) => view.clone().ok_or_else(nothing_to_ask),
            Ok(Err(_)) | Err(_) => Err(self.not_yet(positions)),
        }
    }

    fn not_yet(&self, positions: &[Position]) -> Problem {
        let seen = self.seen.borrow();
        let next = |partition| seen.as_ref().map_or(0, |view| view.next_offset(partition));
        let missing = positions
            .iter()
            .find(|position| position.offset >= next(position.partition));
        let detail = missing.map_or_else(
            || "the positions asked for were not projected in time".to_owned(),
            |position| format!(
                "{position} was not projected within {} ms; partition {} is projected up to offset {}, that one not included",
                self.max_wait.as_millis(), position.partition, next(position.partition),
            ),
        );
        Problem::new(ProblemKind::NotYetProjected, detail).with_retry_after(1)
    }
}

fn nothing_to_ask() -> Problem {
    let detail = "no generation of the read model has been seen yet; /health/ready tells why";
    Problem::new(ProblemKind::ReadModelUnavailable, detail).with_retry_after(1)
}

#[cfg(test)]
mod tests {
    use super::{super::view::tests::view, *};

    fn watch(max_wait: Duration) -> (watch::Sender<Seen>, Watch) {
        let (sender, seen) = watch::channel(None);
        let demand = Arc::default();
        (
            sender,
            Watch {
                seen,
                demand,
                max_wait,
            },
        )
    }

    fn position(text: &str) -> [Position; 1] {
        [text.parse().unwrap()]
    }

    #[tokio::test]
    async fn without_a_generation_nothing_is_answered() {
        let (_sender, watch) = watch(Duration::ZERO);
        assert_eq!(watch.reached(&[]).await.unwrap_err().status, 503);
    }

    #[tokio::test]
    async fn a_reader_waits_until_its_write_is_projected() {
        let (sender, watch) = watch(Duration::from_secs(30));
        sender.send_replace(Some(Arc::new(view(1, &[(7, 3)]))));
        let waiting = tokio::spawn({
            let watch = watch.clone();
            async move { watch.reached(&position("7:3")).await }
        });
        watch.demand.bell.notified().await;
        assert_eq!(watch.demand.waiting.load(Ordering::Relaxed), 1);
        sender.send_replace(Some(Arc::new(view(1, &[(7, 4)]))));
        assert_eq!(waiting.await.unwrap().unwrap().next_offset(7), 4);
        assert_eq!(watch.demand.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_position_that_does_not_come_is_named() {
        let (sender, watch) = watch(Duration::from_millis(1));
        sender.send_replace(Some(Arc::new(view(1, &[(7, 3)]))));
        let problem = watch.reached(&position("7:9")).await.unwrap_err();
        assert_eq!((problem.status, problem.retry_after), (503, Some(1)));
        assert!(
            problem.detail.starts_with(
                "7:9 was not projected within 1 ms; partition 7 is projected up to offset 3"
            ),
            "{problem}"
        );
    }
}
