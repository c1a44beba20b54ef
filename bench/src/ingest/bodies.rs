//! What is sent: progress reports as players send them, each with an id of its own; alone, or 500 a body. And the records that the
//! log holds of them, for Kafka's own producer.

use std::fmt::Write as _;

use bytes::Bytes;
use ess_schema::decode::{AcceptedShapes, ReceiveContext, decode_item};
use ess_schema::{EventId, Timestamp};
use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::error::{Error, Result};
use crate::http::client::Ask;

/// Items of a batch.
pub(crate) const BATCH: u64 = 500;

/// One report; no number makes the same twice within a run.
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

fn post(content_type: &'static str, body: String) -> Ask {
    let content_type = HeaderValue::from_static(content_type);
    Ask {
        method: Method::POST,
        path: "/commands".to_owned(),
        headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type)]),
        body: Bytes::from(body),
    }
}

/// One report as a request.
pub(crate) fn single(run: u64) -> impl Fn(u64) -> Ask + Clone + Send + 'static {
    move |number| post("application/json", command(run, number))
}

/// A batch of reports as a request.
pub(crate) fn batch(run: u64) -> impl Fn(u64) -> Ask + Clone + Send + 'static {
    move |number| {
        let mut body = String::new();
        for item in number * BATCH..(number + 1) * BATCH {
            // A string takes whatever is written.
            let _ = writeln!(body, "{}", command(run, item));
        }
        post("application/x-ndjson", body)
    }
}

/// The value of the record that the log holds of each of the first `count` reports, one a line.
///
/// # Errors
/// A report that is none.
pub(super) fn records(run: u64, count: u64, now: Timestamp) -> Result<String> {
    let mut lines = String::new();
    // Every report has an id.
    let spare = EventId::new("spare").map_err(|error| Error::message(error.to_string()))?;
    for number in 0..count {
        let mut context = ReceiveContext::Request {
            received_at: now,
            generate_id: &mut || spare.clone(),
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
    fn every_report_is_in_order_and_has_an_id_of_its_own() {
        let now = Timestamp::parse_rfc3339("2026-11-26T00:00:00Z").unwrap();
        let records = records(1, 1_000, now).unwrap();
        let ids: std::collections::BTreeSet<_> = records
            .lines()
            .map(|line| line.split("\"id\":\"").nth(1).unwrap()[..21].to_owned())
            .collect();
        assert_eq!(ids.len(), 1_000);
    }
}
