//! Answers that were given a moment ago, bounded by bytes. Callers who ask the same at the same time share one query, and nobody
//! is answered with less than the positions they asked for.

mod cached_answer;
mod flights;
mod measures;

pub(crate) use self::cached_answer::{CachedAnswer, Content};
use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use ess_schema::Position;
use ess_service::problem::Problem;
use moka::{Expiry, sync};

use self::{flights::Flights, measures::Measures};
use crate::{config::CacheConfig, question::Question, read::watermark::View};

/// A question to one generation.
type Key = (u32, Question);

/// The cache.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    kept: sync::Cache<Key, Arc<CachedAnswer>>,
    flights: Flights,
    measures: Arc<Measures>,
}

struct ByTtl;

impl Expiry<Key, Arc<CachedAnswer>> for ByTtl {
    fn expire_after_create(
        &self,
        _: &Key,
        kept: &Arc<CachedAnswer>,
        _: Instant,
    ) -> Option<Duration> {
        Some(kept.ttl)
    }

    fn expire_after_update(
        &self,
        _: &Key,
        kept: &Arc<CachedAnswer>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(kept.ttl)
    }
}

impl Cache {
    pub(crate) fn new(config: &CacheConfig) -> Self {
        let measures = Arc::new(Measures::new());
        let removed = Arc::clone(&measures);
        let kept = sync::Cache::builder()
            .max_capacity(config.max_bytes)
            .weigher(|key, kept: &Arc<CachedAnswer>| kept.bytes(key))
            .expire_after(ByTtl)
            .eviction_listener(move |key, kept, cause| removed.removed(kept.bytes(&key), cause))
            .build();
        Self {
            kept,
            flights: Flights::default(),
            measures,
        }
    }

    /// The answer to `question` from the generation of `view`, holding `after`, which `view` holds. When no such answer is kept
    /// and nobody is asking for one, `ask` says how to; the query it makes goes on when this caller leaves and another waits.
    ///
    /// # Errors
    /// What the query failed with. A failure is handed to those who wait for it, and to nobody later.
    pub(crate) async fn answer<F>(
        &self,
        question: Question,
        view: &Arc<View>,
        after: &[Position],
        ask: impl FnOnce(Arc<View>) -> F,
    ) -> Result<Arc<CachedAnswer>, Problem>
    where
        F: Future<Output = Result<Content, Problem>> + Send + 'static,
    {
        let key = (view.generation, question);
        if let Some(kept) = self.told_again(&key, after) {
            return Ok(kept);
        }
        let waiting = {
            let mut flights = self.flights.hold();
            // It may have landed since.
            if let Some(kept) = self.told_again(&key, after) {
                return Ok(kept);
            }
            if let Some(waiting) = flights.join(&key, |asked| asked.holds(after)) {
                self.measures.shared.increment(1);
                waiting
            } else {
                self.measures.misses.increment(1);
                let (asked_at, seen, cache) = (Instant::now(), Arc::clone(view), self.clone());
                let ask = ask(Arc::clone(view));
                let outcome =
                    async move { Ok(Arc::new(CachedAnswer::new(ask.await?, seen, asked_at))) };
                flights.begin(key, Arc::clone(view), outcome, move |key, kept| {
                    cache.keep(key, kept);
                })
            }
        };
        waiting.outcome().await
    }

    /// Forgets everything: the answers of a generation that is no longer active only take room.
    pub(crate) fn clear(&self) {
        self.kept.invalidate_all();
    }

    fn told_again(&self, key: &Key, after: &[Position]) -> Option<Arc<CachedAnswer>> {
        let kept = self.kept.get(key)?;
        let is_new_enough = kept.view.holds(after);
        is_new_enough.then(|| {
            self.measures.hits.increment(1);
            kept
        })
    }

    fn keep(&self, key: &Key, kept: &Arc<CachedAnswer>) {
        if !kept.ttl.is_zero() {
            self.measures.added(kept.bytes(key));
            self.kept.insert(key.clone(), Arc::clone(kept));
            // The bound holds now, not when the cache finds the time for it: answers may be large.
            self.kept.run_pending_tasks();
        }
    }
}

#[cfg(test)]
mod tests;
