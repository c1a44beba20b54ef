//! The table `projection_progress`: the offset up to which a generation has stored each partition. A row is written only
//! after ClickHouse acknowledged the events below it and before their offsets are committed, so a committed offset is never
//! ahead of this table.

use std::{collections::BTreeMap, sync::Arc};

use clickhouse::{Client, Row, error::Error};
use ess_schema::Timestamp;
use serde::{Deserialize, Serialize};

use super::Watermark;
use crate::{
    retry::retry_forever,
    status::{PipelineStatus, Stage},
};

/// Writes the progress of one generation.
#[derive(Clone)]
pub(crate) struct ProgressTable {
    client: Client,
    status: Arc<PipelineStatus>,
}

/// A row of `projection_progress` or `playbacks_progress`.
#[derive(Debug, Clone, Copy, Row, Serialize, Deserialize)]
pub(crate) struct ProgressRow {
    pub(crate) partition: u16,
    pub(crate) next_offset: u64,
    /// ms since 1970.
    pub(crate) last_ingest_time: i64,
}

impl ProgressTable {
    /// `client` uses the generation's database.
    pub(crate) fn new(client: Client, status: Arc<PipelineStatus>) -> Self {
        let client = client.with_setting("async_insert", "0");
        Self { client, status }
    }

    /// Records these watermarks; retries until ClickHouse acknowledges them.
    pub(crate) async fn record(&self, watermarks: &[Watermark]) {
        if !watermarks.is_empty() {
            let attempt = || self.insert(watermarks);
            retry_forever(&self.status, Stage::Progress, attempt).await;
        }
    }

    async fn insert(&self, watermarks: &[Watermark]) -> Result<(), Error> {
        let table = "projection_progress";
        let mut insert = self.client.insert::<ProgressRow>(table).await?;
        for watermark in watermarks {
            // The table keeps the maximum, so 1970 changes nothing.
            let last_ingest = watermark.last_ingest.unwrap_or(Timestamp::EPOCH);
            let row = ProgressRow {
                partition: watermark.partition,
                next_offset: watermark.next_offset,
                last_ingest_time: last_ingest.as_millis(),
            };
            insert.write(&row).await?;
        }
        insert.end().await
    }

    pub(crate) async fn read(&self) -> Result<BTreeMap<u16, u64>, Error> {
        projected_offsets(&self.client).await
    }
}

/// The next offset of every partition of which a generation has stored anything. `client` uses the generation's database.
pub(crate) async fn projected_offsets(client: &Client) -> Result<BTreeMap<u16, u64>, Error> {
    let query = "SELECT partition, max(next_offset) FROM projection_progress GROUP BY partition";
    let rows = client.query(query).fetch_all::<(u16, u64)>().await?;
    Ok(rows.into_iter().collect())
}
