//! The last observation of both layers of the active generation, and how callers wait for a position. They never query the read
//! model themselves: they notify the watcher.

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

/// The last observation, if there is one.
pub(super) type LastObservation = Option<Observation>;

/// A layer of the read model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// The events, and the states of each playback.
    Events,
    /// The rows of playbacks, which are rolled up from the states a moment later.
    Playbacks,
}

/// One observation of the active generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Observation {
    pub(super) events: Arc<View>,
    /// None: the generation was built by a version without these rows.
    pub(super) playbacks: Option<Arc<View>>,
}

impl Observation {
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

/// A handle to the last observation.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    last_observation: watch::Receiver<LastObservation>,
    demand: Arc<Demand>,
    max_wait: Duration,
}

/// How many callers wait, and how they notify the watcher.
#[derive(Debug, Default)]
pub(super) struct Demand {
    pub(super) waiting: AtomicUsize,
    pub(super) notify: Notify,
}

/// A waiting caller, counted until dropped.
struct WaitingCaller<'d>(&'d Demand);

impl<'d> WaitingCaller<'d> {
    fn new(demand: &'d Demand) -> Self {
        demand.waiting.fetch_add(1, Ordering::Relaxed);
        demand.notify.notify_one();
        Self(demand)
    }
}

impl Drop for WaitingCaller<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Watch {
    /// A handle to the observations of `last`; `demand` counts its waiting callers.
    pub(super) fn new(
        last_observation: watch::Receiver<LastObservation>,
        demand: Arc<Demand>,
        max_wait: Duration,
    ) -> Self {
        Self {
            last_observation,
            demand,
            max_wait,
        }
    }

    /// The view of the events, once it includes `positions`; without positions at once.
    ///
    /// # Errors
    /// 503 when there is no generation, or it does not include them in time.
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
        let last = self
            .last_observation
            .borrow()
            .clone()
            .ok_or_else(no_generation)?;
        let view = last.of(layer).ok_or_else(|| no_rollup(&last.events))?;
        if view.holds(positions) {
            return Ok(Arc::clone(view));
        }
        self.wait_for(layer, positions).await
    }

    /// Waits until another generation is active. False: the watcher has stopped.
    pub(crate) async fn next_generation(&mut self) -> bool {
        let generation = |last_observation: &LastObservation| {
            last_observation
                .as_ref()
                .map(|observation| observation.events.generation)
        };
        let last = generation(&self.last_observation.borrow_and_update());
        self.last_observation
            .wait_for(|last_observation| generation(last_observation) != last)
            .await
            .is_ok()
    }

    async fn wait_for(&self, layer: Layer, positions: &[Position]) -> Result<Arc<View>, Problem> {
        let _waiting = WaitingCaller::new(&self.demand);
        let mut last_observation = self.last_observation.clone();
        let holds = |last_observation: &LastObservation| {
            last_observation
                .as_ref()
                .is_some_and(|observation| observation.holds(layer, positions))
        };
        match timeout(self.max_wait, last_observation.wait_for(holds)).await {
            Ok(Ok(last_observation)) => {
                let view = last_observation
                    .as_ref()
                    .and_then(|observation| observation.of(layer));
                view.cloned().ok_or_else(no_generation)
            }
            Ok(Err(_)) | Err(_) => Err(self.not_yet(layer, positions)),
        }
    }

    fn not_yet(&self, layer: Layer, positions: &[Position]) -> Problem {
        let last_observation = self.last_observation.borrow();
        let view = last_observation
            .as_ref()
            .and_then(|observation| observation.of(layer));
        let next = |partition| view.map_or(0, |view| view.next_offset(partition));
        let missing = positions
            .iter()
            .find(|position| position.offset >= next(position.partition));
        let detail = missing.map_or_else(
            || "the positions were not projected in time".to_owned(),
            |position| format!(
                "{position} was not projected within {} ms; partition {} is projected up to, but not including, offset {}",
                self.max_wait.as_millis(), position.partition, next(position.partition),
            ),
        );
        Problem::new(ProblemKind::NotYetProjected, detail).with_retry_after(1)
    }
}

fn no_rollup(view: &View) -> Problem {
    let generation = view.generation;
    let detail = format!(
        "generation {generation} of the read model was built by a version without the data of this query; `projector replay` builds one that has them"
    );
    Problem::new(ProblemKind::ReadModelUnavailable, detail).with_retry_after(60)
}

fn no_generation() -> Problem {
    let detail = "no generation of the read model is known yet; /health/ready says why";
    Problem::new(ProblemKind::ReadModelUnavailable, detail).with_retry_after(1)
}

#[cfg(test)]
mod tests {
    use super::{super::view::tests::view, *};

    fn watch(max_wait: Duration) -> (watch::Sender<LastObservation>, Watch) {
        let (sender, last_observation) = watch::channel(None);
        let demand = Arc::default();
        (
            sender,
            Watch {
                last_observation,
                demand,
                max_wait,
            },
        )
    }

    fn observation(events: View, playbacks: Option<View>) -> Observation {
        Observation {
            events: Arc::new(events),
            playbacks: playbacks.map(Arc::new),
        }
    }

    fn position(text: &str) -> [Position; 1] {
        [text.parse().unwrap()]
    }

    #[tokio::test]
    async fn without_a_generation_every_query_is_503() {
        let (_sender, watch) = watch(Duration::ZERO);
        assert_eq!(watch.reached(&[]).await.unwrap_err().status, 503);
    }

    #[tokio::test]
    async fn a_caller_waits_until_its_write_is_projected() {
        let (sender, watch) = watch(Duration::from_secs(30));
        sender.send_replace(Some(observation(view(1, &[(7, 3)]), None)));
        let waiting = tokio::spawn({
            let watch = watch.clone();
            async move { watch.reached(&position("7:3")).await }
        });
        watch.demand.notify.notified().await;
        assert_eq!(watch.demand.waiting.load(Ordering::Relaxed), 1);
        sender.send_replace(Some(observation(view(1, &[(7, 4)]), None)));
        assert_eq!(waiting.await.unwrap().unwrap().next_offset(7), 4);
        assert_eq!(watch.demand.waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_position_that_is_not_projected_in_time_is_named() {
        let (sender, watch) = watch(Duration::from_millis(1));
        sender.send_replace(Some(observation(view(1, &[(7, 3)]), None)));
        let problem = watch.reached(&position("7:9")).await.unwrap_err();
        assert_eq!((problem.status, problem.retry_after), (503, Some(1)));
        assert!(
            problem.detail.starts_with(
                "7:9 was not projected within 1 ms; partition 7 is projected up to, but not including, offset 3"
            ),
            "{problem}"
        );
    }

    #[tokio::test]
    async fn each_layer_has_its_own_progress() {
        let (sender, watch) = watch(Duration::from_millis(1));
        let rows = |next| Some(view(1, &[(7, next)]));
        sender.send_replace(Some(observation(view(1, &[(7, 5)]), rows(3))));
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
        assert!(
            problem.detail.contains("not including, offset 3"),
            "{problem}"
        );
    }

    #[tokio::test]
    async fn without_rows_of_playbacks_the_problem_says_what_to_do() {
        let (sender, watch) = watch(Duration::from_secs(30));
        sender.send_replace(Some(observation(view(1, &[]), None)));
        let problem = watch.reached_in(Layer::Playbacks, &[]).await.unwrap_err();
        assert_eq!(problem.status, 503);
        assert!(problem.detail.contains("projector replay"), "{problem}");
    }
}
