//! Answers that were given a moment ago, bounded by bytes. Callers who ask the same at the same time share one query, and nobody
//! is answered with less than the positions they asked for.

use std::{
    future::Future,
    hash::Hash,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use ess_schema::{EventId, PlaybackId, Position};
use ess_service::problem::Problem;
use moka::{Expiry, future};
use poem::http::HeaderValue;
use sha2::{Digest, Sha256};

use crate::{
    accept::Format, api::LagQuestion, config::CacheConfig, cursor::Cursor, live::LiveQuestion,
    page::EventsPage, watermark::View,
};

const LOOKUPS: &str = "ess_query_cache_lookups_total";
const BYTES: &str = "ess_query_cache_bytes";

/// What an entry takes beside its body: key, headers, and what the cache itself keeps of it.
const OVERHEAD: usize = 1_024;

/// What can be asked, as the key of its answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Question {
    /// GET /stats/playback/{id}
    Playback(PlaybackId),
    /// GET /stats/lag
    Lag(LagQuestion),
    /// GET /stats/live
    Live(LiveQuestion),
    /// GET /events
    Events(EventsPage, Format),
    /// GET /events/{id}
    Event(EventId, Format),
}

/// A fresh answer.
#[derive(Debug)]
pub(crate) struct Content {
    /// The body.
    pub(crate) body: Vec<u8>,
    /// Where the next page begins, if there is one.
    pub(crate) next: Option<Cursor>,
    /// How long it may be told again.
    pub(crate) ttl: Duration,
}

/// An answer as it is kept.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The body.
    pub(crate) body: Bytes,
    /// A strong entity tag.
    pub(crate) etag: HeaderValue,
    /// Where the next page begins, if there is one.
    pub(crate) next: Option<Cursor>,
    /// How long it may be told again.
    pub(crate) ttl: Duration,
    /// Since when it is kept.
    pub(crate) since: Instant,
    /// What the read model held at least when it was asked.
    pub(crate) view: Arc<View>,
}

type Key = (u32, Question);
/// A failure is handed to those who wait for the same query, and to nobody later.
type Outcome = Result<Arc<Kept>, Problem>;

/// The cache.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    kept: future::Cache<Key, Outcome>,
}

struct ByTtl;

impl Expiry<Key, Outcome> for ByTtl {
    fn expire_after_create(&self, _: &Key, outcome: &Outcome, _: Instant) -> Option<Duration> {
        Some(outcome.as_ref().map_or(Duration::ZERO, |kept| kept.ttl))
    }

    fn expire_after_update(
        &self,
        key: &Key,
        outcome: &Outcome,
        at: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(key, outcome, at)
    }
}

impl Cache {
    pub(crate) fn new(config: &CacheConfig) -> Self {
        metrics::describe_counter!(
            LOOKUPS,
            "answers by where they came from: hit, or miss for a query"
        );
        metrics::describe_gauge!(BYTES, metrics::Unit::Bytes, "what the cached answers take");
        let bytes = |_: &Key, outcome: &Outcome| {
            let body = outcome.as_ref().map_or(0, |kept| kept.body.len());
            u32::try_from(body + OVERHEAD).unwrap_or(u32::MAX)
        };
        let kept = future::Cache::builder()
            .max_capacity(config.max_bytes)
            .weigher(bytes)
            .expire_after(ByTtl)
            .build();
        Self { kept }
    }

    /// The answer to `question` from the generation of `view`, holding `after`, which `view` holds. `ask` is called when no
    /// such answer is kept and nobody else is asking.
    ///
    /// # Errors
    /// What `ask` failed with.
    pub(crate) async fn answer<F>(
        &self,
        question: Question,
        view: &Arc<View>,
        after: &[Position],
        ask: impl Fn() -> F,
    ) -> Result<Arc<Kept>, Problem>
    where
        F: Future<Output = Result<Content, Problem>>,
    {
        let key = (view.generation, question);
        let is_too_old =
            |outcome: &Outcome| !outcome.as_ref().is_ok_and(|kept| kept.view.holds(after));
        loop {
            let fresh = async { Ok(Arc::new(Kept::new(ask().await?, Arc::clone(view)))) };
            let entry = self
                .kept
                .entry_by_ref(&key)
                .or_insert_with_if(fresh, is_too_old)
                .await;
            self.count(entry.is_fresh());
            let outcome = entry.into_value();
            // A query that somebody else had begun before our positions were projected may lack them: ask again, once.
            if outcome.is_err() || !is_too_old(&outcome) {
                return outcome;
            }
        }
    }

    /// Forgets everything: the answers of a generation that is no longer active only take room.
    pub(crate) fn forget(&self) {
        self.kept.invalidate_all();
    }

    fn count(&self, fresh: bool) {
        metrics::counter!(LOOKUPS, "result" => if fresh { "miss" } else { "hit" }).increment(1);
        metrics::gauge!(BYTES).set(self.kept.weighted_size() as f64);
    }
}

impl Kept {
    fn new(Content { body, next, ttl }: Content, view: Arc<View>) -> Self {
        Self {
            etag: etag(&body),
            body: body.into(),
            next,
            ttl,
            since: Instant::now(),
            view,
        }
    }
}

/// The first half of the body's SHA-256.
fn etag(body: &[u8]) -> HeaderValue {
    let digest = Sha256::digest(body);
    let half = digest.first_chunk().copied().map(u128::from_be_bytes);
    let text = format!("\"{:032x}\"", half.unwrap_or_default());
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

#[cfg(test)]
mod tests;
