//! The projector's metrics, under OpenTelemetry's names where it has any (semantic conventions, messaging) and `ess_projector_…`
//! where it has none. Labels stay few: a partition is one, an id never is.

use std::time::Duration;

use metrics::{Counter, Label, Unit};

use crate::status::Stage;

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

/// Says what each metric means, once.
pub(crate) fn describe() {
    metrics::describe_counter!(CONSUMED, "records taken from the log");
    metrics::describe_counter!(STORED, "events inserted, repetitions included");
    metrics::describe_counter!(
        MISPLACED,
        "events whose record had another key than their playback's, or none"
    );
    metrics::describe_counter!(DEAD_LETTERS, "records that became dead letters, by reason");
    metrics::describe_counter!(
        RETRIES,
        "attempts that failed and were made again, by stage"
    );
    metrics::describe_counter!(REBALANCES, "changes of the assignment, by kind");
    metrics::describe_histogram!(BATCH_ROWS, "events in one insert");
    metrics::describe_histogram!(INSERT_DURATION, Unit::Seconds, "one insert, acknowledged");
    metrics::describe_gauge!(
        IN_FLIGHT_BYTES,
        Unit::Bytes,
        "batches being stored, in memory"
    );
    metrics::describe_gauge!(LAG, "records of a partition not yet stored");
    metrics::describe_gauge!(
        ROLL_UP_LAG,
        "stored events that the rows of their playbacks lack yet"
    );
    metrics::describe_histogram!(
        ROLL_UP_DURATION,
        Unit::Seconds,
        "one time of making rows of playbacks again"
    );
}

/// Counts what is taken from the log; fetched once, because it is counted often.
pub(crate) fn consumed(topic: &str, group: &str) -> Counter {
    let labels = vec![
        Label::from_static_parts("messaging_system", "kafka"),
        Label::new("messaging_destination_name", topic.to_owned()),
        Label::new("messaging_consumer_group_name", group.to_owned()),
    ];
    metrics::counter!(CONSUMED, labels)
}

pub(crate) fn inserted(rows: usize, took: Duration) {
    metrics::counter!(STORED).increment(rows as u64);
    metrics::histogram!(BATCH_ROWS).record(rows as f64);
    metrics::histogram!(INSERT_DURATION).record(took);
}

pub(crate) fn misplaced() {
    metrics::counter!(MISPLACED).increment(1);
}

pub(crate) fn dead_letter(code: &'static str) {
    metrics::counter!(DEAD_LETTERS, "error_type" => code).increment(1);
}

pub(crate) fn retried(stage: Stage) {
    metrics::counter!(RETRIES, "stage" => stage.name()).increment(1);
}

pub(crate) fn rebalanced(kind: &'static str) {
    metrics::counter!(REBALANCES, "kind" => kind).increment(1);
}

pub(crate) fn in_flight(bytes: usize) {
    metrics::gauge!(IN_FLIGHT_BYTES).increment(bytes as f64);
}

pub(crate) fn landed(bytes: usize) {
    metrics::gauge!(IN_FLIGHT_BYTES).decrement(bytes as f64);
}

pub(crate) fn lag(partition: u16, messages: u64) {
    metrics::gauge!(LAG, "messaging_destination_partition_id" => partition.to_string())
        .set(messages as f64);
}

pub(crate) fn roll_up_lag(events: u64) {
    metrics::gauge!(ROLL_UP_LAG).set(events as f64);
}

pub(crate) fn rolled_up(took: Duration) {
    metrics::histogram!(ROLL_UP_DURATION).record(took);
}
