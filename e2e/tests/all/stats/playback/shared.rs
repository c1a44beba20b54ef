//! Shared queries: several playbacks in one query, and callers that disconnect before the answer.

use ess_e2e::{TestApp, eventually, unique};
use futures::future::join_all;

use super::{path, started};
use crate::slow::{metric, query_count, running, slow_down, speed_up, until_running};
use crate::stored::{Partition, alone};

const QUERY: &str = "playbacks_by_id";
const SHARED: &str = "ess_query_cache_lookups_total{result=\"shared\"}";

/// A query-api with a long query timeout.
async fn with_long_timeout() -> TestApp {
    alone(&[
        ("QUERY_MAX_TIME_MS", "60000"),
        ("CACHE_OPEN_TTL_MS", "3600000"),
    ])
    .await
}

#[tokio::test]
async fn concurrent_cache_misses_share_queries_and_each_caller_gets_its_own_playback() {
    let app = with_long_timeout().await;
    let ids: Vec<_> = (0..250).map(|_| unique("p")).collect();
    let events: Vec<_> = ids.iter().map(|id| started(id)).collect();
    Partition::of(&app).await.store(&events).await;
    slow_down(&app, "playbacks_state", 40).await;
    let known = join_all(ids.iter().map(async |id| {
        let answer = app.get(&path(id)).await.expect_status(200);
        assert_eq!(answer.json()["playback_id"], **id);
    }));
    let unknown = join_all((0..50).map(async |_| {
        let _ = app.get(&path(&unique("unknown"))).await.expect_status(404);
    }));
    tokio::join!(known, unknown);
    let queries = query_count(&app, QUERY).await;
    assert!(queries < 30, "300 callers cost {queries} queries");
}

#[tokio::test]
async fn a_query_continues_for_other_waiters_when_its_first_caller_disconnects() {
    let app: &'static TestApp = Box::leak(Box::new(with_long_timeout().await));
    let id = unique("p");
    Partition::of(app).await.store(&[started(&id)]).await;
    slow_down(app, "playbacks_state", 100).await;
    let url = path(&id);
    let first = tokio::spawn({
        let url = url.clone();
        async move { app.get(&url).await }
    });
    let query = until_running(app, QUERY, 1).await;
    let second = tokio::spawn(async move { app.get(&url).await });
    eventually("the second shares the query", async || {
        let shared = metric(app, SHARED).await;
        if shared > 0.0 {
            Ok(())
        } else {
            Err(String::new())
        }
    })
    .await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(running(app, QUERY).await, query);
    let answer = second.await.unwrap().expect_status(200);
    assert_eq!(answer.json()["playback_id"], id);
    assert_eq!(query_count(app, QUERY).await, 1);
}

#[tokio::test]
async fn a_query_is_cancelled_on_the_server_when_its_last_waiter_disconnects() {
    let app: &'static TestApp = Box::leak(Box::new(with_long_timeout().await));
    let id = unique("p");
    Partition::of(app).await.store(&[started(&id)]).await;
    slow_down(app, "playbacks_state", 1_000).await;
    let both = [(); 2].map(|()| {
        let url = path(&id);
        tokio::spawn(async move { app.get(&url).await })
    });
    until_running(app, QUERY, 1).await;
    for one in both {
        one.abort();
    }
    until_running(app, QUERY, 0).await;
    speed_up(app, "playbacks_state").await;
    let _ = app.get(&path(&id)).await.expect_status(200);
}
