//! Kafka does not append, and too much is in flight.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt as _;
use rdkafka::error::RDKafkaErrorCode;

use super::*;
use crate::kafka::append::AppendError;

const UNDELIVERED: Outcome = Err(AppendError::Undelivered(RDKafkaErrorCode::MessageTimedOut));

#[tokio::test]
async fn a_certain_failure_is_503_and_an_unknown_outcome_504() {
    for (error, status, kind, retry_after) in [
        (
            UNDELIVERED,
            StatusCode::SERVICE_UNAVAILABLE,
            "log-unavailable",
            Some("5"),
        ),
        (
            Err(AppendError::QueueFull),
            StatusCode::SERVICE_UNAVAILABLE,
            "overloaded",
            Some("1"),
        ),
        (
            Err(AppendError::Unknown),
            StatusCode::GATEWAY_TIMEOUT,
            "outcome-unknown",
            None,
        ),
    ] {
        let service = service(&[]);
        service.set_outcomes([error]);
        let reply = service.post_json("/commands", &progress("e1")).await;
        reply.assert_problem(status, kind, "");
        assert_eq!(reply.header("retry-after"), retry_after);
        assert_eq!(reply.body["event_id"], "e1");
    }
}

#[tokio::test]
async fn each_failed_append_of_a_list_has_a_problem_and_its_event_id() {
    let service = service(&[]);
    let at = |partition, offset| Ok(Position { partition, offset });
    service.set_outcomes([
        at(1, 5),
        UNDELIVERED,
        Err(AppendError::Unknown),
        at(0, 9),
        at(1, 4),
    ]);
    let list: Vec<_> = (0..5).map(|n| progress(&format!("e{n}"))).collect();
    let reply = service.post_json("/commands", &list.into()).await;
    assert_eq!(reply.status, 207);
    assert_eq!(reply.header("ess-position"), Some("0:9,1:5"));
    let items = &reply.body["items"];
    assert_eq!(
        (&items[1]["event_id"], &items[1]["problem"]["status"]),
        (&json!("e1"), &json!(503))
    );
    assert_eq!(
        (&items[2]["event_id"], &items[2]["problem"]["status"]),
        (&json!("e2"), &json!(504))
    );
    assert_eq!(
        (&reply.body["appended"], &reply.body["refused"]),
        (&json!(3), &json!(2))
    );
}

#[tokio::test]
async fn a_list_of_which_certainly_nothing_was_appended_is_503() {
    let service = service(&[]);
    service.set_outcomes([UNDELIVERED, Err(AppendError::QueueFull)]);
    let list = json!([progress("e1"), progress("e2")]);
    let reply = service.post_json("/commands", &list).await;
    reply.assert_problem(
        StatusCode::SERVICE_UNAVAILABLE,
        "log-unavailable",
        "none of 2 items",
    );
    assert_eq!(reply.header("retry-after"), Some("5"));
    service.set_outcomes([UNDELIVERED, Err(AppendError::Unknown)]);
    let reply = service.post_json("/commands", &list).await;
    assert_eq!(
        reply.status, 207,
        "an unknown outcome must have its event id"
    );
}

#[tokio::test]
async fn exceeding_an_in_flight_limit_is_503_at_once() {
    let settings = [
        ("IN_FLIGHT_MAX_BYTES", "1024"),
        ("REQUEST_MAX_BYTES", "1024"),
    ];
    let service = service(&settings);
    // An endless body keeps its request in flight.
    let (sender, stream) = futures::channel::mpsc::channel::<std::io::Result<Bytes>>(1);
    let held = service
        .client
        .post("/commands")
        .body(poem::Body::from_bytes_stream(stream));
    let mut held = std::pin::pin!(held.send());
    sender
        .clone()
        .try_send(Ok(Bytes::from(vec![b' '; 1_000])))
        .unwrap();
    assert!((&mut held).now_or_never().is_none());
    let reply = service.post_json("/commands", &progress("e1")).await;
    reply.assert_problem(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "in flight");
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert_eq!(drained_chunks_of_a_rejected_body(&service).await, 10);
    drop(sender);
    Reply::of(held.await)
        .await
        .assert_problem(StatusCode::BAD_REQUEST, "not-json", "empty");
    assert_eq!(
        service.post_json("/commands", &progress("e1")).await.status,
        202
    );
}

/// Sends a body of ten chunks, which is rejected. Returns how many of them the service read before it responded.
async fn drained_chunks_of_a_rejected_body(service: &Service<impl Endpoint>) -> usize {
    let read = Arc::<AtomicUsize>::default();
    let counter = Arc::clone(&read);
    let chunks = futures::stream::iter(0..10).map(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::io::Error>(Bytes::from_static(b" [                  ] "))
    });
    let body = poem::Body::from_bytes_stream(chunks);
    let rejected = service.client.post("/commands").body(body).send().await;
    let reply = Reply::of(rejected).await;
    reply.assert_problem(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "in flight");
    read.load(Ordering::Relaxed)
}
