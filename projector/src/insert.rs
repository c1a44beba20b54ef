//! Rows into the table `events` of one generation; its views make the aggregates of them. A row counts as stored only when
//! ClickHouse has answered. Repetition is harmless here (I3), so nothing is deduplicated.

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
    insert::bisect::Store,
    metrics,
    retry::until_decided,
    status::{Stage, Vitals},
};

/// The table `events` of one generation.
pub(crate) struct Events {
    client: Client,
    timeout: Duration,
    vitals: Arc<Vitals>,
}

impl Events {
    /// `client` is of the generation's database; `timeout` is for one insert.
    pub(crate) fn new(client: Client, timeout: Duration, vitals: Arc<Vitals>) -> Self {
        let client = client
            // For CPU, not for the wire: a backlog comes at the speed of the processors on both sides.
            .with_compression(Compression::None)
            // The answer must mean that the rows are stored, not that they wait.
            .with_setting("async_insert", "0")
            .with_setting("wait_end_of_query", "1")
            // A batch may hold any mix of months: external producers vouch for their own ingest times.
            .with_setting("max_partitions_per_insert_block", "0")
            // A generation keeps the columns it was made with; a newer projector may know more.
            .with_setting("input_format_skip_unknown_fields", "1")
            // Repetitions within one block are rare; merges and reads fold them as they fold those of two blocks.
            .with_setting("optimize_on_insert", "0")
            // Several batches are in flight: threads of one insert only get into each other's way.
            .with_setting("max_threads", "1");
        Self {
            client,
            timeout,
            vitals,
        }
    }

    /// The rows of one batch on their way into the table.
    pub(crate) fn of<'b>(&'b self, rows: &'b EventColumns) -> Rows<'b> {
        Rows { events: self, rows }
    }
}

/// The rows of one batch.
pub(crate) struct Rows<'b> {
    events: &'b Events,
    rows: &'b EventColumns,
}

impl Rows<'_> {
    async fn insert(&self, rows: Range<usize>) -> Result<(), InsertError> {
        let (start, count) = (Instant::now(), rows.len());
        timeout(self.events.timeout, self.send(rows))
            .await
            .unwrap_or(Err(Error::TimedOut))?;
        metrics::inserted(count, start.elapsed());
        Ok(())
    }

    async fn send(&self, rows: Range<usize>) -> Result<(), Error> {
        let client = &self.events.client;
        let insert = client.insert_formatted_with("INSERT INTO events FORMAT Native");
        let mut insert = insert.buffered();
        for piece in self.rows.native_block(rows) {
            let mut rest = piece.as_ref();
            while !rest.is_empty() {
                rest = &rest[insert.write(rest).await?..];
            }
        }
        insert.end().await
    }
}

impl Store for Rows<'_> {
    type Refusal = String;

    async fn store(&self, rows: Range<usize>) -> Result<(), String> {
        let attempt = || self.insert(rows.clone());
        until_decided(&self.events.vitals, Stage::Insert, attempt)
            .await
            .map_err(|error| error.to_string())
    }
}

/// Codes of ClickHouse's ErrorCodes.cpp that blame the rows: values that cannot be parsed, converted or held, or that break
/// a constraint. Everything else — a missing table, a wrong password, too little memory, a code unknown here — says nothing
/// about the rows and is tried again for ever: a wrong guess there costs time, a wrong guess here would lose events.
const BLAME_THE_ROWS: &[u32] = &[
    6, 26, 27, 38, 41, 53, 69, 70, 72, 117, 128, 130, 131, 153, 321, 349, 376, 395, 407, 467, 469,
    675, 676, 691,
];

/// Why an insert was not acknowledged.
#[derive(Debug, thiserror::Error)]
enum InsertError {
    /// For a reason that may pass.
    #[error("{0}")]
    Passing(Error),
    /// For what the rows hold.
    #[error("{0}")]
    Refused(Error),
}

impl From<Error> for InsertError {
    fn from(error: Error) -> Self {
        match error_code(&error) {
            Some(code) if BLAME_THE_ROWS.contains(&code) => Self::Refused(error),
            _ => Self::Passing(error),
        }
    }
}

impl Classify for InsertError {
    fn class(&self) -> ErrorClass {
        match self {
            Self::Passing(_) => ErrorClass::Transient,
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
    fn only_what_blames_the_rows_is_a_refusal() {
        for text in [
            "Code: 469. DB::Exception: Constraint `c` for table ess_g1.events is violated at row 1. (VIOLATED_CONSTRAINT)",
            "Code: 117. DB::Exception: Incorrect data. (INCORRECT_DATA)",
            "Code: 321. DB::Exception: Value is out of range. (VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE)",
        ] {
            assert_eq!(class(text), ErrorClass::Permanent, "{text}");
        }
    }

    #[test]
    fn trouble_of_the_server_or_the_way_there_passes_and_so_does_the_unknown() {
        for text in [
            "Code: 60. DB::Exception: Table ess_g1.events does not exist. (UNKNOWN_TABLE)",
            "Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)",
            "Code: 252. DB::Exception: Too many parts. (TOO_MANY_PARTS)",
            "Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)",
            "Code: 99999. DB::Exception: Never heard of.",
            "502 Bad Gateway",
        ] {
            assert_eq!(class(text), ErrorClass::Transient, "{text}");
        }
        assert_eq!(
            InsertError::from(Error::TimedOut).class(),
            ErrorClass::Transient
        );
        let away = Error::Network("connection refused".into());
        assert_eq!(InsertError::from(away).class(), ErrorClass::Transient);
    }
}
