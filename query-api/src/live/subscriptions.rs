//! The subscriptions: one poller a question, a bounded number of pollers, and a bounded number of subscribers (invariant I10).

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use ess_service::problem::{Problem, ProblemKind};
use futures::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{
    LiveSource, StreamStart,
    poller::Poller,
    subscriber::{Subscriber, SubscriberPermit},
};
use crate::{config::LiveConfig, question::LiveQuestion};

const POLLERS: &str = "ess_query_live_feeds";

/// A stream of server-sent events, as bytes of `text/event-stream`.
pub(crate) type EventStream = BoxStream<'static, io::Result<Bytes>>;

/// The pollers and their subscribers.
#[derive(Debug)]
pub(crate) struct Subscriptions<S> {
    source: Arc<S>,
    config: LiveConfig,
    pollers: Arc<Pollers>,
    permits: Arc<Semaphore>,
    stopping: CancellationToken,
}

/// The pollers by question. One lock guards subscribing, removing and counting, so that no subscriber joins a poller that ends.
#[derive(Debug, Default)]
struct Pollers(Mutex<HashMap<LiveQuestion, Arc<Poller>>>);

/// A poller whose task runs. Dropping it, however the task ends, removes the poller, which ends the streams of its subscribers.
struct PollerTask {
    poller: Arc<Poller>,
    pollers: Arc<Pollers>,
}

impl Pollers {
    fn lock(&self) -> MutexGuard<'_, HashMap<LiveQuestion, Arc<Poller>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PollerTask {
    /// Whether the task may end: the poller is removed, or it is idle and `expired`, and is removed now.
    fn may_end(&self, expired: bool) -> bool {
        let mut pollers = self.pollers.lock();
        let known = pollers.get(&self.poller.question);
        let is_known = known.is_some_and(|known| Arc::ptr_eq(known, &self.poller));
        if is_known && expired && self.poller.is_idle() {
            pollers.remove(&self.poller.question);
            return true;
        }
        !is_known
    }
}

impl Drop for PollerTask {
    fn drop(&mut self) {
        let mut pollers = self.pollers.lock();
        let known = pollers.get(&self.poller.question);
        if known.is_some_and(|known| Arc::ptr_eq(known, &self.poller)) {
            pollers.remove(&self.poller.question);
        }
        metrics::gauge!(POLLERS).set(pollers.len() as f64);
    }
}

impl<S: LiveSource> Subscriptions<S> {
    /// Without subscribers. When `stopping` is cancelled, the pollers and the streams end.
    pub(crate) fn new(source: S, config: LiveConfig, stopping: CancellationToken) -> Self {
        SubscriberPermit::describe();
        metrics::describe_gauge!(POLLERS, "questions that are polled for such streams");
        Self {
            source: Arc::new(source),
            permits: Arc::new(Semaphore::new(config.listeners)),
            config,
            pollers: Arc::default(),
            stopping,
        }
    }

    /// The source of answers.
    pub(crate) fn source(&self) -> &S {
        &self.source
    }

    /// Subscribes to a question.
    ///
    /// # Errors
    /// 503 with too many subscribers, or with too many questions.
    pub(crate) fn subscribe(
        &self,
        question: &LiveQuestion,
        begin: StreamStart,
    ) -> Result<EventStream, Problem> {
        let permit = Arc::clone(&self.permits)
            .try_acquire_owned()
            .map_err(|_| too_many("streams are open"))?;
        let recent = {
            let mut pollers = self.pollers.lock();
            if !pollers.contains_key(question) {
                self.evict_idle(&mut pollers)?;
                self.start(question.clone(), &mut pollers);
            }
            let poller = pollers.get(question).map(|poller| poller.subscribe());
            poller.ok_or_else(|| too_many("streams are open"))?
        };
        let subscriber =
            Subscriber::new(recent, begin, &self.config, SubscriberPermit::new(permit));
        let next = |mut subscriber: Subscriber| async {
            let bytes = subscriber.next().await?;
            Some((Ok(bytes), subscriber))
        };
        Ok(stream::unfold(subscriber, next).boxed())
    }

    /// Removes idle pollers if the maximum is reached.
    ///
    /// # Errors
    /// 503 when all are in use.
    fn evict_idle(&self, pollers: &mut HashMap<LiveQuestion, Arc<Poller>>) -> Result<(), Problem> {
        if pollers.len() < self.config.questions {
            return Ok(());
        }
        pollers.retain(|_, poller| {
            let is_idle = poller.is_idle();
            if is_idle {
                poller.wake();
            }
            !is_idle
        });
        if pollers.len() < self.config.questions {
            Ok(())
        } else {
            Err(too_many("different questions are streamed"))
        }
    }

    fn start(&self, question: LiveQuestion, pollers: &mut HashMap<LiveQuestion, Arc<Poller>>) {
        let poller = Arc::new(Poller::new(question.clone()));
        pollers.insert(question, Arc::clone(&poller));
        metrics::gauge!(POLLERS).set(pollers.len() as f64);
        let task = PollerTask {
            poller,
            pollers: Arc::clone(&self.pollers),
        };
        let (source, every, stopping) = (
            Arc::clone(&self.source),
            self.config.interval,
            self.stopping.clone(),
        );
        tokio::spawn(async move {
            let poller = Arc::clone(&task.poller);
            let run = poller.run(&*source, every, |expired| task.may_end(expired));
            stopping.run_until_cancelled(run).await;
        });
    }
}

fn too_many(what: &str) -> Problem {
    let detail = format!("too many {what}");
    Problem::new(ProblemKind::Overloaded, detail).with_retry_after(5)
}
