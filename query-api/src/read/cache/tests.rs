//! One query for a herd, nothing older than asked for, nothing of another generation, no failure kept, bytes bounded.

mod flights;

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

fn text(kept: &CachedAnswer) -> String {
    String::from_utf8(kept.body.to_vec()).unwrap()
}

/// Counts how often it was asked, and answers with that number.
#[derive(Debug, Clone, Default)]
struct Asked(Arc<AtomicUsize>);

impl Asked {
    fn times(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn content(&self, ttl: Duration) -> Content {
        let times = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        content(times.to_string(), ttl)
    }

    async fn through(
        &self,
        cache: &Cache,
        view: &Arc<View>,
        after: &[Position],
        ttl: Duration,
    ) -> String {
        let asked = self.clone();
        let ask = |_| async move { Ok(asked.content(ttl)) };
        let kept = cache.answer(question("p"), view, after, ask).await.unwrap();
        text(&kept)
    }
}

#[tokio::test]
async fn an_answer_is_told_again_until_its_time_is_over() {
    let (cache, asked, view) = (cache(1 << 20), Asked::default(), seen(1, 5));
    assert_eq!(asked.through(&cache, &view, &[], LONG).await, "1");
    assert_eq!(asked.through(&cache, &view, &[], LONG).await, "1");
    cache.clear();
    assert_eq!(asked.through(&cache, &view, &[], Duration::ZERO).await, "2");
    assert_eq!(asked.through(&cache, &view, &[], LONG).await, "3");
}

#[tokio::test]
async fn an_answer_older_than_the_position_asked_for_is_not_told() {
    let (cache, asked) = (cache(1 << 20), Asked::default());
    let after = ["7:5".parse().unwrap()];
    assert_eq!(asked.through(&cache, &seen(1, 5), &[], LONG).await, "1");
    assert_eq!(asked.through(&cache, &seen(1, 6), &after, LONG).await, "2");
    assert_eq!(
        asked.through(&cache, &seen(1, 6), &after, LONG).await,
        "2",
        "the newer one is kept"
    );
}

#[tokio::test]
async fn another_generation_has_answers_of_its_own() {
    let (cache, asked) = (cache(1 << 20), Asked::default());
    assert_eq!(asked.through(&cache, &seen(1, 5), &[], LONG).await, "1");
    assert_eq!(asked.through(&cache, &seen(2, 5), &[], LONG).await, "2");
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    let (cache, asked, view) = (cache(1 << 20), Asked::default(), seen(1, 5));
    let fail = |_| async { Err(Problem::new(ProblemKind::NotFound, "nothing")) };
    let failed = cache.answer(question("p"), &view, &[], fail).await;
    assert_eq!(failed.unwrap_err().status, 404);
    assert_eq!(asked.through(&cache, &view, &[], LONG).await, "1");
}

/// Keeps a hundred answers of 10 kB under questions whose text takes `id_bytes`.
async fn flood(cache: &Cache, id_bytes: usize) {
    let view = seen(1, 5);
    for id in 0..100 {
        let question = question(&format!("{id:0id_bytes$}"));
        let ask = |_| async { Ok(content([b'x'; 10_000], LONG)) };
        cache.answer(question, &view, &[], ask).await.unwrap();
        assert!(cache.kept.weighted_size() <= 100_000, "after {id}");
    }
}

#[tokio::test]
async fn what_is_kept_is_bounded_in_bytes_at_any_time() {
    let kept = cache(100_000);
    flood(&kept, 2).await;
    assert!(kept.kept.entry_count() >= 5);
}

#[test]
fn what_a_question_takes_counts_too() {
    let bytes = |id: &str| {
        let kept = CachedAnswer::new(content("", LONG), seen(1, 5), Instant::now());
        kept.bytes(&(1, question(id)))
    };
    assert_eq!(bytes(&"x".repeat(101)) - bytes("x"), 100);
}

#[test]
fn it_measures_where_answers_come_from_and_what_they_take() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let kept = metrics::with_local_recorder(&recorder, || cache(100_000));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let asked = Asked::default();
        for _ in 0..3 {
            asked.through(&kept, &seen(1, 5), &[], LONG).await;
        }
        flood(&kept, 2).await;
    });
    let text = recorder.handle().render();
    let told = |line: &str| {
        let line = text.lines().find_map(|told| told.strip_prefix(line));
        line.map(|number| number.trim().parse::<u64>().unwrap())
    };
    assert_eq!(
        told("ess_query_cache_lookups_total{result=\"miss\"}"),
        Some(101)
    );
    assert_eq!(
        told("ess_query_cache_lookups_total{result=\"hit\"}"),
        Some(2)
    );
    assert_eq!(
        told("ess_query_cache_bytes"),
        Some(kept.kept.weighted_size())
    );
    let displaced = told("ess_query_cache_evictions_total{cause=\"displaced\"}").unwrap();
    assert_eq!(displaced, 101 - kept.kept.entry_count());
}
