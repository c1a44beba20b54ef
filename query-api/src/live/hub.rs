//! Who listens to what: one feed a question, a bounded number of them, and a bounded number of listeners (invariant I10).

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
    Begin, Source,
    feed::Feed,
    listener::{Listener, Place},
};
use crate::{config::LiveConfig, question::LiveQuestion};

const FEEDS: &str = "ess_query_live_feeds";

/// The bytes of a stream as they become due, of `text/event-stream`.
pub(crate) type Listening = BoxStream<'static, io::Result<Bytes>>;

/// Everything that is listened to.
#[derive(Debug)]
pub(crate) struct Hub<S> {
    source: Arc<S>,
    config: LiveConfig,
    feeds: Arc<Feeds>,
    places: Arc<Semaphore>,
    stopping: CancellationToken,
}

/// The feeds by question. Joining, forgetting and counting happen under one lock, so that nobody joins what is being forgotten.
#[derive(Debug, Default)]
struct Feeds(Mutex<HashMap<LiveQuestion, Arc<Feed>>>);

/// A feed whose task runs: forgotten however that ends, which ends its listeners' streams, too.
struct Running {
    feed: Arc<Feed>,
    feeds: Arc<Feeds>,
}

impl Feeds {
    fn lock(&self) -> MutexGuard<'_, HashMap<LiveQuestion, Arc<Feed>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Whether the feed is forgotten: it was, or nobody listens and `rested` says that this has lasted.
    fn may_end(&self, rested: bool) -> bool {
        let mut feeds = self.feeds.lock();
        let known = feeds.get(&self.feed.question);
        let is_known = known.is_some_and(|known| Arc::ptr_eq(known, &self.feed));
        if is_known && rested && self.feed.is_idle() {
            feeds.remove(&self.feed.question);
            return true;
        }
        !is_known
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut feeds = self.feeds.lock();
        let known = feeds.get(&self.feed.question);
        if known.is_some_and(|known| Arc::ptr_eq(known, &self.feed)) {
            feeds.remove(&self.feed.question);
        }
        metrics::gauge!(FEEDS).set(feeds.len() as f64);
    }
}

impl<S: Source> Hub<S> {
    /// Nobody listens yet. When `stopping`, the feeds end, and with them the streams.
    pub(crate) fn new(source: S, config: LiveConfig, stopping: CancellationToken) -> Self {
        Place::describe();
        metrics::describe_gauge!(
            FEEDS,
            "questions that such streams ask, or asked a moment ago"
        );
        Self {
            source: Arc::new(source),
            places: Arc::new(Semaphore::new(config.listeners)),
            config,
            feeds: Arc::default(),
            stopping,
        }
    }

    /// Where it asks.
    pub(crate) fn source(&self) -> &S {
        &self.source
    }

    /// The stream of a question.
    ///
    /// # Errors
    /// 503 when too many listen, or to too many questions.
    pub(crate) fn listen(
        &self,
        question: &LiveQuestion,
        begin: Begin,
    ) -> Result<Listening, Problem> {
        let permit = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| too_many("listen to what is playing now"))?;
        let recent = {
            let mut feeds = self.feeds.lock();
            if !feeds.contains_key(question) {
                self.make_room(&mut feeds)?;
                self.start(question.clone(), &mut feeds);
            }
            let feed = feeds.get(question).map(|feed| feed.join());
            feed.ok_or_else(|| too_many("listen to what is playing now"))?
        };
        let listener = Listener::new(recent, begin, &self.config, Place::new(permit));
        let next = |mut listener: Listener| async {
            let bytes = listener.next().await?;
            Some((Ok(bytes), listener))
        };
        Ok(stream::unfold(listener, next).boxed())
    }

    /// Forgets those that nobody listens to, if there is no room for one more.
    fn make_room(&self, feeds: &mut HashMap<LiveQuestion, Arc<Feed>>) -> Result<(), Problem> {
        if feeds.len() < self.config.questions {
            return Ok(());
        }
        feeds.retain(|_, feed| {
            let is_idle = feed.is_idle();
            if is_idle {
                feed.wake();
            }
            !is_idle
        });
        if feeds.len() < self.config.questions {
            Ok(())
        } else {
            Err(too_many("different questions are listened to"))
        }
    }

    fn start(&self, question: LiveQuestion, feeds: &mut HashMap<LiveQuestion, Arc<Feed>>) {
        let feed = Arc::new(Feed::new(question.clone()));
        feeds.insert(question, Arc::clone(&feed));
        metrics::gauge!(FEEDS).set(feeds.len() as f64);
        let running = Running {
            feed,
            feeds: Arc::clone(&self.feeds),
        };
        let (source, every, stopping) = (
            Arc::clone(&self.source),
            self.config.interval,
            self.stopping.clone(),
        );
        tokio::spawn(async move {
            let feed = Arc::clone(&running.feed);
            let run = feed.run(&*source, every, |rested| running.may_end(rested));
            stopping.run_until_cancelled(run).await;
        });
    }
}

fn too_many(what: &str) -> Problem {
    let detail = format!("too many {what} already");
    Problem::new(ProblemKind::Overloaded, detail).with_retry_after(5)
}
