//! The read model as this service sees it: questions in, rows out, each question under limits. It only ever selects.

mod account;
mod error;
mod gate;

pub(crate) use self::error::SelectError;
use std::time::{Duration, Instant};

use ::clickhouse::{Client, query::Query};
use ess_service::{clickhouse, config::ClickHouseConfig};
use tokio::{sync::OnceCell, time::timeout};

use self::{account::Account, gate::Gate};
use crate::{
    config::LimitsConfig,
    sql::{
        Cells, ConflictingIdentities, ConflictsRow, PlaybacksProgress, Progress, ProgressRow,
        Select, SelectColumns, Sql, tabular,
    },
};

const DURATION: &str = "ess_query_duration_seconds";

/// What the network may add to the time a query takes on the server.
const GRACE: Duration = Duration::from_secs(2);

/// Asks the read model.
#[derive(Debug)]
pub(crate) struct ReadModel {
    server: Client,
    config: ClickHouseConfig,
    limits: LimitsConfig,
    /// For questions whose cost callers cannot raise: they never wait for one whose cost they can.
    light: Gate,
    heavy: Gate,
    account: OnceCell<Account>,
}

/// One generation of the read model.
pub(crate) struct Generation<'r> {
    pub(crate) read_model: &'r ReadModel,
    pub(crate) number: u32,
}

impl ReadModel {
    pub(crate) fn new(config: ClickHouseConfig, limits: LimitsConfig) -> Self {
        metrics::describe_histogram!(
            DURATION,
            metrics::Unit::Seconds,
            "time a query took, waiting for its turn not included"
        );
        Self {
            server: clickhouse::server_client(&config),
            light: Gate::new(limits.concurrency, limits.queue),
            heavy: Gate::new(limits.heavy_concurrency, limits.heavy_queue),
            account: OnceCell::new(),
            config,
            limits,
        }
    }

    /// The generation that readers use, if there is one.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub(crate) async fn active_generation(&self) -> Result<Option<u32>, SelectError> {
        let asked = timeout(self.patience(), clickhouse::active_generation(&self.config));
        let answered = asked.await.map_err(|_| SelectError::TimedOut)?;
        Ok(answered?)
    }

    /// Asks one generation. Dropping the future cancels the query on the server, too.
    ///
    /// # Errors
    /// When it cannot be asked now, or the question costs too much.
    pub(crate) async fn select<S: Select>(
        &self,
        generation: u32,
        question: &S,
    ) -> Result<Vec<S::Row>, SelectError> {
        let gate = if S::UNBOUNDED {
            &self.heavy
        } else {
            &self.light
        };
        let _turn = gate.turn().await?;
        let start = Instant::now();
        let rows = self.rows(generation, question).await;
        metrics::histogram!(DURATION, "query" => S::NAME).record(start.elapsed());
        rows
    }

    /// Asks one generation a question whose columns depend on what is asked. Dropping the future cancels the query, too.
    ///
    /// # Errors
    /// As [`ReadModel::select`].
    pub(crate) async fn columns<S: SelectColumns>(
        &self,
        generation: u32,
        question: &S,
    ) -> Result<Vec<Cells>, SelectError> {
        let _turn = self.heavy.turn().await?;
        let start = Instant::now();
        let cells = self.cells(generation, question).await;
        metrics::histogram!(DURATION, "query" => S::NAME).record(start.elapsed());
        cells
    }

    async fn cells<S: SelectColumns>(
        &self,
        generation: u32,
        question: &S,
    ) -> Result<Vec<Cells>, SelectError> {
        let sql = question.to_sql();
        let query = self.query(generation, &sql, &self.limits, S::NAME).await?;
        let read = async { query.fetch_bytes(tabular::FORMAT)?.collect().await };
        let answered = timeout(self.patience(), read).await;
        let answer = answered
            .map_err(|_| SelectError::TimedOut)?
            .map_err(|error| SelectError::of_answer(error, true))?;
        Ok(tabular::read(&question.kinds(), &answer)?)
    }

    /// How far a generation has been folded. It waits for no turn: whoever waits for a position must not wait for others' questions.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub(crate) async fn progress(&self, generation: u32) -> Result<Vec<ProgressRow>, SelectError> {
        self.rows(generation, &Progress).await
    }

    /// As [`ReadModel::progress`], of the rows of playbacks; none when the generation was made without them.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub(crate) async fn playbacks_progress(
        &self,
        generation: u32,
    ) -> Result<Option<Vec<ProgressRow>>, SelectError> {
        match self.rows(generation, &PlaybacksProgress).await {
            Err(error) if error.is_missing_table() => Ok(None),
            rows => rows.map(Some),
        }
    }

    /// Under how many identities of a generation messages differ. It takes no turn either: it may last, and no reader waits for it.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub(crate) async fn conflicts(
        &self,
        generation: u32,
    ) -> Result<Vec<ConflictsRow>, SelectError> {
        self.rows(generation, &ConflictingIdentities).await
    }

    async fn rows<S: Select>(
        &self,
        generation: u32,
        question: &S,
    ) -> Result<Vec<S::Row>, SelectError> {
        let limits = LimitsConfig {
            time: S::TIME.unwrap_or(self.limits.time),
            ..self.limits.clone()
        };
        let sql = question.to_sql();
        let query = self.query(generation, &sql, &limits, S::NAME).await?;
        let answered = timeout(limits.time + GRACE, query.fetch_all::<S::Row>()).await;
        answered
            .map_err(|_| SelectError::TimedOut)?
            .map_err(|error| SelectError::of_answer(error, S::UNBOUNDED))
    }

    /// A statement as it is sent: its values bound, under limits.
    async fn query(
        &self,
        generation: u32,
        sql: &Sql,
        limits: &LimitsConfig,
        name: &str,
    ) -> Result<Query, SelectError> {
        let database = self.config.generation_database(generation);
        let client = self.server.clone().with_database(database);
        let mut query = client.query_raw(&sql.text);
        for (name, value) in &sql.parameters {
            query = query.param(name, value);
        }
        self.limited(query, limits, name, sql.settings).await
    }

    async fn limited(
        &self,
        mut query: Query,
        limits: &LimitsConfig,
        name: &str,
        faster: &[(&str, &str)],
    ) -> Result<Query, SelectError> {
        let account = self
            .account
            .get_or_try_init(|| Account::read(&self.server, self.patience()));
        for (setting, value) in account.await?.settings(limits, name) {
            query = query.with_setting(setting, value);
        }
        for (setting, value) in faster.iter().filter(|_| self.may_set()) {
            query = query.with_setting(*setting, *value);
        }
        Ok(query)
    }

    fn may_set(&self) -> bool {
        self.account
            .get()
            .is_some_and(|account| *account != Account::Fixed)
    }

    fn patience(&self) -> Duration {
        self.limits.time + GRACE
    }
}
