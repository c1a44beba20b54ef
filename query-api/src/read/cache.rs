//! Recent answers, bounded by bytes. Callers with the same question share one query, and no caller receives an answer without the
//! positions for which it waited.

mod cached_answer;
mod in_flight;
mod key;
mod metrics;

pub(crate) use self::cached_answer::{CachedAnswer, Content};
use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use ess_schema::Position;
use ess_service::problem::Problem;
use moka::{Expiry, sync};

use self::{in_flight::InFlightQueries, key::Key, metrics::CacheMetrics};
use crate::{config::CacheConfig, question::Question, read::watermark::View};

/// The cache of answers.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    answers: sync::Cache<Key, Arc<CachedAnswer>>,
    in_flight: InFlightQueries,
    metrics: Arc<CacheMetrics>,
}

/// An answer expires after its own time to live.
struct ByTtl;

impl Expiry<Key, Arc<CachedAnswer>> for ByTtl {
    fn expire_after_create(
        &self,
        _: &Key,
        answer: &Arc<CachedAnswer>,
        _: Instant,
    ) -> Option<Duration> {
        Some(answer.ttl)
    }

    fn expire_after_update(
        &self,
        _: &Key,
        answer: &Arc<CachedAnswer>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(answer.ttl)
    }
}

impl Cache {
    /// An empty cache.
    pub(crate) fn new(config: &CacheConfig) -> Self {
        let metrics = Arc::new(CacheMetrics::new());
        let evicted = Arc::clone(&metrics);
        let answers = sync::Cache::builder()
            .max_capacity(config.max_bytes)
            .weigher(|key, answer: &Arc<CachedAnswer>| answer.bytes(key))
            .expire_after(ByTtl)
            .eviction_listener(move |key, answer, cause| {
                evicted.removed(answer.bytes(&key), cause);
            })
            .build();
        Self {
            answers,
            in_flight: InFlightQueries::default(),
            metrics,
        }
    }

    /// The answer to `question` from the generation of `view`, which includes `after`, as `view` does. If no such answer is cached
    /// or in flight, `read` makes the query. The query runs on when this caller leaves and another waits.
    ///
    /// # Errors
    /// The error of the query, for the callers that share it. Errors are not cached.
    pub(crate) async fn answer<F>(
        &self,
        question: Question,
        view: &Arc<View>,
        after: &[Position],
        read: impl FnOnce(Arc<View>) -> F,
    ) -> Result<Arc<CachedAnswer>, Problem>
    where
        F: Future<Output = Result<Content, Problem>> + Send + 'static,
    {
        let key = (view.generation, question);
        if let Some(answer) = self.cached(&key, after) {
            return Ok(answer);
        }
        let query = {
            let mut queries = self.in_flight.lock();
            // A query may have completed since.
            if let Some(answer) = self.cached(&key, after) {
                return Ok(answer);
            }
            if let Some(query) = queries.join(&key, |view| view.holds(after)) {
                self.metrics.shared.increment(1);
                query
            } else {
                self.metrics.misses.increment(1);
                let (queried_at, cache) = (Instant::now(), self.clone());
                let (read, seen) = (read(Arc::clone(view)), Arc::clone(view));
                let outcome =
                    async move { Ok(Arc::new(CachedAnswer::new(read.await?, seen, queried_at))) };
                queries.start(key, Arc::clone(view), outcome, move |key, answer| {
                    cache.store(key, answer);
                })
            }
        };
        query.await
    }

    /// Drops all answers. After a promotion, those of the old generation only take memory.
    pub(crate) fn clear(&self) {
        self.answers.invalidate_all();
    }

    fn cached(&self, key: &Key, after: &[Position]) -> Option<Arc<CachedAnswer>> {
        let answer = self.answers.get(key)?;
        answer.view.holds(after).then(|| {
            self.metrics.hits.increment(1);
            answer
        })
    }

    fn store(&self, key: &Key, answer: &Arc<CachedAnswer>) {
        if !answer.ttl.is_zero() {
            self.metrics.added(answer.bytes(key));
            self.answers.insert(key.clone(), Arc::clone(answer));
            // Evicts at once, not when the cache gets round to it: answers may be large.
            self.answers.run_pending_tasks();
        }
    }
}

#[cfg(test)]
mod tests;
