//! Loads that share queries: none waits without need, none gets data older than its call, and a load that is dropped or fails
//! affects no other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::{
    sync::{Semaphore, mpsc},
    task::{JoinHandle, yield_now},
    time::timeout,
};

use super::*;

/// A source that completes one query for each permit and reports the ids of each query and the number of cancelled ones.
#[derive(Debug)]
struct SlowSource {
    gate: Semaphore,
    queried: mpsc::Sender<Vec<String>>,
    cancelled: AtomicUsize,
    fails: bool,
}

struct RunningRead<'s>(&'s SlowSource, bool);

impl Drop for RunningRead<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.cancelled.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl PlaybackSource for SlowSource {
    /// Every playback exists, unless its id begins with "unknown".
    async fn read(
        &self,
        generation: u32,
        ids: Vec<PlaybackId>,
    ) -> Result<Vec<PlaybackRow>, SelectError> {
        let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
        let queried = ids.iter().map(|id| format!("{generation}/{id}"));
        self.queried.send(queried.collect()).await.unwrap();
        let mut running = RunningRead(self, false);
        self.gate.acquire().await.unwrap().forget();
        running.1 = true;
        assert!(!ids.contains(&"panic".to_owned()), "a defect");
        if self.fails {
            return Err(SelectError::TimedOut);
        }
        let known = ids.into_iter().filter(|id| !id.starts_with("unknown"));
        Ok(known.map(PlaybackRow::named).collect())
    }
}

type Loading = JoinHandle<Result<Option<String>, u16>>;

struct Callers {
    source: Arc<SlowSource>,
    loader: Arc<Loader<SlowSource>>,
    queried: mpsc::Receiver<Vec<String>>,
}

impl Callers {
    fn new(queue: usize) -> Self {
        Self::of(queue, false)
    }

    fn of(queue: usize, fails: bool) -> Self {
        let (sender, queried) = mpsc::channel(100);
        let source = Arc::new(SlowSource {
            gate: Semaphore::new(0),
            queried: sender,
            cancelled: AtomicUsize::default(),
            fails,
        });
        let limits = LimitsConfig {
            time: Duration::from_secs(1),
            memory_bytes: 1,
            rows_read: 1,
            bytes_read: 1,
            concurrency: 2,
            queue,
            heavy_concurrency: 1,
            heavy_queue: 1,
        };
        let loader = Arc::new(Loader::new(Arc::clone(&source), &limits));
        Self {
            source,
            loader,
            queried,
        }
    }

    /// A load, run until it waits.
    async fn load(&self, generation: u32, id: &str) -> Loading {
        let (loader, id) = (Arc::clone(&self.loader), PlaybackId::new(id).unwrap());
        let loading = tokio::spawn(async move {
            let row = loader.load(generation, id).await;
            row.map(|row| row.map(|row| row.playback_id().to_owned()))
                .map_err(|problem| problem.status)
        });
        settle().await;
        loading
    }

    async fn expect_query(&mut self, ids: &[&str]) {
        let queried = timeout(Duration::from_secs(10), self.queried.recv()).await;
        assert_eq!(queried.unwrap().unwrap(), ids);
    }

    fn complete(&self, queries: usize) {
        self.source.gate.add_permits(queries);
    }
}

async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

#[tokio::test]
async fn the_first_loads_start_queries_at_once_and_later_ones_share_the_next() {
    let mut callers = Callers::new(100);
    let first = callers.load(1, "a").await;
    callers.expect_query(&["1/a"]).await;
    let second = callers.load(1, "b").await;
    callers.expect_query(&["1/b"]).await;
    let mut waiting = Vec::new();
    for id in ["d", "unknown", "c", "d"] {
        waiting.push(callers.load(1, id).await);
    }
    assert!(callers.queried.try_recv().is_err(), "two queries run");
    callers.complete(1);
    callers.expect_query(&["1/c", "1/d", "1/unknown"]).await;
    callers.complete(2);
    assert_eq!(first.await.unwrap(), Ok(Some("a".to_owned())));
    assert_eq!(second.await.unwrap(), Ok(Some("b".to_owned())));
    for (one, expected) in waiting
        .into_iter()
        .zip([Some("d"), None, Some("c"), Some("d")])
    {
        assert_eq!(one.await.unwrap(), Ok(expected.map(str::to_owned)));
    }
}

#[tokio::test]
async fn a_load_of_a_playback_that_is_being_read_gets_a_later_query() {
    let mut callers = Callers::new(100);
    let _first = callers.load(1, "a").await;
    callers.expect_query(&["1/a"]).await;
    let _second = callers.load(1, "a").await;
    callers.expect_query(&["1/a"]).await;
    let _third = callers.load(1, "a").await;
    callers.complete(1);
    callers.expect_query(&["1/a"]).await;
}

#[tokio::test]
async fn a_query_has_one_generation_and_a_limited_number_of_playbacks() {
    let mut callers = Callers::new(1_000);
    let mut all = vec![callers.load(1, "a").await, callers.load(1, "b").await];
    callers.expect_query(&["1/a"]).await;
    callers.expect_query(&["1/b"]).await;
    for id in 0..=MAX_IDS {
        all.push(callers.load(1, &format!("{id:03}")).await);
    }
    all.push(callers.load(2, "z").await);
    callers.complete(100);
    assert_eq!(callers.queried.recv().await.unwrap().len(), MAX_IDS);
    callers.expect_query(&["1/128"]).await;
    callers.expect_query(&["2/z"]).await;
    for one in all {
        assert!(one.await.unwrap().unwrap().is_some());
    }
}

#[tokio::test]
async fn loads_past_the_bound_are_refused_at_once() {
    let callers = Callers::new(2);
    let mut waiting = Vec::new();
    for id in ["a", "b", "c", "d"] {
        waiting.push(callers.load(1, id).await);
    }
    let refused = callers.load(1, "e").await;
    let refused = timeout(Duration::from_secs(10), refused).await;
    assert_eq!(refused.unwrap().unwrap(), Err(503));
    waiting[3].abort();
    settle().await;
    let next = callers.load(1, "f").await;
    callers.complete(3);
    assert_eq!(next.await.unwrap(), Ok(Some("f".to_owned())));
}

#[tokio::test]
async fn a_query_is_cancelled_with_the_last_of_its_loads() {
    let mut callers = Callers::new(100);
    let alone = callers.load(1, "a").await;
    let other = callers.load(1, "b").await;
    let (left, stays) = (callers.load(1, "c").await, callers.load(1, "d").await);
    callers.expect_query(&["1/a"]).await;
    callers.expect_query(&["1/b"]).await;
    alone.abort();
    callers.expect_query(&["1/c", "1/d"]).await;
    assert_eq!(callers.source.cancelled.load(Ordering::SeqCst), 1);
    left.abort();
    settle().await;
    callers.complete(2);
    assert_eq!(stays.await.unwrap(), Ok(Some("d".to_owned())));
    assert_eq!(other.await.unwrap(), Ok(Some("b".to_owned())));
    assert_eq!(callers.source.cancelled.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_load_dropped_before_the_query_is_not_queried() {
    let mut callers = Callers::new(100);
    let _running = [callers.load(1, "a").await, callers.load(1, "b").await];
    callers.expect_query(&["1/a"]).await;
    callers.expect_query(&["1/b"]).await;
    let (left, _stays) = (callers.load(1, "c").await, callers.load(1, "d").await);
    left.abort();
    settle().await;
    callers.complete(1);
    callers.expect_query(&["1/d"]).await;
}

#[tokio::test]
async fn an_error_reaches_all_loads_of_the_query() {
    let callers = Callers::of(100, true);
    let mut all = Vec::new();
    for id in ["a", "b", "c", "d"] {
        all.push(callers.load(1, id).await);
    }
    callers.complete(3);
    for one in all {
        assert_eq!(one.await.unwrap(), Err(503));
    }
}

#[tokio::test]
async fn after_a_panic_no_load_waits_forever() {
    let callers = Callers::new(100);
    let mut all = vec![
        callers.load(1, "panic").await,
        callers.load(1, "panic").await,
    ];
    all.push(callers.load(1, "a").await);
    callers.complete(2);
    for one in all {
        let result = timeout(Duration::from_secs(10), one).await;
        assert_eq!(result.unwrap().unwrap(), Err(500));
    }
    let next = callers.load(1, "b").await;
    callers.complete(1);
    let result = timeout(Duration::from_secs(10), next).await;
    assert_eq!(result.unwrap().unwrap(), Ok(Some("b".to_owned())));
}
