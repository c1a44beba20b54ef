//! Inserts rows into the table `events` of one generation, whose materialized views update the aggregates. A row counts as
//! stored only when ClickHouse has acknowledged it. Repeated rows are harmless (I3), so nothing must deduplicate them here.

pub(crate) mod bisect;

use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use clickhouse::{Client, Compression, error::Error};
use ess_schema::columns::EventColumns;
use ess_service::{
    clickhouse::error_code,
    retry::{Classify, ErrorClass},
};
use tokio::time::timeout;

use crate::{
    metrics,
    retry::retry_transient,
    status::{PipelineStatus, Stage},
};

/// The table `events` of one generation.
pub(crate) struct EventsTable {
    client: Client,
    timeout: Duration,
    status: Arc<PipelineStatus>,
}

impl EventsTable {
    /// `client` uses the generation's database; `timeout` applies to one insert.
    pub(crate) fn new(client: Client, timeout: Duration, status: Arc<PipelineStatus>) -> Self {
        let client = client
            // Costs CPU on both sides, which limits the throughput of a backlog; the network does not.
            .with_compression(Compression::None)
            // The response must mean that the rows are stored, not that they are queued.
            .with_setting("async_insert", "0")
            .with_setting("wait_end_of_query", "1")
            // A batch may have rows of any number of months: external producers set their own ingest times.
            .with_setting("max_partitions_per_insert_block", "0")
            // A generation keeps the columns that it was created with; a newer projector may send more.
            .with_setting("input_format_skip_unknown_fields", "1")
            // Repeated rows within a block are rare; merges and reads fold them like those of two blocks.
            .with_setting("optimize_on_insert", "0")
            // Several batches are in flight, so more threads per insert would only compete.
            .with_setting("max_threads", "1");
        Self {
            client,
            timeout,
            status,
        }
    }

    /// Inserts some rows of a batch; retries until ClickHouse acknowledges them or refuses them for their content.
    ///
    /// # Errors
    /// The reason of the refusal.
    pub(crate) async fn insert(
        &self,
        rows: &EventColumns,
        range: Range<usize>,
    ) -> Result<(), String> {
        let attempt = || self.insert_once(rows, range.clone());
        retry_transient(&self.status, Stage::Insert, attempt)
            .await
            .map_err(|error| error.to_string())
    }

    async fn insert_once(
        &self,
        rows: &EventColumns,
        range: Range<usize>,
    ) -> Result<(), InsertError> {
        let (start, count) = (Instant::now(), range.len());
        timeout(self.timeout, self.send(rows, range))
            .await
            .unwrap_or(Err(Error::TimedOut))?;
        metrics::inserted(count, start.elapsed());
        Ok(())
    }

    async fn send(&self, rows: &EventColumns, range: Range<usize>) -> Result<(), Error> {
        let insert = self
            .client
            .insert_formatted_with("INSERT INTO events FORMAT Native");
        let mut insert = insert.buffered();
        for piece in rows.native_block(range) {
            let mut rest = piece.as_ref();
            while !rest.is_empty() {
                rest = &rest[insert.write(rest).await?..];
            }
        }
        insert.end().await
    }
}

/// Codes of ClickHouse's ErrorCodes.cpp that are about the rows: values that cannot be parsed, converted or represented, or
/// that violate a constraint. All other codes (a missing table, a wrong password, too little memory, unknown codes) are
/// retried without limit: to retry a refusal costs time, to refuse rows after a transient error would lose events.
const ROW_ERROR_CODES: &[u32] = &[
    6, 26, 27, 38, 41, 53, 69, 70, 72, 117, 128, 130, 131, 153, 321, 349, 376, 395, 407, 467, 469,
    675, 676, 691,
];

/// Why an insert was not acknowledged.
#[derive(Debug, thiserror::Error)]
enum InsertError {
    #[error("{0}")]
    Transient(Error),
    /// ClickHouse refuses the content of a row.
    #[error("{0}")]
    Refused(Error),
}

impl From<Error> for InsertError {
    fn from(error: Error) -> Self {
        match error_code(&error) {
            Some(code) if ROW_ERROR_CODES.contains(&code) => Self::Refused(error),
            _ => Self::Transient(error),
        }
    }
}

impl Classify for InsertError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Transient(_) => ErrorClass::Transient,
            Self::Refused(_) => ErrorClass::Permanent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str) -> ErrorClass {
        InsertError::from(Error::BadResponse(text.to_owned())).class()
    }

    #[test]
    fn only_error_codes_about_rows_are_refusals() {
        for text in [
            "Code: 469. DB::Exception: Constraint `c` for table ess_g1.events is violated at row 1. (VIOLATED_CONSTRAINT)",
            "Code: 117. DB::Exception: Incorrect data. (INCORRECT_DATA)",
            "Code: 321. DB::Exception: Value is out of range. (VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE)",
        ] {
            assert_eq!(class(text), ErrorClass::Permanent, "{text}");
        }
    }

    #[test]
    fn errors_of_the_server_the_network_and_unknown_codes_are_transient() {
        for text in [
            "Code: 60. DB::Exception: Table ess_g1.events does not exist. (UNKNOWN_TABLE)",
            "Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)",
            "Code: 252. DB::Exception: Too many parts. (TOO_MANY_PARTS)",
            "Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)",
            "Code: 99999. DB::Exception: Unknown.",
            "502 Bad Gateway",
        ] {
            assert_eq!(class(text), ErrorClass::Transient, "{text}");
        }
        assert_eq!(
            InsertError::from(Error::TimedOut).class(),
            ErrorClass::Transient
        );
        let refused_connection = Error::Network("connection refused".into());
        assert_eq!(
            InsertError::from(refused_connection).class(),
            ErrorClass::Transient
        );
    }
}
