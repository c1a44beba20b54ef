//! Playbacks, asked for one at a time and read many at a time: reading one costs a query, and a further one in the same query
//! little. While a query may be begun it is at once; else those who ask wait, and go together.

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

/// The most playbacks of one query.
const MOST_IDS: usize = 128;
/// The most queries at a time: while one is answered, the next is on its way.
const MOST_QUERIES: usize = 2;

/// Where playbacks are read.
pub(crate) trait Playbacks: Send + Sync + 'static {
    /// Reads those of `ids` that a generation knows, in any order.
    fn read(
        &self,
        generation: u32,
        ids: Vec<PlaybackId>,
    ) -> impl Future<Output = Result<Vec<PlaybackRow>, SelectError>> + Send;
}

impl Playbacks for ReadModel {
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

/// Lets those who ask for playbacks share queries.
#[derive(Debug)]
pub(crate) struct Loader<P>(Arc<Shared<P>>);

#[derive(Debug)]
struct Shared<P> {
    playbacks: Arc<P>,
    most_queries: usize,
    most_waiting: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Asked>,
    queries: usize,
}

/// One who asks.
#[derive(Debug)]
struct Asked {
    generation: u32,
    id: PlaybackId,
    told: oneshot::Sender<Result<Option<PlaybackRow>, Problem>>,
}

impl<P: Playbacks> Loader<P> {
    /// At most `limits.queue` wait for a query.
    pub(crate) fn new(playbacks: Arc<P>, limits: &LimitsConfig) -> Self {
        Self(Arc::new(Shared {
            playbacks,
            most_queries: MOST_QUERIES.min(limits.concurrency),
            most_waiting: limits.queue,
            state: Mutex::default(),
        }))
    }

    /// The playback as a generation holds it, if it knows it. The query that reads it begins after this call: it holds whatever
    /// the caller was told before that the generation holds. Once all who share a query are gone, it is cancelled.
    ///
    /// # Errors
    /// 503 when too many wait already; what the query failed with, which all who share it are told.
    pub(crate) async fn load(
        &self,
        generation: u32,
        id: PlaybackId,
    ) -> Result<Option<PlaybackRow>, Problem> {
        let (told, outcome) = oneshot::channel();
        let asked = Asked {
            generation,
            id,
            told,
        };
        if self.0.take_in(asked)? {
            let query = Query {
                shared: Arc::clone(&self.0),
                is_over: false,
            };
            tokio::spawn(query.read_all());
        }
        outcome.await.unwrap_or_else(|_| {
            Err(Problem::new(
                ProblemKind::Internal,
                "the playback could not be read",
            ))
        })
    }
}

impl<P> Shared<P> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a query may be begun for the one who asks; else it waits.
    fn take_in(&self, asked: Asked) -> Result<bool, SelectError> {
        let mut state = self.state();
        let begins = state.queries < self.most_queries;
        if begins {
            state.queries += 1;
        } else if state.waiting.len() >= self.most_waiting {
            state.waiting.retain(|asked| !asked.told.is_closed());
            if state.waiting.len() >= self.most_waiting {
                return Err(SelectError::Overloaded);
            }
        }
        state.waiting.push_back(asked);
        Ok(begins)
    }

    /// Those who go together next: the first who waits, and those behind it that ask the same generation.
    fn next_to_go(&self) -> Vec<Asked> {
        let mut state = self.state();
        let mut going: Vec<Asked> = Vec::new();
        while let Some(asked) = state.waiting.pop_front() {
            let first = going.first();
            if first.is_some_and(|first| first.generation != asked.generation) {
                state.waiting.push_front(asked);
                break;
            }
            if !asked.told.is_closed() {
                going.push(asked);
            }
            if going.len() == MOST_IDS {
                break;
            }
        }
        if going.is_empty() {
            state.queries -= 1;
        }
        going
    }
}

/// The right to run one query at a time.
struct Query<P> {
    shared: Arc<Shared<P>>,
    is_over: bool,
}

impl<P> Drop for Query<P> {
    /// After a panic nobody may be left waiting for a query that will not be begun.
    fn drop(&mut self) {
        if !self.is_over {
            let mut state = self.shared.state();
            state.queries -= 1;
            state.waiting.clear();
        }
    }
}

impl<P: Playbacks> Query<P> {
    /// Reads for all who wait, until nobody does.
    async fn read_all(mut self) {
        loop {
            let mut going = self.shared.next_to_go();
            let Some(first) = going.first() else {
                self.is_over = true;
                return;
            };
            let generation = first.generation;
            let mut ids: Vec<_> = going.iter().map(|asked| asked.id.clone()).collect();
            ids.sort_unstable();
            ids.dedup();
            let read = tokio::select! {
                read = self.shared.playbacks.read(generation, ids) => read,
                () = all_gone(&mut going) => continue,
            };
            tell(going, read);
        }
    }
}

async fn all_gone(going: &mut [Asked]) {
    for asked in going {
        asked.told.closed().await;
    }
}

/// Tells each its own playback. One who left meanwhile hears nothing.
fn tell(going: Vec<Asked>, read: Result<Vec<PlaybackRow>, SelectError>) {
    let rows = read.map_err(Problem::from).map(|rows| {
        let by_id = rows
            .into_iter()
            .map(|row| (row.playback_id().to_owned(), row));
        by_id.collect::<HashMap<_, _>>()
    });
    for Asked { id, told, .. } in going {
        let rows = rows.as_ref().map_err(Clone::clone);
        let _ = told.send(rows.map(|rows| rows.get(id.as_str()).cloned()));
    }
}

#[cfg(test)]
mod tests;
