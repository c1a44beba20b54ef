//! The databases of one run: made as the projector makes them, looked into, dropped. Knows the read model's tables by what
//! ClickHouse says of them, so that a change of their columns is none here.

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

/// What is merged after a run must be merged before the next one begins.
const QUIET_WITHIN: Duration = Duration::from_hours(1);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Merges are scheduled a moment after an insert: so many looks in a row must find none.
const QUIET_LOOKS: u32 = 10;
/// What differs between runs that did the same work: rows that are made beside the pipeline, and one for each batch that touched a
/// playback.
const NOT_COMPARED: [&str; 3] = ["playbacks", "playbacks_progress", "playbacks_touched"];
/// The generation that a projector makes where there is none.
const FIRST: u32 = 1;

/// What a generation holds, to tell whether two runs did the same work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Content {
    /// Rows of `events`.
    pub(crate) rows: u64,
    /// Of every column of `events` but those that ClickHouse sets, free of order.
    pub(crate) checksum: u64,
    /// Distinct keys of every table that a view fills, and that does not depend on how the events were cut into batches.
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
    /// Those whose control database is `name`.
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

    /// The database of its generation.
    pub(crate) fn generation(&self) -> String {
        self.config.generation_database(FIRST)
    }

    /// Makes the tables of its generation as the active one, without a projector.
    ///
    /// # Errors
    /// A server that refuses.
    pub(crate) async fn activate(&self) -> Result<()> {
        ensure_active(&self.config, SCHEMA).await?;
        Ok(())
    }

    /// Makes the tables of its generation, without a projector.
    ///
    /// # Errors
    /// A server that refuses.
    pub(crate) async fn create(&self) -> Result<()> {
        Ok(migrate(&self.config, &self.generation(), GENERATION).await?)
    }

    /// Executes a statement.
    ///
    /// # Errors
    /// A server that refuses.
    pub(crate) async fn execute(&self, sql: &str) -> Result<()> {
        Ok(self.server.query_raw(sql).execute().await?)
    }

    /// Executes a statement with these values for its parameters.
    ///
    /// # Errors
    /// A server that refuses.
    pub(crate) async fn execute_with(&self, sql: &str, parameters: &[(&str, i64)]) -> Result<()> {
        let mut query = self.server.query_raw(sql);
        for (name, value) in parameters {
            query = query.param(name, value);
        }
        Ok(query.execute().await?)
    }

    /// The one number that a query answers.
    ///
    /// # Errors
    /// A server that refuses.
    pub(crate) async fn number(&self, sql: &str) -> Result<u64> {
        self.row(sql).await
    }

    /// The one row that a query answers.
    ///
    /// # Errors
    /// A server that refuses.
    pub(crate) async fn row<T: RowOwned + RowRead>(&self, sql: &str) -> Result<T> {
        Ok(self.server.query_raw(sql).fetch_one().await?)
    }

    /// Every row that a query answers.
    ///
    /// # Errors
    /// A server that refuses.
    pub(crate) async fn all<T: RowOwned + RowRead>(&self, sql: &str) -> Result<Vec<T>> {
        Ok(self.server.query_raw(sql).fetch_all().await?)
    }

    /// Rows of `events`.
    ///
    /// # Errors
    /// A server that refuses.
    pub(crate) async fn rows(&self) -> Result<u64> {
        let generation = self.generation();
        self.number(&format!("SELECT count() FROM {generation}.events"))
            .await
    }

    /// How far the generation says it holds the log.
    ///
    /// # Errors
    /// A server that refuses.
    pub(crate) async fn progress(&self) -> Result<Ends> {
        let sql = format!(
            "SELECT partition, max(next_offset) FROM {}.projection_progress GROUP BY partition",
            self.generation()
        );
        let rows = self.server.query_raw(&sql).fetch_all::<(u16, u64)>();
        Ok(rows.await?.into_iter().collect())
    }

    /// When the last progress was stored, in ms since 1970, by the server's clock.
    ///
    /// # Errors
    /// A server that refuses.
    pub(crate) async fn last_progress_ms(&self) -> Result<u64> {
        let sql = format!(
            "SELECT toUInt64(toUnixTimestamp64Milli(max(stored_at))) FROM {}.projection_progress",
            self.generation()
        );
        self.number(&sql).await
    }

    /// What the generation holds.
    ///
    /// # Errors
    /// A server that refuses.
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

    /// Waits until ClickHouse merges nothing any more.
    ///
    /// # Errors
    /// Not in time.
    pub(crate) async fn quiet(&self) -> Result<()> {
        let mut looks = 0;
        until(
            "ClickHouse has merged what it holds",
            QUIET_WITHIN,
            LOOK_EVERY,
            async || {
                let merges = self.number("SELECT count() FROM system.merges").await?;
                looks = if merges == 0 { looks + 1 } else { 0 };
                Ok((looks == QUIET_LOOKS).then_some(()))
            },
        )
        .await
    }

    /// Removes its databases, where they are.
    ///
    /// # Errors
    /// A server that refuses.
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
/// A server that does not answer.
pub(crate) async fn version(url: &str) -> Result<String> {
    let client = Client::default().with_url(url);
    Ok(client.query_raw("SELECT version()").fetch_one().await?)
}
