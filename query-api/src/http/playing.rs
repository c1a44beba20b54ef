//! Asks the read model what is playing now.

use std::sync::Arc;

use ess_service::problem::Problem;

use crate::{
    http::{clock::now, wire},
    live::{Look, Source},
    question::LiveQuestion,
    read::{Layer, ReadModel, SelectError, View, Watch},
    sql::Playing,
};

/// The rows of playbacks in the active generation.
#[derive(Debug)]
pub(crate) struct Playbacks {
    pub(crate) read_model: Arc<ReadModel>,
    pub(crate) watch: Watch,
    /// After how long a silence one that is open does not play any more, in ms.
    pub(crate) settle_after_ms: i64,
}

impl Playbacks {
    /// Asks the generation of `view`.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub(crate) async fn look_at(
        &self,
        view: Arc<View>,
        question: &LiveQuestion,
    ) -> Result<Look, Problem> {
        let as_of = now()?;
        let playing = Playing {
            question,
            heard_since: as_of.plus_millis(-self.settle_after_ms),
        };
        let rows = self.read_model.select(view.generation, &playing).await?;
        let live = wire::Live::new(as_of, rows).map_err(SelectError::from)?;
        let body =
            serde_json::to_vec(&live).map_err(|error| SelectError::InvalidRow(error.into()))?;
        Ok(Look { as_of, view, body })
    }
}

impl Source for Playbacks {
    async fn look(&self, question: &LiveQuestion) -> Result<Look, Problem> {
        let view = self.watch.reached_in(Layer::Playbacks, &[]).await?;
        self.look_at(view, question).await
    }
}
