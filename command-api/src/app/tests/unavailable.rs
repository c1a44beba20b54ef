//! A log that does not take what it is given, and a service that has enough to do.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt as _;
use rdkafka::error::RDKafkaErrorCode;

use super::*;
use crate::kafka::AppendError;

const REFUSED: Outcome = Err(AppendError::Undelivered(RDKafkaErrorCode::MessageTimedOut));

#[tokio::test]
async fn a_log_that_cannot_take_it_now_is_503_and_one_that_does_not_say_504() {
    for (error, status, kind, retry_after) in [
        (
            REFUSED,
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
        service.refuse([error]);
        let told = service.post_json("/commands", &progress("e1")).await;
        told.assert_problem(status, kind, "");
        assert_eq!(told.header("retry-after"), retry_after);
        assert_eq!(told.body["event_id"], "e1");
    }
}

#[tokio::test]
async fn of_a_list_each_failed_append_is_told_with_its_id() {
    let service = service(&[]);
    let at = |partition, offset| Ok(Position { partition, offset });
    service.refuse([
        at(1, 5),
        REFUSED,
        Err(AppendError::Unknown),
        at(0, 9),
        at(1, 4),
    ]);
    let list: Vec<_> = (0..5).map(|n| progress(&format!("e{n}"))).collect();
    let told = service.post_json("/commands", &list.into()).await;
    assert_eq!(told.status, 207);
    assert_eq!(told.header("ess-position"), Some("0:9,1:5"));
    let items = &told.body["items"];
    assert_eq!(
        (&items[1]["event_id"], &items[1]["problem"]["status"]),
        (&json!("e1"), &json!(503))
    );
    assert_eq!(
        (&items[2]["event_id"], &items[2]["problem"]["status"]),
        (&json!("e2"), &json!(504))
    );
    assert_eq!(
        (&told.body["appended"], &told.body["refused"]),
        (&json!(3), &json!(2))
    );
}

#[tokio::test]
async fn a_list_of_which_nothing_was_appended_for_certain_is_503_as_a_whole() {
    let service = service(&[]);
    service.refuse([REFUSED, Err(AppendError::QueueFull)]);
    let list = json!([progress("e1"), progress("e2")]);
    let told = service.post_json("/commands", &list).await;
    told.assert_problem(
        StatusCode::SERVICE_UNAVAILABLE,
        "log-unavailable",
        "none of 2 items",
    );
    assert_eq!(told.header("retry-after"), Some("5"));
    service.refuse([REFUSED, Err(AppendError::Unknown)]);
    let told = service.post_json("/commands", &list).await;
    assert_eq!(told.status, 207, "an unknown outcome has to tell its id");
}

#[tokio::test]
async fn more_in_flight_than_allowed_is_503_at_once() {
    let settings = [
        ("IN_FLIGHT_MAX_BYTES", "1024"),
        ("REQUEST_MAX_BYTES", "1024"),
    ];
    let service = service(&settings);
    // A body that never ends holds its request's place.
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
    let told = service.post_json("/commands", &progress("e1")).await;
    told.assert_problem(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "in flight");
    assert_eq!(told.header("retry-after"), Some("1"));
    assert_eq!(heard_of_a_refused_body(&service).await, 10);
    drop(sender);
    Reply::of(held.await)
        .await
        .assert_problem(StatusCode::BAD_REQUEST, "not-json", "empty");
    assert_eq!(
        service.post_json("/commands", &progress("e1")).await.status,
        202
    );
}

/// Sends a body of ten pieces that is refused; how many of them were taken from the caller, who hears the answer only then.
async fn heard_of_a_refused_body(service: &Service<impl Endpoint>) -> usize {
    let taken = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&taken);
    let pieces = futures::stream::iter(0..10).map(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::io::Error>(Bytes::from_static(b" [                  ] "))
    });
    let body = poem::Body::from_bytes_stream(pieces);
    let refused = service.client.post("/commands").body(body).send().await;
    let told = Reply::of(refused).await;
    told.assert_problem(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "in flight");
    taken.load(Ordering::Relaxed)
}
