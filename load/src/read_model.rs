//! Reads the read model from ClickHouse over HTTP: what the proof compares in bulk, and what the query-api has no route for. Never
//! writes.

use std::collections::BTreeMap;

use ess_schema::TestId;
use reqwest::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::scenario::Targets;

/// A client of the read model.
#[derive(Debug, Clone)]
pub(crate) struct ReadModel {
    http: Client,
    url: String,
    control: String,
    access: Access,
}

/// The ClickHouse user.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Access {
    /// ClickHouse user with read access to the read model.
    #[arg(
        long,
        value_name = "NAME",
        env = "CLICKHOUSE_USER",
        default_value = "default"
    )]
    clickhouse_user: String,
    /// Password of that user.
    #[arg(
        long,
        value_name = "WORD",
        env = "CLICKHOUSE_PASSWORD",
        hide_env_values = true
    )]
    clickhouse_password: Option<String>,
}

/// The read model cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadModelError {
    #[error("ClickHouse at {url} does not respond: {reason}")]
    Unreachable { url: String, reason: String },
    #[error("ClickHouse refuses the query: {0}")]
    Refused(String),
    #[error("invalid response from ClickHouse: {0}")]
    Invalid(String),
    #[error("database {0} has no active generation; run `projector init`")]
    NoGeneration(String),
}

/// How long events took from ingest to store, ms.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Lags {
    /// Seconds after the start of the run; 0 for all events together.
    pub(crate) second: i64,
    pub(crate) events: u64,
    pub(crate) quantiles: Vec<f64>,
    pub(crate) max: i64,
    /// When the last of them was stored, ms since the epoch.
    pub(crate) last_stored: i64,
}

/// When the facts of a run occurred, ms since the epoch. Bounds every query, because the table is sorted by it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeRange {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

impl ReadModel {
    pub(crate) fn new(http: Client, targets: &Targets, access: Access) -> Self {
        Self {
            http,
            url: targets.clickhouse.trim_end_matches('/').to_owned(),
            control: targets.database.clone(),
            access,
        }
    }

    /// The database of the active generation.
    ///
    /// # Errors
    /// When no generation is active, or ClickHouse does not respond.
    pub(crate) async fn database(&self) -> Result<String, ReadModelError> {
        #[derive(Deserialize)]
        struct Active {
            generation: u32,
        }
        let sql = format!(
            "SELECT argMax(generation, (changed_at, generation)) AS generation FROM {}.generations WHERE state = 'active'",
            self.control
        );
        let found: Vec<Active> = self.rows("default", &sql, &[]).await?;
        let active = found.first().map(|active| active.generation);
        match active.filter(|generation| *generation > 0) {
            Some(generation) => Ok(format!("{}_g{generation}", self.control)),
            None => Err(ReadModelError::NoGeneration(self.control.clone())),
        }
    }

    /// The next offset that is to be folded, of each partition.
    ///
    /// # Errors
    /// Those of [`ReadModel::rows`].
    pub(crate) async fn progress(
        &self,
        database: &str,
    ) -> Result<BTreeMap<u16, u64>, ReadModelError> {
        #[derive(Deserialize)]
        struct PartitionProgress {
            partition: u16,
            next: u64,
        }
        let sql = "SELECT partition, max(next_offset) AS next FROM projection_progress GROUP BY partition";
        let found: Vec<PartitionProgress> = self.rows(database, sql, &[]).await?;
        Ok(found.into_iter().map(|p| (p.partition, p.next)).collect())
    }

    /// The lags of a run: of all its events together, and of those of each second since `began`.
    ///
    /// # Errors
    /// Those of [`ReadModel::rows`].
    pub(crate) async fn lags(
        &self,
        database: &str,
        test_id: &TestId,
        range: TimeRange,
        began: i64,
    ) -> Result<(Lags, Vec<Lags>), ReadModelError> {
        let select = |second: &str, group: &str| {
            format!(
                "SELECT {second} AS second, count() AS events, \
quantilesExactInclusive(0.5, 0.95, 0.99)(lag) AS quantiles, max(lag) AS max, max(stored) AS last_stored \
FROM (SELECT toUnixTimestamp64Milli(store_time) AS stored, toUnixTimestamp64Milli(ingest_time) AS ingested, stored - ingested AS lag \
FROM events FINAL WHERE {OF_RUN}) {group}"
            )
        };
        let began = began.to_string();
        let bind = [parameters(test_id, range), vec![("began", began)]].concat();
        let by_second = "intDiv(ingested - {began:Int64}, 1000)";
        let all = self
            .rows(database, &select("toInt64(0)", ""), &bind)
            .await?;
        let each = select(by_second, "GROUP BY second ORDER BY second");
        let each = self.rows(database, &each, &bind).await?;
        let no_row = || ReadModelError::Invalid("no row".to_owned());
        Ok((all.into_iter().next().ok_or_else(no_row)?, each))
    }

    /// The rows of a query, with bound parameters.
    ///
    /// # Errors
    /// When ClickHouse does not respond or refuses the query, or a row is not as expected.
    pub(crate) async fn rows<T: DeserializeOwned>(
        &self,
        database: &str,
        sql: &str,
        bind: &[(&str, String)],
    ) -> Result<Vec<T>, ReadModelError> {
        let settings = [
            ("database", database),
            ("default_format", "JSONEachRow"),
            ("date_time_output_format", "iso"),
            ("output_format_json_quote_64bit_integers", "0"),
            // Queries contain long lists of ids.
            ("max_query_size", "4194304"),
        ];
        let bound = bind
            .iter()
            .map(|(name, value)| (format!("param_{name}"), value));
        let request = self
            .http
            .post(&self.url)
            .query(&settings)
            .query(&bound.collect::<Vec<_>>())
            .header("X-ClickHouse-User", &self.access.clickhouse_user)
            .header(
                "X-ClickHouse-Key",
                self.access
                    .clickhouse_password
                    .as_deref()
                    .unwrap_or_default(),
            )
            .body(sql.to_owned());
        let unreachable = |error: reqwest::Error| ReadModelError::Unreachable {
            url: self.url.clone(),
            reason: error.without_url().to_string(),
        };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let text = response.text().await.map_err(unreachable)?;
        if !status.is_success() {
            return Err(ReadModelError::Refused(text.chars().take(400).collect()));
        }
        let read = |line: &str| {
            serde_json::from_str(line)
                .map_err(|e| ReadModelError::Invalid(format!("{e} in {line}")))
        };
        text.lines().map(read).collect()
    }
}

/// A condition: the rows of a run.
pub(crate) const OF_RUN: &str = "test_id = {test_id:String} AND occurred_at >= fromUnixTimestamp64Milli({from:Int64}) \
AND occurred_at <= fromUnixTimestamp64Milli({to:Int64})";

/// The parameters of [`OF_RUN`].
pub(crate) fn parameters(test_id: &TestId, range: TimeRange) -> Vec<(&'static str, String)> {
    vec![
        ("test_id", test_id.to_string()),
        ("from", range.from.to_string()),
        ("to", range.to.to_string()),
    ]
}
