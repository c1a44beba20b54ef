//! Concurrent callers with one question share one query, which is cancelled with the last of them, not with the first.

use tokio::{
    sync::{Semaphore, mpsc},
    task::{JoinHandle, yield_now},
    time::timeout,
};

use super::*;

type CallerTask = JoinHandle<Result<String, Problem>>;

const DEADLINE: Duration = Duration::from_secs(10);

/// A read model whose queries complete on command; it reports when a query starts and when one is cancelled.
struct SlowReadModel {
    cache: Cache,
    queries: QueryCounter,
    gates: Arc<[Semaphore; 3]>,
    events: mpsc::Sender<&'static str>,
    reports: mpsc::Receiver<&'static str>,
}

/// Reports the cancellation of a query.
struct CancelReport(mpsc::Sender<&'static str>, bool);

impl Drop for CancelReport {
    fn drop(&mut self) {
        if !self.1 {
            self.0.try_send("cancelled").unwrap();
        }
    }
}

impl SlowReadModel {
    fn new() -> Self {
        let (events, reports) = mpsc::channel(100);
        Self {
            cache: cache(1 << 20),
            queries: QueryCounter::default(),
            gates: Arc::new([(); 3].map(|()| Semaphore::new(0))),
            events,
            reports,
        }
    }

    /// A caller.
    fn call(&self, view: &Arc<View>, after: &[&str]) -> CallerTask {
        let (cache, queries) = (self.cache.clone(), self.queries.clone());
        let (gates, events) = (Arc::clone(&self.gates), self.events.clone());
        let view = Arc::clone(view);
        let after: Vec<Position> = after.iter().map(|text| text.parse().unwrap()).collect();
        tokio::spawn(async move {
            let read = |_| async move {
                let mut running = CancelReport(events.clone(), false);
                let content = queries.content(LONG);
                events.send("started").await.unwrap();
                let query: usize = str::from_utf8(&content.body).unwrap().parse().unwrap();
                gates[query - 1].acquire().await.unwrap().forget();
                running.1 = true;
                Ok(content)
            };
            let answer = cache.answer(question("p"), &view, &after, read).await;
            answer.map(|answer| text(&answer))
        })
    }

    /// Completes a query, counted from 1.
    fn complete(&self, query: usize) {
        self.gates[query - 1].add_permits(1);
    }

    async fn expect(&mut self, event: &str) {
        let reported = timeout(DEADLINE, self.reports.recv()).await;
        assert_eq!(reported, Ok(Some(event)));
    }
}

/// Runs every task until it waits.
async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

#[tokio::test]
async fn concurrent_callers_share_one_query() {
    let (slow, view) = (SlowReadModel::new(), seen(1, 5));
    let callers: Vec<_> = (0..100).map(|_| slow.call(&view, &[])).collect();
    slow.complete(1);
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), "1");
    }
    assert_eq!(slow.queries.count(), 1);
}

#[tokio::test]
async fn a_query_runs_on_when_the_caller_that_started_it_leaves() {
    let (mut slow, view) = (SlowReadModel::new(), seen(1, 5));
    let first = slow.call(&view, &[]);
    slow.expect("started").await;
    let second = slow.call(&view, &[]);
    settle().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    settle().await;
    slow.complete(1);
    assert_eq!(second.await.unwrap().unwrap(), "1");
    assert_eq!(slow.queries.count(), 1);
}

#[tokio::test]
async fn a_query_is_cancelled_with_its_last_caller() {
    let (mut slow, view) = (SlowReadModel::new(), seen(1, 5));
    let both = [slow.call(&view, &[]), slow.call(&view, &[])];
    slow.expect("started").await;
    settle().await;
    both.iter().for_each(JoinHandle::abort);
    slow.expect("cancelled").await;
    let next = slow.call(&view, &[]);
    slow.expect("started").await;
    slow.complete(2);
    assert_eq!(next.await.unwrap().unwrap(), "2");
}

#[tokio::test]
async fn a_caller_that_requires_a_newer_answer_does_not_join_an_older_query() {
    let mut slow = SlowReadModel::new();
    let older = slow.call(&seen(1, 5), &[]);
    slow.expect("started").await;
    let newer = slow.call(&seen(1, 6), &["7:5"]);
    slow.expect("started").await;
    let joins_the_newer = slow.call(&seen(1, 6), &["7:5"]);
    settle().await;
    slow.complete(2);
    assert_eq!(newer.await.unwrap().unwrap(), "2");
    assert_eq!(joins_the_newer.await.unwrap().unwrap(), "2");
    slow.complete(1);
    assert_eq!(older.await.unwrap().unwrap(), "1");
    let cached = slow
        .queries
        .through(&slow.cache, &seen(1, 6), &[], LONG)
        .await;
    assert_eq!(
        cached, "2",
        "the older answer does not replace the newer one"
    );
}

#[tokio::test]
async fn an_error_and_a_panic_reach_all_callers() {
    let (cache, view) = (cache(1 << 20), seen(1, 5));
    let gate = Arc::new(Semaphore::new(0));
    for (panics, status) in [(false, 404), (true, 500)] {
        let callers: Vec<_> = (0..10)
            .map(|_| {
                let (cache, view, gate) = (cache.clone(), Arc::clone(&view), Arc::clone(&gate));
                tokio::spawn(async move {
                    let read = |_| async move {
                        gate.acquire().await.unwrap().forget();
                        assert!(!panics, "a defect");
                        Err(Problem::new(ProblemKind::NotFound, "nothing"))
                    };
                    cache.answer(question("p"), &view, &[], read).await
                })
            })
            .collect();
        settle().await;
        gate.add_permits(1);
        for caller in callers {
            assert_eq!(caller.await.unwrap().unwrap_err().status, status);
        }
    }
}
