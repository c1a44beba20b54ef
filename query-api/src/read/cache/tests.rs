//! One query for concurrent callers, no answer older than required or of another generation, no error cached, bytes bounded.

mod in_flight;
mod simulation;

use std::sync::atomic::{AtomicUsize, Ordering};

use ess_schema::PlaybackId;
use ess_service::problem::ProblemKind;

use super::*;
use crate::read::watermark::tests::view;

const LONG: Duration = Duration::from_hours(1);

fn cache(max_bytes: u64) -> Cache {
    Cache::new(&CacheConfig {
        max_bytes,
        open_ttl: LONG,
        settled_ttl: LONG,
    })
}

fn question(id: &str) -> Question {
    Question::Playback(PlaybackId::new(id).unwrap())
}

fn seen(generation: u32, next_offset: u64) -> Arc<View> {
    Arc::new(view(generation, &[(7, next_offset)]))
}

fn content(body: impl Into<Vec<u8>>, ttl: Duration) -> Content {
    Content {
        body: body.into(),
        next: None,
        totals: None,
        ttl,
    }
}

fn text(answer: &CachedAnswer) -> String {
    String::from_utf8(answer.body.to_vec()).unwrap()
}

/// Counts the queries, and answers each with its number.
#[derive(Debug, Clone, Default)]
struct QueryCounter(Arc<AtomicUsize>);

impl QueryCounter {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn content(&self, ttl: Duration) -> Content {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        content(number.to_string(), ttl)
    }

    async fn through(
        &self,
        cache: &Cache,
        view: &Arc<View>,
        after: &[Position],
        ttl: Duration,
    ) -> String {
        let queries = self.clone();
        let read = |_| async move { Ok(queries.content(ttl)) };
        let answer = cache.answer(question("p"), view, after, read).await;
        text(&answer.unwrap())
    }
}

#[tokio::test]
async fn an_answer_is_cached_for_its_time_to_live() {
    let (cache, queries, view) = (cache(1 << 20), QueryCounter::default(), seen(1, 5));
    assert_eq!(queries.through(&cache, &view, &[], LONG).await, "1");
    assert_eq!(queries.through(&cache, &view, &[], LONG).await, "1");
    cache.clear();
    assert_eq!(
        queries.through(&cache, &view, &[], Duration::ZERO).await,
        "2"
    );
    assert_eq!(queries.through(&cache, &view, &[], LONG).await, "3");
}

#[tokio::test]
async fn an_answer_without_the_required_position_is_not_returned() {
    let (cache, queries) = (cache(1 << 20), QueryCounter::default());
    let after = ["7:5".parse().unwrap()];
    assert_eq!(queries.through(&cache, &seen(1, 5), &[], LONG).await, "1");
    assert_eq!(
        queries.through(&cache, &seen(1, 6), &after, LONG).await,
        "2"
    );
    assert_eq!(
        queries.through(&cache, &seen(1, 6), &after, LONG).await,
        "2",
        "the newer answer is cached"
    );
}

#[tokio::test]
async fn another_generation_has_answers_of_its_own() {
    let (cache, queries) = (cache(1 << 20), QueryCounter::default());
    assert_eq!(queries.through(&cache, &seen(1, 5), &[], LONG).await, "1");
    assert_eq!(queries.through(&cache, &seen(2, 5), &[], LONG).await, "2");
}

#[tokio::test]
async fn an_error_is_not_cached() {
    let (cache, queries, view) = (cache(1 << 20), QueryCounter::default(), seen(1, 5));
    let read = |_| async { Err(Problem::new(ProblemKind::NotFound, "nothing")) };
    let failed = cache.answer(question("p"), &view, &[], read).await;
    assert_eq!(failed.unwrap_err().status, 404);
    assert_eq!(queries.through(&cache, &view, &[], LONG).await, "1");
}

/// Stores a hundred answers of 10 kB under questions with ids of `id_bytes`.
async fn flood(cache: &Cache, id_bytes: usize) {
    let view = seen(1, 5);
    for id in 0..100 {
        let question = question(&format!("{id:0id_bytes$}"));
        let read = |_| async { Ok(content([b'x'; 10_000], LONG)) };
        cache.answer(question, &view, &[], read).await.unwrap();
        assert!(cache.answers.weighted_size() <= 100_000, "after {id}");
    }
}

#[tokio::test]
async fn cached_answers_are_bounded_in_bytes_at_any_time() {
    let cache = cache(100_000);
    flood(&cache, 2).await;
    assert!(cache.answers.entry_count() >= 5);
}

#[test]
fn the_bytes_of_the_question_count() {
    let bytes = |id: &str| {
        let answer = CachedAnswer::new(content("", LONG), seen(1, 5), Instant::now());
        answer.bytes(&(1, question(id)))
    };
    assert_eq!(bytes(&"x".repeat(101)) - bytes("x"), 100);
}

#[test]
fn metrics_count_lookups_evictions_and_bytes() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let cache = ::metrics::with_local_recorder(&recorder, || self::cache(100_000));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let queries = QueryCounter::default();
        for _ in 0..3 {
            queries.through(&cache, &seen(1, 5), &[], LONG).await;
        }
        flood(&cache, 2).await;
    });
    let text = recorder.handle().render();
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map(|number| number.trim().parse::<u64>().unwrap())
    };
    assert_eq!(
        value("ess_query_cache_lookups_total{result=\"miss\"}"),
        Some(101)
    );
    assert_eq!(
        value("ess_query_cache_lookups_total{result=\"hit\"}"),
        Some(2)
    );
    assert_eq!(
        value("ess_query_cache_bytes"),
        Some(cache.answers.weighted_size())
    );
    let displaced = value("ess_query_cache_evictions_total{cause=\"displaced\"}").unwrap();
    assert_eq!(displaced, 101 - cache.answers.entry_count());
}
