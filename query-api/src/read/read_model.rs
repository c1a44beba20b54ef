//! The client of the read model: sends queries under limits and reads their rows. It must only select.

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

/// How much longer than the server's time limit a response may take.
const NETWORK_ALLOWANCE: Duration = Duration::from_secs(2);

/// The client of the read model.
#[derive(Debug)]
pub(crate) struct ReadModel {
    server: Client,
    config: ClickHouseConfig,
    limits: LimitsConfig,
    /// For queries whose cost callers cannot raise: they never wait for heavy ones.
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
            "duration of a query, without waiting for admission"
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

    /// The active generation, if there is one.
    ///
    /// # Errors
    /// When the server is unavailable.
    pub(crate) async fn active_generation(&self) -> Result<Option<u32>, SelectError> {
        let read = clickhouse::active_generation(&self.config);
        let generation = timeout(self.timeout(), read).await;
        Ok(generation.map_err(|_| SelectError::TimedOut)??)
    }

    /// Queries one generation. Dropping the future cancels the query on the server, too.
    ///
    /// # Errors
    /// When the server is unavailable, or the query exceeds a limit.
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
        let _permit = gate.enter().await?;
        let start = Instant::now();
        let rows = self.rows(generation, question).await;
        metrics::histogram!(DURATION, "query" => S::NAME).record(start.elapsed());
        rows
    }

    /// Queries one generation by a query whose columns depend on the question. Dropping the future cancels the query, too.
    ///
    /// # Errors
    /// As [`ReadModel::select`].
    pub(crate) async fn columns<S: SelectColumns>(
        &self,
        generation: u32,
        question: &S,
    ) -> Result<Vec<Cells>, SelectError> {
        let _permit = self.heavy.enter().await?;
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
        let answer = timeout(self.timeout(), read).await;
        let answer = answer
            .map_err(|_| SelectError::TimedOut)?
            .map_err(|error| SelectError::of_answer(error, true))?;
        Ok(tabular::read(&question.kinds(), &answer)?)
    }

    /// How far the log is projected into a generation. It bypasses the gate: callers that wait for a position must not wait for
    /// queries.
    ///
    /// # Errors
    /// When the server is unavailable.
    pub(crate) async fn progress(&self, generation: u32) -> Result<Vec<ProgressRow>, SelectError> {
        self.rows(generation, &Progress).await
    }

    /// As [`ReadModel::progress`], of the rows of playbacks; none when the generation was built without them.
    ///
    /// # Errors
    /// When the server is unavailable.
    pub(crate) async fn playbacks_progress(
        &self,
        generation: u32,
    ) -> Result<Option<Vec<ProgressRow>>, SelectError> {
        match self.rows(generation, &PlaybacksProgress).await {
            Err(error) if error.is_missing_table() => Ok(None),
            rows => rows.map(Some),
        }
    }

    /// Counts the identities with different messages. It bypasses the gate, too: it may take long, and no caller waits for it.
    ///
    /// # Errors
    /// When the server is unavailable.
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
        let rows = timeout(limits.time + NETWORK_ALLOWANCE, query.fetch_all::<S::Row>()).await;
        rows.map_err(|_| SelectError::TimedOut)?
            .map_err(|error| SelectError::of_answer(error, S::UNBOUNDED))
    }

    /// A statement with its values bound, under limits.
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
        tuning: &[(&str, &str)],
    ) -> Result<Query, SelectError> {
        let account = self
            .account
            .get_or_try_init(|| Account::read(&self.server, self.timeout()));
        for (setting, value) in account.await?.settings(limits, name) {
            query = query.with_setting(setting, value);
        }
        for (setting, value) in tuning.iter().filter(|_| self.may_set()) {
            query = query.with_setting(*setting, *value);
        }
        Ok(query)
    }

    fn may_set(&self) -> bool {
        self.account
            .get()
            .is_some_and(|account| *account != Account::FixedSettings)
    }

    fn timeout(&self) -> Duration {
        self.limits.time + NETWORK_ALLOWANCE
    }
}
