//! The projector's metrics: OpenTelemetry's names where its semantic conventions for messaging have one, else
//! `ess_projector_…`. Labels have few values: a partition may be one, an id must never be.

use std::time::Duration;

use metrics::{Counter, Label, Unit};

const CONSUMED: &str = "messaging_client_consumed_messages_total";
const STORED: &str = "ess_projector_stored_events_total";
const MISPLACED: &str = "ess_projector_misplaced_events_total";
const DEAD_LETTERS: &str = "ess_projector_dead_letters_total";
const RETRIES: &str = "ess_projector_retries_total";
const REBALANCES: &str = "ess_projector_rebalances_total";
const BATCH_ROWS: &str = "ess_projector_batch_rows";
const INSERT_DURATION: &str = "ess_projector_insert_duration_seconds";
const IN_FLIGHT_BYTES: &str = "ess_projector_in_flight_bytes";
const LAG: &str = "ess_projector_lag_messages";
const ROLL_UP_LAG: &str = "ess_projector_roll_up_lag_events";
const ROLL_UP_DURATION: &str = "ess_projector_roll_up_duration_seconds";

/// Registers the help text of each metric; call it once.
pub(crate) fn describe() {
    metrics::describe_counter!(CONSUMED, "records consumed from Kafka");
    metrics::describe_counter!(STORED, "events inserted, duplicates included");
    metrics::describe_counter!(
        MISPLACED,
        "events whose record key is missing or is not the playback id"
    );
    metrics::describe_counter!(DEAD_LETTERS, "records that became dead letters, by reason");
    metrics::describe_counter!(RETRIES, "failed attempts that were retried, by stage");
    metrics::describe_counter!(REBALANCES, "changes of the partition assignment, by kind");
    metrics::describe_histogram!(BATCH_ROWS, "events per insert");
    metrics::describe_histogram!(
        INSERT_DURATION,
        Unit::Seconds,
        "duration of an insert until ClickHouse acknowledges it"
    );
    metrics::describe_gauge!(
        IN_FLIGHT_BYTES,
        Unit::Bytes,
        "memory of the batches in flight"
    );
    metrics::describe_gauge!(LAG, "records of a partition that are not stored yet");
    metrics::describe_gauge!(
        ROLL_UP_LAG,
        "stored events that the table playbacks does not include yet"
    );
    metrics::describe_histogram!(
        ROLL_UP_DURATION,
        Unit::Seconds,
        "duration of one update of the table playbacks"
    );
}

/// The counter of consumed records. Look it up once: it is incremented for each record.
pub(crate) fn consumed(topic: &str, group: &str) -> Counter {
    let labels = vec![
        Label::from_static_parts("messaging_system", "kafka"),
        Label::new("messaging_destination_name", topic.to_owned()),
        Label::new("messaging_consumer_group_name", group.to_owned()),
    ];
    metrics::counter!(CONSUMED, labels)
}

pub(crate) fn inserted(rows: usize, elapsed: Duration) {
    metrics::counter!(STORED).increment(rows as u64);
    metrics::histogram!(BATCH_ROWS).record(rows as f64);
    metrics::histogram!(INSERT_DURATION).record(elapsed);
}

pub(crate) fn misplaced() {
    metrics::counter!(MISPLACED).increment(1);
}

pub(crate) fn dead_letter(code: &'static str) {
    metrics::counter!(DEAD_LETTERS, "error_type" => code).increment(1);
}

pub(crate) fn retried(stage: &'static str) {
    metrics::counter!(RETRIES, "stage" => stage).increment(1);
}

pub(crate) fn rebalanced(kind: &'static str) {
    metrics::counter!(REBALANCES, "kind" => kind).increment(1);
}

pub(crate) fn batch_sent(bytes: usize) {
    metrics::gauge!(IN_FLIGHT_BYTES).increment(bytes as f64);
}

pub(crate) fn batch_finished(bytes: usize) {
    metrics::gauge!(IN_FLIGHT_BYTES).decrement(bytes as f64);
}

pub(crate) fn lag(partition: u16, messages: u64) {
    metrics::gauge!(LAG, "messaging_destination_partition_id" => partition.to_string())
        .set(messages as f64);
}

pub(crate) fn roll_up_lag(events: u64) {
    metrics::gauge!(ROLL_UP_LAG).set(events as f64);
}

pub(crate) fn rolled_up(elapsed: Duration) {
    metrics::histogram!(ROLL_UP_DURATION).record(elapsed);
}
