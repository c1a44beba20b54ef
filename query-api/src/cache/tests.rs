//! One query for a herd, nothing older than asked for, nothing of another generation, no failure kept, bytes bounded.

use std::sync::atomic::{AtomicUsize, Ordering};

use ess_service::problem::ProblemKind;
use tokio::sync::Semaphore;

use super::*;
use crate::watermark::tests::view;

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

/// Counts how often it was asked, and answers with that number.
#[derive(Default)]
struct Asked(AtomicUsize);

impl Asked {
    fn times(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    fn content(&self, ttl: Duration) -> Content {
        let times = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        Content {
            body: times.to_string().into_bytes(),
            next: None,
            ttl,
        }
    }

    async fn through(
        &self,
        cache: &Cache,
        view: &Arc<View>,
        after: &[Position],
        ttl: Duration,
    ) -> String {
        let ask = async || Ok(self.content(ttl));
        let kept = cache.answer(question("p"), view, after, ask).await.unwrap();
        String::from_utf8(kept.body.to_vec()).unwrap()
    }
}

#[tokio::test]
async fn an_answer_is_told_again_until_its_time_is_over() {
    let (cache, asked, view) = (cache(1 << 20), Asked::default(), seen(1, 5));
    assert_eq!(asked.through(&cache, &view, &[], LONG).await, "1");
    assert_eq!(asked.through(&cache, &view, &[], LONG).await, "1");
    cache.forget();
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
async fn a_herd_costs_one_query() {
    let (cache, asked, view) = (cache(1 << 20), Arc::new(Asked::default()), seen(1, 5));
    let gate = Arc::new(Semaphore::new(0));
    let herd: Vec<_> = (0..100)
        .map(|_| {
            let (cache, asked, view, gate) = (
                cache.clone(),
                Arc::clone(&asked),
                Arc::clone(&view),
                Arc::clone(&gate),
            );
            tokio::spawn(async move {
                let ask = async || {
                    let _open = gate.acquire().await.unwrap();
                    Ok(asked.content(LONG))
                };
                cache
                    .answer(question("p"), &view, &[], ask)
                    .await
                    .map(|kept| kept.body.clone())
            })
        })
        .collect();
    gate.add_permits(100);
    for one in herd {
        assert_eq!(one.await.unwrap().unwrap(), "1");
    }
    assert_eq!(asked.times(), 1);
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    let (cache, asked, view) = (cache(1 << 20), Asked::default(), seen(1, 5));
    let fail = async || Err(Problem::new(ProblemKind::NotFound, "nothing"));
    assert_eq!(
        cache
            .answer(question("p"), &view, &[], fail)
            .await
            .unwrap_err()
            .status,
        404
    );
    assert_eq!(asked.through(&cache, &view, &[], LONG).await, "1");
}

#[tokio::test]
async fn what_is_kept_is_bounded_in_bytes() {
    let (cache, view) = (cache(100_000), seen(1, 5));
    for id in 0..100 {
        let ask = async || {
            Ok(Content {
                body: vec![b'x'; 10_000],
                next: None,
                ttl: LONG,
            })
        };
        cache
            .answer(question(&id.to_string()), &view, &[], ask)
            .await
            .unwrap();
    }
    cache.kept.run_pending_tasks().await;
    assert!(cache.kept.weighted_size() <= 100_000);
    assert!(cache.kept.entry_count() >= 5);
}

#[test]
fn equal_bodies_have_equal_tags_and_others_have_others() {
    assert_eq!(etag(b"a"), etag(b"a"));
    assert_ne!(etag(b"a"), etag(b"b"));
}
