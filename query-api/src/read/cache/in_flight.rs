//! Queries in flight. Callers with the same question share one query, which runs as long as one of them waits and is cancelled,
//! in ClickHouse too, with the last of them.

use std::{
    collections::HashMap,
    future::Future,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ess_service::problem::{Problem, ProblemKind};
use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared, WeakShared},
};

use super::{cached_answer::CachedAnswer, key::Key};
use crate::read::watermark::View;

/// The outcome of a query.
pub(super) type Outcome = Result<Arc<CachedAnswer>, Problem>;
/// A query for which its callers wait. Any of them drives it.
pub(super) type SharedQuery = Shared<BoxFuture<'static, Outcome>>;

/// The queries in flight by key. Callers wait for each, so there are no more queries than callers.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlightQueries(Arc<Mutex<Queries>>);

#[derive(Debug, Default)]
struct Queries {
    by_key: HashMap<Key, InFlightQuery>,
    started: u64,
}

#[derive(Debug)]
struct InFlightQuery {
    id: u64,
    /// What the generation was known to include when the query started.
    view: Arc<View>,
    /// Only callers keep the query alive.
    query: WeakShared<BoxFuture<'static, Outcome>>,
}

/// The queries in flight, locked: none starts, joins or completes meanwhile.
pub(super) struct LockedQueries<'q> {
    queries: &'q InFlightQueries,
    locked: MutexGuard<'q, Queries>,
}

impl InFlightQueries {
    pub(super) fn lock(&self) -> LockedQueries<'_> {
        LockedQueries {
            queries: self,
            locked: self.0.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

#[cfg(test)]
impl InFlightQueries {
    pub(super) fn is_empty(&self) -> bool {
        self.lock().locked.by_key.is_empty()
    }
}

impl LockedQueries<'_> {
    /// Joins the query in flight with this key, if its view is new enough.
    pub(super) fn join(
        &self,
        key: &Key,
        is_new_enough: impl FnOnce(&View) -> bool,
    ) -> Option<SharedQuery> {
        let found = self.locked.by_key.get(key)?;
        is_new_enough(&found.view).then(|| found.query.upgrade())?
    }

    /// Starts a query. It replaces an older one with the same key, which keeps running for its callers. `store` receives the
    /// answer, unless the query has been replaced.
    pub(super) fn start(
        &mut self,
        key: Key,
        view: Arc<View>,
        read: impl Future<Output = Outcome> + Send + 'static,
        store: impl FnOnce(&Key, &Arc<CachedAnswer>) + Send + 'static,
    ) -> SharedQuery {
        self.locked.started += 1;
        let id = self.locked.started;
        let registration = Registration {
            queries: self.queries.clone(),
            key: key.clone(),
            id,
        };
        let run = async move {
            let outcome = AssertUnwindSafe(read).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|_| Err(panicked()));
            registration.complete(&outcome, store);
            outcome
        };
        let query = run.boxed().shared();
        if let Some(weak) = query.downgrade() {
            let query = InFlightQuery {
                id,
                view,
                query: weak,
            };
            self.locked.by_key.insert(key, query);
        }
        query
    }
}

/// The registration of a query, removed when the query completes or is cancelled.
struct Registration {
    queries: InFlightQueries,
    key: Key,
    id: u64,
}

impl Registration {
    /// Stores the answer before the query is no longer found: a caller finds one of the two.
    fn complete(&self, outcome: &Outcome, store: impl FnOnce(&Key, &Arc<CachedAnswer>)) {
        let mut queries = self.queries.lock();
        if let Ok(answer) = outcome
            && self.is_current(&queries.locked)
        {
            store(&self.key, answer);
        }
        self.remove(&mut queries.locked);
    }

    fn is_current(&self, queries: &Queries) -> bool {
        let found = queries.by_key.get(&self.key);
        found.is_some_and(|found| found.id == self.id)
    }

    fn remove(&self, queries: &mut Queries) {
        if self.is_current(queries) {
            queries.by_key.remove(&self.key);
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.remove(&mut self.queries.lock().locked);
    }
}

fn panicked() -> Problem {
    tracing::error!("a query panicked");
    Problem::new(ProblemKind::Internal, "the query failed")
}
