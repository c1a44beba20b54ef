//! The phases of generating data with their durations, and the sizes of the tables.

use std::time::Duration;

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::read_model::ReadModel;

/// One phase.
#[derive(Debug, Serialize)]
pub(super) struct Phase {
    pub(super) name: &'static str,
    pub(super) took: Duration,
}

/// The size of one table on disk.
#[derive(Debug, Row, Serialize, Deserialize)]
pub(super) struct Size {
    pub(super) table: String,
    pub(super) rows: u64,
    pub(super) parts: u64,
    pub(super) bytes: u64,
}

/// The tables of a generation, the largest first.
///
/// # Errors
/// ClickHouse does not answer.
pub(super) async fn sizes(model: &ReadModel) -> Result<Vec<Size>> {
    let sql = format!(
        "SELECT table, sum(rows) AS rows, count() AS parts, sum(bytes_on_disk) AS bytes FROM system.parts \
         WHERE active AND database = '{}' GROUP BY table ORDER BY bytes DESC",
        model.generation()
    );
    model.all(&sql).await
}
