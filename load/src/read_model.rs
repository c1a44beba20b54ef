//! The read model as an operator may ask it: ClickHouse over HTTP, reading only. What is compared in bulk and what the query-api
//! has no route for is read here; everything else the tool asks as any client would.

use std::collections::BTreeMap;

use ess_schema::TestId;
use reqwest::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::scenario::Targets;

/// A client of the read model.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    http: Client,
    url: String,
    control: String,
    access: Access,
}

/// As whom.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Access {
    /// ClickHouse user that may read the read model.
    #[arg(
        long,
        value_name = "NAME",
        env = "CLICKHOUSE_USER",
        default_value = "default"
    )]
    clickhouse_user: String,
    /// Its password.
    #[arg(
        long,
        value_name = "WORD",
        env = "CLICKHOUSE_PASSWORD",
        hide_env_values = true
    )]
    clickhouse_password: Option<String>,
}

/// Why the read model did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("ClickHouse at {url} does not answer: {reason}")]
    Away { url: String, reason: String },
    #[error("ClickHouse refuses: {0}")]
    Refused(String),
    #[error("ClickHouse answers what cannot be read: {0}")]
    Unread(String),
    #[error("{0} holds no active generation: has `projector init` been run?")]
    NoGeneration(String),
}

/// From ingest to store, ms.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Lags {
    /// Seconds after the begin; 0 for all together.
    pub(crate) second: i64,
    pub(crate) events: u64,
    pub(crate) quantiles: Vec<f64>,
    pub(crate) longest: i64,
    /// When the last of them was stored, ms after the epoch.
    pub(crate) last_stored: i64,
}

/// When a run's facts occurred, ms after the epoch: what bounds every question, because the table is sorted by it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

impl Store {
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
    /// None is active, or nobody answers.
    pub(crate) async fn database(&self) -> Result<String, StoreError> {
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
            None => Err(StoreError::NoGeneration(self.control.clone())),
        }
    }

    /// How far the log has been folded: the next offset of each partition.
    ///
    /// # Errors
    /// As [`Store::rows`].
    pub(crate) async fn progress(&self, database: &str) -> Result<BTreeMap<u16, u64>, StoreError> {
        #[derive(Deserialize)]
        struct Progress {
            partition: u16,
            next: u64,
        }
        let sql = "SELECT partition, max(next_offset) AS next FROM projection_progress GROUP BY partition";
        let found: Vec<Progress> = self.rows(database, sql, &[]).await?;
        Ok(found.into_iter().map(|p| (p.partition, p.next)).collect())
    }

    /// The lags of a run: of all its events together, and of those of each second after `began`.
    ///
    /// # Errors
    /// As [`Store::rows`].
    pub(crate) async fn lags(
        &self,
        database: &str,
        test_id: &TestId,
        window: Window,
        began: i64,
    ) -> Result<(Lags, Vec<Lags>), StoreError> {
        let select = |second: &str, group: &str| {
            format!(
                "SELECT {second} AS second, count() AS events, \
quantilesExactInclusive(0.5, 0.95, 0.99)(lag) AS quantiles, max(lag) AS longest, max(stored) AS last_stored \
FROM (SELECT toUnixTimestamp64Milli(store_time) AS stored, toUnixTimestamp64Milli(ingest_time) AS ingested, stored - ingested AS lag \
FROM events FINAL WHERE {OF_RUN}) {group}"
            )
        };
        let began = began.to_string();
        let bind = [parameters(test_id, window), vec![("began", began)]].concat();
        let by_second = "intDiv(ingested - {began:Int64}, 1000)";
        let all = self
            .rows(database, &select("toInt64(0)", ""), &bind)
            .await?;
        let each = select(by_second, "GROUP BY second ORDER BY second");
        let each = self.rows(database, &each, &bind).await?;
        let unread = || StoreError::Unread("no row".to_owned());
        Ok((all.into_iter().next().ok_or_else(unread)?, each))
    }

    /// Rows of a query, parameters bound.
    ///
    /// # Errors
    /// No answer, a refusal, rows that are not as expected.
    pub(crate) async fn rows<T: DeserializeOwned>(
        &self,
        database: &str,
        sql: &str,
        bind: &[(&str, String)],
    ) -> Result<Vec<T>, StoreError> {
        let settings = [
            ("database", database),
            ("default_format", "JSONEachRow"),
            ("date_time_output_format", "iso"),
            ("output_format_json_quote_64bit_integers", "0"),
            // Lists of ids are long.
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
        let away = |error: reqwest::Error| StoreError::Away {
            url: self.url.clone(),
            reason: error.without_url().to_string(),
        };
        let answer = request.send().await.map_err(away)?;
        let status = answer.status();
        let text = answer.text().await.map_err(away)?;
        if !status.is_success() {
            return Err(StoreError::Refused(text.chars().take(400).collect()));
        }
        let read = |line: &str| {
            serde_json::from_str(line).map_err(|e| StoreError::Unread(format!("{e} in {line}")))
        };
        text.lines().map(read).collect()
    }
}

/// The rows of a run.
pub(crate) const OF_RUN: &str = "test_id = {test_id:String} AND occurred_at >= fromUnixTimestamp64Milli({from:Int64}) \
AND occurred_at <= fromUnixTimestamp64Milli({to:Int64})";

/// What [`OF_RUN`] is bound to.
pub(crate) fn parameters(test_id: &TestId, window: Window) -> Vec<(&'static str, String)> {
    vec![
        ("test_id", test_id.to_string()),
        ("from", window.from.to_string()),
        ("to", window.to.to_string()),
    ]
}
