//! Reads what is playing now, for the live streams.

use std::sync::Arc;

use ess_service::problem::Problem;

use crate::{
    http::{bodies, clock::now, wire},
    live::{LiveSource, LiveState},
    question::LiveQuestion,
    read::{Layer, ReadModel, SelectError, View, Watch},
    sql::Playing,
};

/// Reads from the playbacks of the active generation.
#[derive(Debug)]
pub(crate) struct PlayingSource {
    pub(crate) read_model: Arc<ReadModel>,
    pub(crate) watch: Watch,
    /// After how many ms without an event an open playback is abandoned.
    pub(crate) settle_after_ms: i64,
}

impl PlayingSource {
    /// Reads from the generation of `view`.
    ///
    /// # Errors
    /// When the read model is unavailable.
    pub(crate) async fn query_at(
        &self,
        view: Arc<View>,
        question: &LiveQuestion,
    ) -> Result<LiveState, Problem> {
        let as_of = now()?;
        let playing = Playing {
            question,
            heard_since: as_of.plus_millis(-self.settle_after_ms),
        };
        let rows = self.read_model.select(view.generation, &playing).await?;
        let live = wire::Live::new(as_of, rows).map_err(SelectError::from)?;
        let body = bodies::json(&live)?;
        Ok(LiveState { as_of, view, body })
    }
}

impl LiveSource for PlayingSource {
    async fn query(&self, question: &LiveQuestion) -> Result<LiveState, Problem> {
        let view = self.watch.reached_in(Layer::Playbacks, &[]).await?;
        self.query_at(view, question).await
    }
}
