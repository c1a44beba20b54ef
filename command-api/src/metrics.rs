//! The metrics of this service. Label values are from closed sets.

use metrics::Unit;

use crate::kafka::append::{AppendError, Outcome};

const ITEMS: &str = "ess_items_total";

/// Registers the descriptions.
pub(crate) fn describe() {
    metrics::describe_counter!(ITEMS, "items of requests, by outcome");
    metrics::describe_histogram!(
        "messaging_client_operation_duration_seconds",
        Unit::Seconds,
        "time from sending a request's records to the producer until the last delivery report"
    );
    metrics::describe_gauge!(
        "ess_producer_queue_records",
        "records in the producer queue without a delivery report"
    );
}

/// Counts invalid items.
pub(crate) fn count_invalid(count: usize) {
    add("invalid", count);
}

/// Counts the outcomes of events.
pub(crate) fn count_outcomes(outcomes: &[Outcome]) {
    let count = |is: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| is(outcome)).count();
    add("appended", count(Result::is_ok));
    add("unknown", count(|o| *o == Err(AppendError::Unknown)));
    add(
        "unavailable",
        count(|o| o.is_err_and(|error| error != AppendError::Unknown)),
    );
}

fn add(outcome: &'static str, count: usize) {
    if count > 0 {
        metrics::counter!(ITEMS, "outcome" => outcome).increment(count as u64);
    }
}
