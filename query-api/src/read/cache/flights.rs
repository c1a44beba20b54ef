//! Questions that are being asked. Whoever asks the same meanwhile waits for the same query, which goes on for as long as anybody
//! waits, whoever began it; once nobody does it is dropped, and so cancelled in ClickHouse.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ess_service::problem::{Problem, ProblemKind};
use tokio::sync::watch;

use super::{CachedAnswer, Key};
use crate::read::watermark::View;

type Outcome = Result<Arc<CachedAnswer>, Problem>;
type Told = watch::Sender<Option<Outcome>>;

/// What is being asked, by question. Each is waited for by somebody, so that there are no more than callers.
#[derive(Debug, Clone, Default)]
pub(super) struct Flights(Arc<Mutex<HashMap<Key, Flight>>>);

/// One question that is being asked.
#[derive(Debug)]
struct Flight {
    /// What the read model was known to hold when it was asked.
    view: Arc<View>,
    told: Told,
}

/// The questions that are being asked, none of which begins or ends meanwhile.
pub(super) struct Held<'f> {
    flights: &'f Flights,
    current: MutexGuard<'f, HashMap<Key, Flight>>,
}

/// The end of a query that somebody waits for.
pub(super) struct Waiting(watch::Receiver<Option<Outcome>>);

impl Flights {
    pub(super) fn hold(&self) -> Held<'_> {
        Held {
            flights: self,
            current: self.0.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

impl Held<'_> {
    /// Waits for the query that asks this already, if there is one whose answer is `new_enough`.
    pub(super) fn join(
        &self,
        key: &Key,
        new_enough: impl FnOnce(&View) -> bool,
    ) -> Option<Waiting> {
        let flight = self.current.get(key)?;
        new_enough(&flight.view).then(|| Waiting(flight.told.subscribe()))
    }

    /// Begins a query in a task of its own. It takes the place of an older one that asks the same, which goes on for those who
    /// wait for it. `keep` gets the answer, unless a newer query was begun meanwhile.
    pub(super) fn begin(
        &mut self,
        key: Key,
        view: Arc<View>,
        ask: impl Future<Output = Outcome> + Send + 'static,
        keep: impl FnOnce(&Key, &Arc<CachedAnswer>) + Send + 'static,
    ) -> Waiting {
        let (told, waiting) = watch::channel(None);
        let flight = Flight {
            view,
            told: told.clone(),
        };
        self.current.insert(key.clone(), flight);
        let course = Course {
            flights: self.flights.clone(),
            key,
            told,
        };
        tokio::spawn(async move {
            tokio::select! {
                outcome = ask => course.land(outcome, keep),
                () = course.deserted() => {}
            }
        });
        Waiting(waiting)
    }
}

/// The course of one query. However it ends, nobody finds it any more then.
struct Course {
    flights: Flights,
    key: Key,
    told: Told,
}

impl Course {
    /// Hands the outcome to all who wait. It is kept before it stops being found: whoever comes between finds one of the two.
    fn land(&self, outcome: Outcome, keep: impl FnOnce(&Key, &Arc<CachedAnswer>)) {
        let mut held = self.flights.hold();
        if let Ok(kept) = &outcome
            && self.is_current(&held)
        {
            keep(&self.key, kept);
        }
        self.leave(&mut held);
        drop(held);
        self.told.send_replace(Some(outcome));
    }

    /// Resolves once nobody waits and nobody can come to.
    async fn deserted(&self) {
        loop {
            self.told.closed().await;
            let mut held = self.flights.hold();
            if self.told.receiver_count() == 0 {
                self.leave(&mut held);
                return;
            }
        }
    }

    fn is_current(&self, held: &Held<'_>) -> bool {
        let found = held.current.get(&self.key);
        found.is_some_and(|flight| flight.told.same_channel(&self.told))
    }

    fn leave(&self, held: &mut Held<'_>) {
        if self.is_current(held) {
            held.current.remove(&self.key);
        }
    }
}

impl Drop for Course {
    /// After a panic, those who wait must learn that there will be no outcome.
    fn drop(&mut self) {
        self.leave(&mut self.flights.hold());
    }
}

impl Waiting {
    /// The outcome.
    ///
    /// # Errors
    /// What the query failed with; 500 when it ended without an outcome.
    pub(super) async fn outcome(mut self) -> Outcome {
        let told = self.0.wait_for(Option::is_some).await;
        told.ok().and_then(|told| told.clone()).unwrap_or_else(|| {
            Err(Problem::new(
                ProblemKind::Internal,
                "the question could not be answered",
            ))
        })
    }
}
