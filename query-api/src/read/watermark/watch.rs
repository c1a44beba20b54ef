//! What was seen last of both layers of the active generation, and how those who need a position wait for it. However many wait,
//! one task looks; they only ring its bell.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ess_schema::Position;
use ess_service::problem::{Problem, ProblemKind};
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

use super::View;

/// What was seen last, if anything was.
pub(super) type Seen = Option<Sight>;

/// What answers are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// The events, and the states of each playback.
    Events,
    /// The rows of playbacks, which are made of the states a moment later.
    Playbacks,
}

/// Both layers of the active generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sight {
    pub(super) events: Arc<View>,
    /// None: it was made by a version that knew no such rows.
    pub(super) playbacks: Option<Arc<View>>,
}

impl Sight {
    fn of(&self, layer: Layer) -> Option<&Arc<View>> {
        match layer {
            Layer::Events => Some(&self.events),
            Layer::Playbacks => self.playbacks.as_ref(),
        }
    }

    fn holds(&self, layer: Layer, positions: &[Position]) -> bool {
        self.of(layer).is_some_and(|view| view.holds(positions))
    }
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
pub(super) struct Demand {
    pub(super) waiting: AtomicUsize,
    pub(super) bell: Notify,
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

impl Watch {
    /// A handle to what `seen` is sent, whose waiting `demand` counts.
    pub(super) fn new(
        seen: watch::Receiver<Seen>,
        demand: Arc<Demand>,
        max_wait: Duration,
    ) -> Self {
        Self {
            seen,
            demand,
            max_wait,
        }
    }

    /// How far the events were seen last, once they hold `positions`; without positions at once.
    ///
    /// # Errors
    /// 503 when there is no generation to ask, or it does not hold them in time.
    pub(crate) async fn reached(&self, positions: &[Position]) -> Result<Arc<View>, Problem> {
        self.reached_in(Layer::Events, positions).await
    }

    /// As [`Watch::reached`], of one layer.
    ///
    /// # Errors
    /// As [`Watch::reached`], and 503 when the generation does not have the layer.
    pub(crate) async fn reached_in(
        &self,
        layer: Layer,
        positions: &[Position],
    ) -> Result<Arc<View>, Problem> {
        let last = self.seen.borrow().clone().ok_or_else(nothing_to_ask)?;
        let view = last.of(layer).ok_or_else(|| no_rows(&last.events))?;
        if view.holds(positions) {
            return Ok(Arc::clone(view));
        }
        self.wait_for(layer, positions).await
    }

    /// Waits until another generation is active than the one seen last. False: nobody looks any more.
    pub(crate) async fn next_generation(&mut self) -> bool {
        let generation = |seen: &Seen| seen.as_ref().map(|sight| sight.events.generation);
        let last = generation(&self.seen.borrow_and_update());
        self.seen
            .wait_for(|seen| generation(seen) != last)
            .await
            .is_ok()
    }

    async fn wait_for(&self, layer: Layer, positions: &[Position]) -> Result<Arc<View>, Problem> {
        let _waiting = Waiting::new(&self.demand);
        let mut seen = self.seen.clone();
        let holds = |seen: &Seen| {
            seen.as_ref()
                .is_some_and(|sight| sight.holds(layer, positions))
        };
        match timeout(self.max_wait, seen.wait_for(holds)).await {
            Ok(Ok(seen)) => {
                let view = seen.as_ref().and_then(|sight| sight.of(layer));
                view.cloned().ok_or_else(nothing_to_ask)
            }
            Ok(Err(_)) | Err(_) => Err(self.not_yet(layer, positions)),
        }
    }

    fn not_yet(&self, layer: Layer, positions: &[Position]) -> Problem {
        let seen = self.seen.borrow();
        let view = seen.as_ref().and_then(|sight| sight.of(layer));
        let next = |partition| view.map_or(0, |view| view.next_offset(partition));
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

fn no_rows(view: &View) -> Problem {
    let generation = view.generation;
    let detail = format!(
        "generation {generation} of the read model was made by a version that knew no such questions; `projector replay` builds one that answers them"
    );
    Problem::new(ProblemKind::ReadModelUnavailable, detail).with_retry_after(60)
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

    fn sight(events: View, playbacks: Option<View>) -> Sight {
        Sight {
            events: Arc::new(events),
            playbacks: playbacks.map(Arc::new),
        }
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
        sender.send_replace(Some(sight(view(1, &[(7, 3)]), None)));
        let waiting = tokio::spawn({
            let watch = watch.clone();
            async move { watch.reached(&position("7:3")).await }
        });
        watch.demand.bell.notified().await;
        assert_eq!(watch.demand.waiting.load(Ordering::Relaxed), 1);
        sender.send_replace(Some(sight(view(1, &[(7, 4)]), None)));
        assert_eq!(waiting.await.unwrap().unwrap().next_offset(7), 4);
        assert_eq!(watch.demand.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_position_that_does_not_come_is_named() {
        let (sender, watch) = watch(Duration::from_millis(1));
        sender.send_replace(Some(sight(view(1, &[(7, 3)]), None)));
        let problem = watch.reached(&position("7:9")).await.unwrap_err();
        assert_eq!((problem.status, problem.retry_after), (503, Some(1)));
        assert!(
            problem.detail.starts_with(
                "7:9 was not projected within 1 ms; partition 7 is projected up to offset 3"
            ),
            "{problem}"
        );
    }

    #[tokio::test]
    async fn rows_of_playbacks_are_waited_for_by_themselves() {
        let (sender, watch) = watch(Duration::from_millis(1));
        let rows = |next| Some(view(1, &[(7, next)]));
        sender.send_replace(Some(sight(view(1, &[(7, 5)]), rows(3))));
        let reached = |layer, text| {
            let watch = watch.clone();
            async move { watch.reached_in(layer, &position(text)).await }
        };
        assert!(reached(Layer::Events, "7:4").await.is_ok());
        assert_eq!(
            reached(Layer::Playbacks, "7:2")
                .await
                .unwrap()
                .next_offset(7),
            3
        );
        let problem = reached(Layer::Playbacks, "7:4").await.unwrap_err();
        assert!(problem.detail.contains("up to offset 3"), "{problem}");
    }

    #[tokio::test]
    async fn a_generation_without_rows_of_playbacks_says_what_to_do() {
        let (sender, watch) = watch(Duration::from_secs(30));
        sender.send_replace(Some(sight(view(1, &[]), None)));
        let problem = watch.reached_in(Layer::Playbacks, &[]).await.unwrap_err();
        assert_eq!(problem.status, 503);
        assert!(problem.detail.contains("projector replay"), "{problem}");
    }
}
