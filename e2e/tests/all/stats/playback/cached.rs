//! The cache: one query for concurrent requests, correct `Age` and `max-age`, a bound in bytes, and its metrics.

use std::time::{Duration, Instant};

use ess_e2e::{Answer, eventually, unique};
use futures::{StreamExt, future::join_all, stream};

use super::{path, started};
use crate::slow::{metric, query_count, slow_down};
use crate::stored::{Partition, alone};

const QUERY: &str = "playbacks_by_id";

fn lookups(result: &str) -> String {
    format!("ess_query_cache_lookups_total{{result=\"{result}\"}}")
}

#[tokio::test]
async fn a_thousand_equal_requests_to_an_empty_cache_are_one_query() {
    let app = alone(&[("CACHE_OPEN_TTL_MS", "3600000")]).await;
    let id = unique("p");
    Partition::of(&app).await.store(&[started(&id)]).await;
    slow_down(&app, "playbacks_state", 20).await;
    let url = path(&id);
    for answer in join_all((0..1_000).map(|_| app.get(&url))).await {
        assert_eq!(answer.expect_status(200).json()["playback_id"], id);
    }
    assert_eq!(query_count(&app, QUERY).await, 1);
    assert_eq!(metric(&app, &lookups("miss")).await as u64, 1);
    let shared = metric(&app, &lookups("shared")).await;
    let hits = metric(&app, &lookups("hit")).await;
    assert!(shared > 0.0, "no request shared the query");
    assert_eq!((hits + shared) as u64, 999);
}

/// `max-age` and `Age`, in seconds.
fn max_age_and_age(answer: &Answer) -> (u64, u64) {
    let max_age = answer.header("cache-control").unwrap();
    let max_age = max_age.strip_prefix("max-age=").unwrap();
    (
        max_age.parse().unwrap(),
        answer.header("age").unwrap().parse().unwrap(),
    )
}

#[tokio::test]
async fn age_is_correct_and_the_remaining_lifetime_is_never_overstated() {
    const TTL: Duration = Duration::from_millis(3_500);
    let app = alone(&[("CACHE_OPEN_TTL_MS", "3500")]).await;
    let id = unique("p");
    Partition::of(&app).await.store(&[started(&id)]).await;
    let before = Instant::now();
    let first = app.get(&path(&id)).await.expect_status(200);
    let cached_at = Instant::now();
    assert_eq!(
        max_age_and_age(&first).0,
        3,
        "whole seconds of the time to live"
    );
    eventually("it is two seconds old", async || {
        let elapsed = cached_at.elapsed();
        let (max_age, age) = max_age_and_age(&app.get(&path(&id)).await);
        let max = before.elapsed().as_secs() + 1;
        assert!(age <= max, "{age} s, at most {max} expected");
        let left = TTL.saturating_sub(elapsed);
        let promised = Duration::from_secs(max_age.saturating_sub(age));
        assert!(promised <= left, "{promised:?} promised, {left:?} left");
        if age > 2 {
            Ok(())
        } else {
            Err(format!("{age} s"))
        }
    })
    .await;
    assert!(cached_at.elapsed() > Duration::from_millis(1_500));
}

#[tokio::test]
async fn a_lifetime_of_less_than_a_second_is_max_age_0() {
    let app = alone(&[("CACHE_OPEN_TTL_MS", "999")]).await;
    let id = unique("p");
    Partition::of(&app).await.store(&[started(&id)]).await;
    let answer = app.get(&path(&id)).await.expect_status(200);
    assert_eq!(answer.header("cache-control"), Some("max-age=0"));
}

#[tokio::test]
async fn many_distinct_answers_stay_within_the_byte_limit() {
    const MAX_BYTES: f64 = 1_048_576.0;
    let app = alone(&[
        ("CACHE_MAX_BYTES", "1048576"),
        ("CACHE_OPEN_TTL_MS", "3600000"),
    ])
    .await;
    let ids: Vec<_> = (0..1_500).map(|_| unique("p")).collect();
    let events: Vec<_> = ids.iter().map(|id| started(id)).collect();
    Partition::of(&app).await.store(&events).await;
    for some in ids.chunks(250) {
        let app = &app;
        let get = |id| async move { app.get(&path(id)).await.expect_status(200) };
        stream::iter(some)
            .for_each_concurrent(32, |id| async move {
                assert_eq!(get(id).await.json()["playback_id"], *id);
            })
            .await;
        let taken = metric(app, "ess_query_cache_bytes").await;
        assert!(0.0 < taken && taken <= MAX_BYTES, "{taken}");
    }
    let displaced = "ess_query_cache_evictions_total{cause=\"displaced\"}";
    assert!(metric(&app, displaced).await > 0.0);
}
