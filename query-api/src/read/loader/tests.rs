//! Playbacks that share queries: none waits when it need not, none gets less than was there when it asked, and nobody's leaving
//! or failing is anybody else's.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::{
    sync::{Semaphore, mpsc},
    task::{JoinHandle, yield_now},
    time::timeout,
};

use super::*;

/// A read model that answers one query for each permit, and tells what it was asked and what was given up.
#[derive(Debug)]
struct Slow {
    gate: Semaphore,
    asked: mpsc::Sender<Vec<String>>,
    given_up: AtomicUsize,
    fails: bool,
}

struct Running<'s>(&'s Slow, bool);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.given_up.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Playbacks for Slow {
    /// It knows every playback whose id does not begin with "unknown".
    async fn read(
        &self,
        generation: u32,
        ids: Vec<PlaybackId>,
    ) -> Result<Vec<PlaybackRow>, SelectError> {
        let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
        let asked = ids.iter().map(|id| format!("{generation}/{id}"));
        self.asked.send(asked.collect()).await.unwrap();
        let mut running = Running(self, false);
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

struct Readers {
    slow: Arc<Slow>,
    loader: Arc<Loader<Slow>>,
    asked: mpsc::Receiver<Vec<String>>,
}

impl Readers {
    fn new(queue: usize) -> Self {
        Self::of(queue, false)
    }

    fn of(queue: usize, fails: bool) -> Self {
        let (sender, asked) = mpsc::channel(100);
        let slow = Arc::new(Slow {
            gate: Semaphore::new(0),
            asked: sender,
            given_up: AtomicUsize::default(),
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
        let loader = Arc::new(Loader::new(Arc::clone(&slow), &limits));
        Self {
            slow,
            loader,
            asked,
        }
    }

    /// One who asks, having come as far as it gets.
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

    async fn hears(&mut self, ids: &[&str]) {
        let heard = timeout(Duration::from_secs(10), self.asked.recv()).await;
        assert_eq!(heard.unwrap().unwrap(), ids);
    }

    fn answer(&self, queries: usize) {
        self.slow.gate.add_permits(queries);
    }
}

async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

#[tokio::test]
async fn one_who_asks_when_few_do_is_asked_for_at_once_and_others_gather() {
    let mut readers = Readers::new(100);
    let first = readers.load(1, "a").await;
    readers.hears(&["1/a"]).await;
    let second = readers.load(1, "b").await;
    readers.hears(&["1/b"]).await;
    let mut gathered = Vec::new();
    for id in ["d", "unknown", "c", "d"] {
        gathered.push(readers.load(1, id).await);
    }
    assert!(readers.asked.try_recv().is_err(), "two queries run");
    readers.answer(1);
    readers.hears(&["1/c", "1/d", "1/unknown"]).await;
    readers.answer(2);
    assert_eq!(first.await.unwrap(), Ok(Some("a".to_owned())));
    assert_eq!(second.await.unwrap(), Ok(Some("b".to_owned())));
    for (one, expected) in gathered
        .into_iter()
        .zip([Some("d"), None, Some("c"), Some("d")])
    {
        assert_eq!(one.await.unwrap(), Ok(expected.map(str::to_owned)));
    }
}

#[tokio::test]
async fn one_who_asks_what_is_being_read_gets_a_later_reading() {
    let mut readers = Readers::new(100);
    let _first = readers.load(1, "a").await;
    readers.hears(&["1/a"]).await;
    let _second = readers.load(1, "a").await;
    readers.hears(&["1/a"]).await;
    let _third = readers.load(1, "a").await;
    readers.answer(1);
    readers.hears(&["1/a"]).await;
}

#[tokio::test]
async fn a_query_asks_one_generation_and_so_many_playbacks() {
    let mut readers = Readers::new(1_000);
    let mut all = vec![readers.load(1, "a").await, readers.load(1, "b").await];
    readers.hears(&["1/a"]).await;
    readers.hears(&["1/b"]).await;
    for id in 0..=MOST_IDS {
        all.push(readers.load(1, &format!("{id:03}")).await);
    }
    all.push(readers.load(2, "z").await);
    readers.answer(100);
    assert_eq!(readers.asked.recv().await.unwrap().len(), MOST_IDS);
    readers.hears(&["1/128"]).await;
    readers.hears(&["2/z"]).await;
    for one in all {
        assert!(one.await.unwrap().unwrap().is_some());
    }
}

#[tokio::test]
async fn past_the_bound_one_who_asks_is_refused_at_once() {
    let readers = Readers::new(2);
    let mut waiting = Vec::new();
    for id in ["a", "b", "c", "d"] {
        waiting.push(readers.load(1, id).await);
    }
    let refused = readers.load(1, "e").await;
    let refused = timeout(Duration::from_secs(10), refused).await;
    assert_eq!(refused.unwrap().unwrap(), Err(503));
    waiting[3].abort();
    settle().await;
    let in_its_place = readers.load(1, "f").await;
    readers.answer(3);
    assert_eq!(in_its_place.await.unwrap(), Ok(Some("f".to_owned())));
}

#[tokio::test]
async fn a_query_ends_with_the_last_who_waits_for_it() {
    let mut readers = Readers::new(100);
    let alone = readers.load(1, "a").await;
    let other = readers.load(1, "b").await;
    let (left, stays) = (readers.load(1, "c").await, readers.load(1, "d").await);
    readers.hears(&["1/a"]).await;
    readers.hears(&["1/b"]).await;
    alone.abort();
    readers.hears(&["1/c", "1/d"]).await;
    assert_eq!(readers.slow.given_up.load(Ordering::SeqCst), 1);
    left.abort();
    settle().await;
    readers.answer(2);
    assert_eq!(stays.await.unwrap(), Ok(Some("d".to_owned())));
    assert_eq!(other.await.unwrap(), Ok(Some("b".to_owned())));
    assert_eq!(readers.slow.given_up.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn one_who_left_before_a_query_began_is_not_asked_for() {
    let mut readers = Readers::new(100);
    let _running = [readers.load(1, "a").await, readers.load(1, "b").await];
    readers.hears(&["1/a"]).await;
    readers.hears(&["1/b"]).await;
    let (left, _stays) = (readers.load(1, "c").await, readers.load(1, "d").await);
    left.abort();
    settle().await;
    readers.answer(1);
    readers.hears(&["1/d"]).await;
}

#[tokio::test]
async fn a_failure_reaches_all_who_share_the_query() {
    let readers = Readers::of(100, true);
    let mut all = Vec::new();
    for id in ["a", "b", "c", "d"] {
        all.push(readers.load(1, id).await);
    }
    readers.answer(3);
    for one in all {
        assert_eq!(one.await.unwrap(), Err(503));
    }
}

#[tokio::test]
async fn a_panic_leaves_nobody_waiting_for_ever() {
    let readers = Readers::new(100);
    let mut all = vec![
        readers.load(1, "panic").await,
        readers.load(1, "panic").await,
    ];
    all.push(readers.load(1, "a").await);
    readers.answer(2);
    for one in all {
        let told = timeout(Duration::from_secs(10), one).await;
        assert_eq!(told.unwrap().unwrap(), Err(500));
    }
    let next = readers.load(1, "b").await;
    readers.answer(1);
    let told = timeout(Duration::from_secs(10), next).await;
    assert_eq!(told.unwrap().unwrap(), Ok(Some("b".to_owned())));
}
