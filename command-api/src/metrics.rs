//! What is counted of items: how many came to which end. Labels are from closed sets.

use metrics::Unit;

use crate::kafka::{AppendError, Outcome};

const ITEMS: &str = "ess_items_total";

pub(crate) fn describe() {
    metrics::describe_counter!(ITEMS, "items of requests, by what became of them");
    metrics::describe_histogram!(
        "messaging_client_operation_duration_seconds",
        Unit::Seconds,
        "time from handing a request's records to the producer to their last delivery report"
    );
    metrics::describe_gauge!(
        "ess_producer_queue_records",
        "records handed to the producer and not yet reported on"
    );
}

/// Items that broke rules.
pub(crate) fn invalid(count: usize) {
    add("invalid", count);
}

/// Events that were to be appended.
pub(crate) fn outcomes(outcomes: &[Outcome]) {
    let count = |ended: fn(&Outcome) -> bool| outcomes.iter().filter(|o| ended(o)).count();
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
