//! The table `projection_progress`: how far a generation holds each partition. Written only after the rows it speaks of were
//! acknowledged, and before their offsets are committed: so a committed offset is never ahead of it.

use std::{collections::BTreeMap, sync::Arc};

use clickhouse::{Client, Row, error::Error};
use ess_schema::Timestamp;
use serde::Serialize;

use crate::{
    commit::Watermark,
    retry::until_done,
    status::{Stage, Vitals},
};

/// The progress of one generation.
#[derive(Clone)]
pub(crate) struct Progress {
    client: Client,
    vitals: Arc<Vitals>,
}

#[derive(Row, Serialize)]
struct ProgressRow {
    partition: u16,
    next_offset: u64,
    last_ingest_time: i64,
}

impl Progress {
    /// `client` is of the generation's database.
    pub(crate) fn new(client: Client, vitals: Arc<Vitals>) -> Self {
        let client = client.with_setting("async_insert", "0");
        Self { client, vitals }
    }

    /// Records these watermarks, however long it takes.
    pub(crate) async fn record(&self, watermarks: &[Watermark]) {
        if !watermarks.is_empty() {
            until_done(&self.vitals, Stage::Progress, || self.insert(watermarks)).await;
        }
    }

    async fn insert(&self, watermarks: &[Watermark]) -> Result<(), Error> {
        let mut insert = self
            .client
            .insert::<ProgressRow>("projection_progress")
            .await?;
        for watermark in watermarks {
            // Merged by max: 1970 says nothing new.
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

    /// The next offset of every partition that the generation holds anything of.
    pub(crate) async fn read(&self) -> Result<BTreeMap<u16, u64>, Error> {
        let query =
            "SELECT partition, max(next_offset) FROM projection_progress GROUP BY partition";
        let rows = self.client.query(query).fetch_all::<(u16, u64)>().await?;
        Ok(rows.into_iter().collect())
    }
}
