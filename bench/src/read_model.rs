//! The databases of one run: creates them like the projector, queries them, and drops them. It reads the columns of tables from
//! ClickHouse, so that it need not change with them.

use std::collections::BTreeMap;
use std::time::Duration;

use clickhouse::{Client, Row, RowOwned, RowRead};
use ess_schema::migrations::{GENERATION, SCHEMA};
use ess_service::clickhouse::{ensure_active, migrate};
use ess_service::config::{ClickHouseConfig, Secret};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::topic::Ends;
use crate::waiting::until;

/// Deadline for merges after a run; the next run starts after them.
const MERGE_TIMEOUT: Duration = Duration::from_hours(1);
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Number of consecutive polls without a merge, because ClickHouse schedules merges with a delay after an insert.
const IDLE_POLLS: u32 = 10;
/// Tables that differ between runs of the same work: their rows depend on the timing of batches.
const NOT_COMPARED: [&str; 3] = ["playbacks", "playbacks_progress", "playbacks_touched"];
/// The first generation, which a projector creates.
const FIRST: u32 = 1;

/// The content of a generation, to compare the work of two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Content {
    /// Rows of `events`.
    pub(crate) rows: u64,
    /// Order-free checksum of `events`, without the columns that ClickHouse sets.
    pub(crate) checksum: u64,
    /// Distinct keys of every table that a view fills, except those that depend on batches.
    pub(crate) keys: BTreeMap<String, u64>,
}

/// The databases of one run.
#[derive(Clone)]
pub(crate) struct ReadModel {
    config: ClickHouseConfig,
    server: Client,
}

#[derive(Row, Deserialize)]
struct View {
    name: String,
    sorting_key: String,
}

impl ReadModel {
    /// The databases whose control database is `name`.
    pub(crate) fn new(url: &str, name: &str) -> Self {
        let config = ClickHouseConfig {
            url: url.to_owned(),
            database: name.to_owned(),
            user: "default".to_owned(),
            password: Secret::default(),
        };
        let server = Client::default().with_url(url).with_user("default");
        Self { config, server }
    }

    /// The name of the generation's database.
    pub(crate) fn generation(&self) -> String {
        self.config.generation_database(FIRST)
    }

    /// Creates the generation and activates it, without a projector.
    ///
    /// # Errors
    /// An error of ClickHouse.
    pub(crate) async fn activate(&self) -> Result<()> {
        ensure_active(&self.config, SCHEMA).await?;
        Ok(())
    }

    /// Creates the tables of the generation, without a projector.
    ///
    /// # Errors
    /// An error of ClickHouse.
    pub(crate) async fn create(&self) -> Result<()> {
        Ok(migrate(&self.config, &self.generation(), GENERATION).await?)
    }

    /// Executes a statement.
    ///
    /// # Errors
    /// An error of ClickHouse.
    pub(crate) async fn execute(&self, sql: &str) -> Result<()> {
        Ok(self.server.query_raw(sql).execute().await?)
    }

    /// Executes a statement with parameters.
    ///
    /// # Errors
    /// An error of ClickHouse.
    pub(crate) async fn execute_with(&self, sql: &str, parameters: &[(&str, i64)]) -> Result<()> {
        let mut query = self.server.query_raw(sql);
        for (name, value) in parameters {
            query = query.param(name, value);
        }
        Ok(query.execute().await?)
    }

    /// Queries one number.
    ///
    /// # Errors
    /// An error of ClickHouse.
    pub(crate) async fn number(&self, sql: &str) -> Result<u64> {
        self.row(sql).await
    }

    /// Queries one row.
    ///
    /// # Errors
    /// An error of ClickHouse.
    pub(crate) async fn row<T: RowOwned + RowRead>(&self, sql: &str) -> Result<T> {
        Ok(self.server.query_raw(sql).fetch_one().await?)
    }

    /// Queries all rows.
    ///
    /// # Errors
    /// An error of ClickHouse.
    pub(crate) async fn all<T: RowOwned + RowRead>(&self, sql: &str) -> Result<Vec<T>> {
        Ok(self.server.query_raw(sql).fetch_all().await?)
    }

    /// The number of rows of `events`.
    ///
    /// # Errors
    /// An error of ClickHouse.
    pub(crate) async fn rows(&self) -> Result<u64> {
        let generation = self.generation();
        self.number(&format!("SELECT count() FROM {generation}.events"))
            .await
    }

    /// The recorded progress by partition.
    ///
    /// # Errors
    /// An error of ClickHouse.
    pub(crate) async fn progress(&self) -> Result<Ends> {
        let sql = format!(
            "SELECT partition, max(next_offset) FROM {}.projection_progress GROUP BY partition",
            self.generation()
        );
        let rows = self.server.query_raw(&sql).fetch_all::<(u16, u64)>();
        Ok(rows.await?.into_iter().collect())
    }

    /// The time of the last recorded progress, in ms since 1970, by the server's clock.
    ///
    /// # Errors
    /// An error of ClickHouse.
    pub(crate) async fn last_progress_ms(&self) -> Result<u64> {
        let sql = format!(
            "SELECT toUInt64(toUnixTimestamp64Milli(max(stored_at))) FROM {}.projection_progress",
            self.generation()
        );
        self.number(&sql).await
    }

    /// The content of the generation.
    ///
    /// # Errors
    /// An error of ClickHouse.
    pub(crate) async fn content(&self) -> Result<Content> {
        let mut keys = BTreeMap::new();
        for View { name, sorting_key } in self.views().await? {
            if NOT_COMPARED.contains(&name.as_str()) {
                continue;
            }
            let generation = self.generation();
            let sql = format!("SELECT uniqExact({sorting_key}) FROM {generation}.{name}");
            keys.insert(name, self.number(&sql).await?);
        }
        Ok(Content {
            rows: self.rows().await?,
            checksum: self.checksum().await?,
            keys,
        })
    }

    async fn checksum(&self) -> Result<u64> {
        let generation = self.generation();
        let columns = format!(
            "SELECT arrayStringConcat(groupArray(name), ', ') FROM (SELECT name FROM system.columns \
             WHERE database = '{generation}' AND table = 'events' AND default_kind = '' ORDER BY name)"
        );
        let columns: String = self.server.query_raw(&columns).fetch_one().await?;
        let sql =
            format!("SELECT sum(cityHash64(toString(tuple({columns})))) FROM {generation}.events");
        self.number(&sql).await
    }

    async fn views(&self) -> Result<Vec<View>> {
        let sql = format!(
            "SELECT name, sorting_key FROM system.tables WHERE database = '{}' AND engine LIKE '%MergeTree' \
             AND name NOT IN ('events', 'projection_progress', 'schema_migrations') ORDER BY name",
            self.generation()
        );
        Ok(self.server.query_raw(&sql).fetch_all().await?)
    }

    /// Waits until ClickHouse has no more merges.
    ///
    /// # Errors
    /// A timeout.
    pub(crate) async fn wait_for_merges(&self) -> Result<()> {
        let mut polls = 0;
        until(
            "ClickHouse has no more merges",
            MERGE_TIMEOUT,
            POLL_INTERVAL,
            async || {
                let merges = self.number("SELECT count() FROM system.merges").await?;
                polls = if merges == 0 { polls + 1 } else { 0 };
                Ok((polls == IDLE_POLLS).then_some(()))
            },
        )
        .await
    }

    /// Drops its databases, if they exist.
    ///
    /// # Errors
    /// An error of ClickHouse.
    pub(crate) async fn drop_databases(&self) -> Result<()> {
        for database in [self.generation(), self.config.database.clone()] {
            self.execute(&format!("DROP DATABASE IF EXISTS {database} SYNC"))
                .await?;
        }
        Ok(())
    }
}

/// The server's version.
///
/// # Errors
/// ClickHouse does not answer.
pub(crate) async fn version(url: &str) -> Result<String> {
    let client = Client::default().with_url(url);
    Ok(client.query_raw("SELECT version()").fetch_one().await?)
}
