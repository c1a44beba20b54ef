//! Callers that come, wait and leave in any order, under a seeded scheduler: each step polls or drops a caller, completes a query,
//! or lets the read model move on.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::Mutex,
    task::{Context, Waker},
};

use ess_fuzz::for_each_seed;
use futures::{FutureExt as _, channel::oneshot};
use rand::RngExt as _;
use rand_chacha::ChaCha12Rng;

use super::*;

const STEPS: u32 = 80;
const QUESTIONS: [&str; 2] = ["p", "q"];

type Answered = Result<Arc<CachedAnswer>, Problem>;

/// A caller that waits for an answer.
struct Caller {
    question: &'static str,
    view: Arc<View>,
    /// The first offset that it does not require.
    required: u64,
    future: Pin<Box<dyn Future<Output = Answered> + Send>>,
}

/// The queries that run.
#[derive(Debug, Clone, Default)]
struct RunningQueries(Arc<Mutex<HashMap<u64, RunningQuery>>>);

#[derive(Debug)]
struct RunningQuery {
    question: &'static str,
    view: Arc<View>,
    reply: Option<oneshot::Sender<Result<(), Problem>>>,
}

/// Removes a query that completed or was cancelled.
struct Finished(RunningQueries, u64);

impl Drop for Finished {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().remove(&self.1);
    }
}

struct World<'r> {
    random: &'r mut ChaCha12Rng,
    cache: Cache,
    callers: Vec<Caller>,
    queries: RunningQueries,
    started: u64,
    generation: u32,
    next_offset: u64,
    /// How far the cached answers of the active generation are, by question.
    cached: HashMap<&'static str, u64>,
}

impl<'r> World<'r> {
    fn new(random: &'r mut ChaCha12Rng) -> Self {
        Self {
            random,
            cache: cache(1 << 20),
            callers: Vec::new(),
            queries: RunningQueries::default(),
            started: 0,
            generation: 1,
            next_offset: 1,
            cached: HashMap::new(),
        }
    }

    fn step(&mut self) {
        match self.random.random_range(0..100) {
            0..30 => self.call(),
            30..65 => self.poll(),
            65..75 => self.leave(),
            75..92 => self.complete(),
            92..98 => self.next_offset += 1,
            _ => {
                self.generation += 1;
                self.cache.clear();
                self.cached.clear();
            }
        }
        self.assert_every_query_has_a_caller();
        self.assert_cached_answers_only_get_newer();
    }

    /// A caller that requires everything up to some offset, which its view includes.
    fn call(&mut self) {
        let question = QUESTIONS[self.random.random_range(0..QUESTIONS.len())];
        let required = self.random.random_range(0..=self.next_offset);
        let view = seen(self.generation, self.next_offset);
        let after: Vec<Position> = required
            .checked_sub(1)
            .map(|offset| Position {
                partition: 7,
                offset,
            })
            .into_iter()
            .collect();
        self.started += 1;
        let (id, queries, cache) = (self.started, self.queries.clone(), self.cache.clone());
        let (caller_view, key) = (Arc::clone(&view), super::question(question));
        let future = async move {
            let read = |view| run(queries, id, question, view);
            cache.answer(key, &caller_view, &after, read).await
        };
        self.callers.push(Caller {
            question,
            view,
            required,
            future: Box::pin(future),
        });
    }

    fn poll(&mut self) {
        if !self.callers.is_empty() {
            let at = self.random.random_range(0..self.callers.len());
            self.poll_caller(at);
        }
    }

    fn poll_caller(&mut self, at: usize) {
        let future = self.callers[at].future.as_mut();
        let Some(answer) = future.now_or_never() else {
            return;
        };
        let caller = self.callers.swap_remove(at);
        if let Ok(answer) = answer {
            assert_eq!(answer.view.generation, caller.view.generation);
            assert!(answer.view.next_offset(7) >= caller.required);
            assert_eq!(text(&answer), body(caller.question, &answer.view));
        }
    }

    fn leave(&mut self) {
        if !self.callers.is_empty() {
            let at = self.random.random_range(0..self.callers.len());
            drop(self.callers.swap_remove(at));
        }
    }

    /// Completes a query; one in four fails.
    fn complete(&mut self) {
        let fails = self.random.random_range(0..4) == 0;
        let mut queries = self.queries.0.lock().unwrap();
        let mut ids: Vec<_> = queries.keys().copied().collect();
        ids.sort_unstable();
        if ids.is_empty() {
            return;
        }
        let id = ids[self.random.random_range(0..ids.len())];
        let reply = queries.get_mut(&id).and_then(|query| query.reply.take());
        drop(queries);
        if let Some(reply) = reply {
            let problem = Problem::new(ProblemKind::NotFound, "nothing");
            let _ = reply.send(if fails { Err(problem) } else { Ok(()) });
        }
    }

    /// A query without callers would be one that nothing cancels.
    fn assert_every_query_has_a_caller(&self) {
        let queries = self.queries.0.lock().unwrap();
        for query in queries.values() {
            let shares = |caller: &Caller| {
                caller.question == query.question && caller.view.generation == query.view.generation
            };
            assert!(self.callers.iter().any(shares), "{query:?}");
        }
        assert!(queries.len() <= self.callers.len());
    }

    /// A query that was replaced must not store its answer.
    fn assert_cached_answers_only_get_newer(&mut self) {
        for question in QUESTIONS {
            let key = (self.generation, super::question(question));
            if let Some(answer) = self.cache.answers.get(&key) {
                let offset = answer.view.next_offset(7);
                let before = self.cached.insert(question, offset);
                assert!(before.is_none_or(|before| before <= offset), "{question}");
            }
        }
    }

    /// Once all queries complete, every caller is answered, and one query suffices for the callers that follow.
    fn assert_completes(&mut self) {
        while !self.callers.is_empty() {
            self.complete();
            for at in (0..self.callers.len()).rev() {
                self.poll_caller(at);
            }
        }
        assert!(self.queries.0.lock().unwrap().is_empty());
        assert!(self.cache.in_flight.is_empty());
        for _ in 0..3 {
            self.call();
        }
        for caller in &mut self.callers {
            let mut context = Context::from_waker(Waker::noop());
            let _ = caller.future.as_mut().poll(&mut context);
        }
        let queries = self.queries.0.lock().unwrap();
        assert!(queries.len() <= QUESTIONS.len());
    }
}

/// One query: it completes when the scheduler replies.
async fn run(
    queries: RunningQueries,
    id: u64,
    question: &'static str,
    view: Arc<View>,
) -> Result<Content, Problem> {
    let (reply, replied) = oneshot::channel();
    let _finished = Finished(queries.clone(), id);
    let running = RunningQuery {
        question,
        view: Arc::clone(&view),
        reply: Some(reply),
    };
    queries.0.lock().unwrap().insert(id, running);
    drop(queries);
    replied.await.unwrap()?;
    Ok(content(body(question, &view), LONG))
}

fn body(question: &str, view: &View) -> String {
    format!("{question} {} {}", view.generation, view.next_offset(7))
}

#[test]
fn callers_in_any_order_share_queries_and_get_answers_new_enough() {
    for_each_seed(1_000, |random| {
        let mut world = World::new(random);
        for _ in 0..STEPS {
            world.step();
        }
        world.assert_completes();
    });
}
