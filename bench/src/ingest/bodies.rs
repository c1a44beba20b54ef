//! Request bodies: progress reports as players send them, each with its own id, alone or 500 in a body. And their Kafka records, for
//! Kafka's own producer.

use std::fmt::Write as _;

use ess_load::http::HttpRequest;
use ess_schema::decode::{AcceptedShapes, ReceiveContext, decode_item};
use ess_schema::{EventId, Timestamp};

use crate::error::{Error, Result};

/// Items in a batch.
pub(crate) const BATCH: u64 = 500;

/// One report. Each number of a run makes a different one.
pub(crate) fn command(run: u64, number: u64) -> String {
    let playback = number / 12;
    let from = number % 12 * 10_000;
    format!(
        r#"{{"type":"ReportProgress","event_id":"{run:08x}-{number:012x}","playback_id":"playback-{run:04x}-{playback:010x}","user_id":"user-{:07x}","track_id":"track-{:05x}","from_ms":{from},"to_ms":{},"seq":{}}}"#,
        playback.wrapping_mul(2_654_435_761) % 2_000_003,
        playback.wrapping_mul(40_503) % 50_021,
        from + 10_000,
        number % 12,
    )
}

fn post(media_type: &'static str, body: String) -> HttpRequest {
    HttpRequest::post("/commands", media_type, body)
}

/// One report as a request.
pub(crate) fn single(run: u64) -> impl Fn(u64) -> HttpRequest + Clone + Send + 'static {
    move |number| post("application/json", command(run, number))
}

/// A batch of reports as a request.
pub(crate) fn batch(run: u64) -> impl Fn(u64) -> HttpRequest + Clone + Send + 'static {
    move |number| {
        let mut body = String::new();
        for item in number * BATCH..(number + 1) * BATCH {
            // Writing to a String cannot fail.
            let _ = writeln!(body, "{}", command(run, item));
        }
        post("application/x-ndjson", body)
    }
}

/// The values of the Kafka records of the first `count` reports, one a line.
///
/// # Errors
/// A report that is not valid.
pub(super) fn records(run: u64, count: u64, now: Timestamp) -> Result<String> {
    let mut lines = String::new();
    // Every report has an id.
    let unused = EventId::new("unused").map_err(|error| Error::message(error.to_string()))?;
    for number in 0..count {
        let mut context = ReceiveContext::Request {
            received_at: now,
            generate_id: &mut || unused.clone(),
        };
        let item = decode_item(
            &command(run, number),
            AcceptedShapes::Commands,
            &mut context,
        );
        let item = item.map_err(|refused| Error::message(format!("{refused:?}")))?;
        lines.push_str(&item.event.to_cloudevent());
        lines.push('\n');
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_report_is_valid_and_has_its_own_id() {
        let now = Timestamp::parse_rfc3339("2026-11-26T00:00:00Z").unwrap();
        let records = records(1, 1_000, now).unwrap();
        let ids: std::collections::BTreeSet<_> = records
            .lines()
            .map(|line| line.split("\"id\":\"").nth(1).unwrap()[..21].to_owned())
            .collect();
        assert_eq!(ids.len(), 1_000);
    }
}
