//! Those who ask the same at the same time: they share one query, which ends with the last of them and not with the first.

use tokio::{
    sync::{Semaphore, mpsc},
    task::{JoinHandle, yield_now},
    time::timeout,
};

use super::*;

type Answered = JoinHandle<Result<String, Problem>>;

const DEADLINE: Duration = Duration::from_secs(10);

/// A read model that answers each query once it is told to, and tells when one begins and when one is given up.
struct Slow {
    cache: Cache,
    asked: Asked,
    gates: Arc<[Semaphore; 3]>,
    events: mpsc::Sender<&'static str>,
    seen: mpsc::Receiver<&'static str>,
}

/// Tells that a query was given up, if it was.
struct Running(mpsc::Sender<&'static str>, bool);

impl Drop for Running {
    fn drop(&mut self) {
        if !self.1 {
            self.0.try_send("given up").unwrap();
        }
    }
}

impl Slow {
    fn new() -> Self {
        let (events, seen) = mpsc::channel(100);
        Self {
            cache: cache(1 << 20),
            asked: Asked::default(),
            gates: Arc::new([(); 3].map(|()| Semaphore::new(0))),
            events,
            seen,
        }
    }

    /// One more who asks.
    fn ask(&self, view: &Arc<View>, after: &[&str]) -> Answered {
        let (cache, asked) = (self.cache.clone(), self.asked.clone());
        let (gates, events) = (Arc::clone(&self.gates), self.events.clone());
        let view = Arc::clone(view);
        let after: Vec<Position> = after.iter().map(|text| text.parse().unwrap()).collect();
        tokio::spawn(async move {
            let ask = |_| async move {
                let mut running = Running(events.clone(), false);
                let content = asked.content(LONG);
                events.send("begun").await.unwrap();
                let query: usize = str::from_utf8(&content.body).unwrap().parse().unwrap();
                gates[query - 1].acquire().await.unwrap().forget();
                running.1 = true;
                Ok(content)
            };
            let kept = cache.answer(question("p"), &view, &after, ask).await;
            kept.map(|kept| text(&kept))
        })
    }

    /// Lets a query be answered, the first being 1.
    fn answer(&self, query: usize) {
        self.gates[query - 1].add_permits(1);
    }

    async fn hears(&mut self, event: &str) {
        let heard = timeout(DEADLINE, self.seen.recv()).await;
        assert_eq!(heard, Ok(Some(event)));
    }
}

/// Lets everybody come as far as he can.
async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

#[tokio::test]
async fn a_herd_costs_one_query() {
    let (slow, view) = (Slow::new(), seen(1, 5));
    let herd: Vec<_> = (0..100).map(|_| slow.ask(&view, &[])).collect();
    slow.answer(1);
    for one in herd {
        assert_eq!(one.await.unwrap().unwrap(), "1");
    }
    assert_eq!(slow.asked.times(), 1);
}

#[tokio::test]
async fn a_query_goes_on_for_those_who_wait_when_the_one_who_began_it_leaves() {
    let (mut slow, view) = (Slow::new(), seen(1, 5));
    let first = slow.ask(&view, &[]);
    slow.hears("begun").await;
    let second = slow.ask(&view, &[]);
    settle().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    settle().await;
    slow.answer(1);
    assert_eq!(second.await.unwrap().unwrap(), "1");
    assert_eq!(slow.asked.times(), 1);
}

#[tokio::test]
async fn a_query_that_nobody_waits_for_any_more_is_given_up() {
    let (mut slow, view) = (Slow::new(), seen(1, 5));
    let both = [slow.ask(&view, &[]), slow.ask(&view, &[])];
    slow.hears("begun").await;
    settle().await;
    both.iter().for_each(JoinHandle::abort);
    slow.hears("given up").await;
    let next = slow.ask(&view, &[]);
    slow.hears("begun").await;
    slow.answer(2);
    assert_eq!(next.await.unwrap().unwrap(), "2");
}

#[tokio::test]
async fn one_who_needs_a_newer_answer_does_not_wait_for_an_older_query() {
    let mut slow = Slow::new();
    let older = slow.ask(&seen(1, 5), &[]);
    slow.hears("begun").await;
    let newer = slow.ask(&seen(1, 6), &["7:5"]);
    slow.hears("begun").await;
    let joins_the_newer = slow.ask(&seen(1, 6), &["7:5"]);
    settle().await;
    slow.answer(2);
    assert_eq!(newer.await.unwrap().unwrap(), "2");
    assert_eq!(joins_the_newer.await.unwrap().unwrap(), "2");
    slow.answer(1);
    assert_eq!(older.await.unwrap().unwrap(), "1");
    let kept = slow
        .asked
        .through(&slow.cache, &seen(1, 6), &[], LONG)
        .await;
    assert_eq!(
        kept, "2",
        "the older answer did not take the newer one's place"
    );
}

#[tokio::test]
async fn a_failure_and_a_panic_reach_all_who_wait() {
    let (cache, view) = (cache(1 << 20), seen(1, 5));
    let gate = Arc::new(Semaphore::new(0));
    for (panics, status) in [(false, 404), (true, 500)] {
        let waiting: Vec<_> = (0..10)
            .map(|_| {
                let (cache, view, gate) = (cache.clone(), Arc::clone(&view), Arc::clone(&gate));
                tokio::spawn(async move {
                    let ask = |_| async move {
                        gate.acquire().await.unwrap().forget();
                        assert!(!panics, "a defect");
                        Err(Problem::new(ProblemKind::NotFound, "nothing"))
                    };
                    cache.answer(question("p"), &view, &[], ask).await
                })
            })
            .collect();
        settle().await;
        gate.add_permits(1);
        for one in waiting {
            assert_eq!(one.await.unwrap().unwrap_err().status, status);
        }
    }
}
