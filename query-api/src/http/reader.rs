//! What every operation needs, and the way from a question to its answer: wait for the caller's positions, then look the answer
//! up in the cache or read it.

use std::{sync::Arc, time::Duration};

use ess_schema::{Position, playback::Policy};
use ess_service::problem::Problem;

use super::playing::PlayingSource;
use crate::{
    config::{CacheConfig, LimitsConfig},
    live::Subscriptions,
    question::Question,
    read::{Cache, CachedAnswer, Content, LastCount, Layer, Loader, ReadModel, View, Watch},
};

/// Reads answers.
#[derive(Debug)]
pub(crate) struct Reader {
    /// The read model.
    pub(super) read_model: Arc<ReadModel>,
    /// Loads single playbacks.
    pub(super) playbacks: Loader<ReadModel>,
    /// Recent answers.
    pub(crate) cache: Cache,
    /// How far the read model is.
    pub(crate) watch: Watch,
    /// The last count of conflicting identities.
    pub(super) conflicts: LastCount,
    /// The streams of what is playing now.
    pub(super) live: Subscriptions<PlayingSource>,
    /// When a playback counts, and when it is settled.
    pub(super) policy: Policy,
    /// The lifetime of an answer that may change at any moment.
    pub(super) open_ttl: Duration,
    /// The lifetime of an answer about a settled playback.
    pub(super) settled_ttl: Duration,
}

impl Reader {
    pub(crate) fn new(
        read_model: Arc<ReadModel>,
        watch: Watch,
        conflicts: LastCount,
        live: Subscriptions<PlayingSource>,
        policy: Policy,
        config: &CacheConfig,
        limits: &LimitsConfig,
    ) -> Self {
        Self {
            playbacks: Loader::new(Arc::clone(&read_model), limits),
            read_model,
            cache: Cache::new(config),
            watch,
            conflicts,
            live,
            policy,
            open_ttl: config.open_ttl,
            settled_ttl: config.settled_ttl,
        }
    }

    /// The answer to a question, which includes the positions of `after`.
    ///
    /// # Errors
    /// 503 when the positions are not projected in time, or what reading the answer failed with.
    pub(super) async fn answer(
        self: &Arc<Self>,
        question: Question,
        after: &[Position],
    ) -> Result<Arc<CachedAnswer>, Problem> {
        let view = self.watch.reached_in(layer(&question), after).await?;
        let (reader, key) = (Arc::clone(self), question.clone());
        let read = |view| async move { reader.read(view, question).await };
        self.cache.answer(key, &view, after, read).await
    }

    /// Reads the answer from the generation of `view`.
    async fn read(&self, view: Arc<View>, question: Question) -> Result<Content, Problem> {
        let generation = view.generation;
        match question {
            Question::Playback(id) => self.playback(generation, id).await,
            Question::Playbacks(page, format) => {
                self.page_of_playbacks(generation, &page, format).await
            }
            Question::Report(report, totals, format) => {
                self.report(generation, &report, totals, format).await
            }
            Question::Retention(plays) => self.retention(generation, plays).await,
            Question::Summary(summary) => self.summary(generation, &summary).await,
            Question::Lag(lag) => self.lag(generation, &lag).await,
            Question::Live(question) => self.playing(view, &question).await,
            Question::Events(page, format) => self.page_of_events(generation, &page, format).await,
            Question::Event(id, format) => self.event(generation, id, format).await,
        }
    }

    /// An answer that may change at any moment.
    pub(super) fn open(&self, body: Vec<u8>) -> Content {
        Content::new(body, self.open_ttl)
    }
}

/// The layer of the read model that answers a question.
fn layer(question: &Question) -> Layer {
    match question {
        Question::Playback(_) | Question::Lag(_) | Question::Events(..) | Question::Event(..) => {
            Layer::Events
        }
        Question::Playbacks(..)
        | Question::Report(..)
        | Question::Retention(_)
        | Question::Summary(_)
        | Question::Live(_) => Layer::Playbacks,
    }
}
