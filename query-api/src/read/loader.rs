//! Loads single playbacks, many with one query: a further playback in a query costs little. A load starts a query at once if one
//! may start; otherwise it waits, and all waiting loads share the next query.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ess_schema::PlaybackId;
use ess_service::problem::{Problem, ProblemKind};
use tokio::sync::oneshot;

use crate::{
    config::LimitsConfig,
    read::read_model::{ReadModel, SelectError},
    sql::{PlaybackRow, PlaybackStates, PlaybacksById},
};

/// The maximum number of playbacks of one query.
const MAX_IDS: usize = 128;
/// The maximum number of queries at a time: while one is read, the next is on its way.
const MAX_QUERIES: usize = 2;

/// Where playbacks are read.
pub(crate) trait PlaybackSource: Send + Sync + 'static {
    /// Reads the playbacks among `ids` that a generation has, in any order.
    fn read(
        &self,
        generation: u32,
        ids: Vec<PlaybackId>,
    ) -> impl Future<Output = Result<Vec<PlaybackRow>, SelectError>> + Send;
}

impl PlaybackSource for ReadModel {
    async fn read(
        &self,
        generation: u32,
        ids: Vec<PlaybackId>,
    ) -> Result<Vec<PlaybackRow>, SelectError> {
        let states = self.select(generation, &PlaybacksById(ids)).await?;
        Ok(PlaybackStates::merged(states)
            .map(PlaybackRow::from)
            .collect())
    }
}

/// Loads playbacks with shared queries.
#[derive(Debug)]
pub(crate) struct Loader<P>(Arc<Loads<P>>);

#[derive(Debug)]
struct Loads<P> {
    source: Arc<P>,
    max_queries: usize,
    max_waiting: usize,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<PendingLoad>,
    queries: usize,
}

/// A load that waits for a query or its result.
#[derive(Debug)]
struct PendingLoad {
    generation: u32,
    id: PlaybackId,
    reply: oneshot::Sender<Result<Option<PlaybackRow>, Problem>>,
}

impl<P: PlaybackSource> Loader<P> {
    /// A loader in which at most `limits.queue` loads wait for a query.
    pub(crate) fn new(source: Arc<P>, limits: &LimitsConfig) -> Self {
        Self(Arc::new(Loads {
            source,
            max_queries: MAX_QUERIES.min(limits.concurrency),
            max_waiting: limits.queue,
            queue: Mutex::default(),
        }))
    }

    /// The playback in a generation, if it has it. The query starts after this call, so it includes everything that the generation
    /// was known to include before. A query is cancelled when all its loads are dropped.
    ///
    /// # Errors
    /// 503 when too many loads wait already; or the error of the query, for all loads that share it.
    pub(crate) async fn load(
        &self,
        generation: u32,
        id: PlaybackId,
    ) -> Result<Option<PlaybackRow>, Problem> {
        let (reply, result) = oneshot::channel();
        let load = PendingLoad {
            generation,
            id,
            reply,
        };
        if self.0.enqueue(load)? {
            let worker = Worker {
                loads: Arc::clone(&self.0),
                is_done: false,
            };
            tokio::spawn(worker.run());
        }
        result.await.unwrap_or_else(|_| {
            Err(Problem::new(
                ProblemKind::Internal,
                "the playback could not be read",
            ))
        })
    }
}

impl<P> Loads<P> {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enqueues a load. True: a further query may start.
    fn enqueue(&self, load: PendingLoad) -> Result<bool, SelectError> {
        let mut queue = self.queue();
        let may_start = queue.queries < self.max_queries;
        if may_start {
            queue.queries += 1;
        } else if queue.waiting.len() >= self.max_waiting {
            queue.waiting.retain(|load| !load.reply.is_closed());
            if queue.waiting.len() >= self.max_waiting {
                return Err(SelectError::Overloaded);
            }
        }
        queue.waiting.push_back(load);
        Ok(may_start)
    }

    /// The loads of the next query: the first that waits, and those behind it of the same generation. Without any, the query ends.
    fn next_loads(&self) -> Vec<PendingLoad> {
        let mut queue = self.queue();
        let mut loads: Vec<PendingLoad> = Vec::new();
        while let Some(load) = queue.waiting.pop_front() {
            let first = loads.first();
            if first.is_some_and(|first| first.generation != load.generation) {
                queue.waiting.push_front(load);
                break;
            }
            if !load.reply.is_closed() {
                loads.push(load);
            }
            if loads.len() == MAX_IDS {
                break;
            }
        }
        if loads.is_empty() {
            queue.queries -= 1;
        }
        loads
    }
}

/// Runs one query at a time until no load waits.
struct Worker<P> {
    loads: Arc<Loads<P>>,
    is_done: bool,
}

impl<P> Drop for Worker<P> {
    /// After a panic, no load may wait for a query that never starts.
    fn drop(&mut self) {
        if !self.is_done {
            let mut queue = self.loads.queue();
            queue.queries -= 1;
            queue.waiting.clear();
        }
    }
}

impl<P: PlaybackSource> Worker<P> {
    async fn run(mut self) {
        loop {
            let mut loads = self.loads.next_loads();
            let Some(first) = loads.first() else {
                self.is_done = true;
                return;
            };
            let generation = first.generation;
            let mut ids: Vec<_> = loads.iter().map(|load| load.id.clone()).collect();
            ids.sort_unstable();
            ids.dedup();
            let result = tokio::select! {
                result = self.loads.source.read(generation, ids) => result,
                () = all_dropped(&mut loads) => continue,
            };
            reply(loads, result);
        }
    }
}

async fn all_dropped(loads: &mut [PendingLoad]) {
    for load in loads {
        load.reply.closed().await;
    }
}

/// Sends each load its own playback, unless it was dropped meanwhile.
fn reply(loads: Vec<PendingLoad>, result: Result<Vec<PlaybackRow>, SelectError>) {
    let rows = result.map_err(Problem::from).map(|rows| {
        let by_id = rows
            .into_iter()
            .map(|row| (row.playback_id().to_owned(), row));
        by_id.collect::<HashMap<_, _>>()
    });
    for PendingLoad { id, reply, .. } in loads {
        let rows = rows.as_ref().map_err(Clone::clone);
        let _ = reply.send(rows.map(|rows| rows.get(id.as_str()).cloned()));
    }
}

#[cfg(test)]
mod tests;
