//! A broker that is down, and one that does not answer: 503 means that the event is not in the log, 504 that it may be.

use ess_e2e::eventually;

use super::broker::Broker;
use super::*;

/// Short timeouts for appending.
const SHORT_TIMEOUTS: [(&str, &str); 2] = [
    ("KAFKA_MESSAGE_TIMEOUT_MS", "1500"),
    ("APPEND_TIMEOUT_MS", "4000"),
];

/// Waits until the command-api is ready, or until it reports that no broker answers.
async fn wait_for_readiness(app: &TestApp, is_ready: bool) {
    eventually("the readiness changes", async || {
        match (app.command_api.readiness().await, is_ready) {
            (Ok(()), true) => Ok(()),
            (Err(reason), false) if reason.contains("no broker answers") => Ok(()),
            (other, _) => Err(format!("{other:?}")),
        }
    })
    .await;
}

fn ids(records: &[Record]) -> Vec<String> {
    let ids = records
        .iter()
        .map(|record| event(record)["id"].as_str().unwrap().to_owned());
    let mut ids: Vec<_> = ids.collect();
    ids.sort();
    ids.dedup();
    ids
}

#[tokio::test]
async fn while_the_broker_is_down_appends_are_503_and_not_in_the_log_and_work_again_after_its_restart()
 {
    let broker = Broker::acquire().await;
    let app = broker.command_api(&SHORT_TIMEOUTS).await;
    broker.kill().await;
    wait_for_readiness(&app, false).await;
    let one = app
        .post_command(&progress("rejected"))
        .await
        .expect_status(503);
    assert_eq!(one.json()["type"], "/problems/log-unavailable");
    assert_eq!(one.json()["event_id"], "rejected");
    assert!(one.header("retry-after").is_some());
    let list = json!([progress("rejected-1"), progress("rejected-2")]).to_string();
    let list = app.post("/commands", "application/json", list).await;
    assert!(list.expect_status(503).header("retry-after").is_some());

    broker.restart().await;
    wait_for_readiness(&app, true).await;
    app.append(&progress("second")).await;
    assert_eq!(ids(&app.topic.records().await), ["first", "second"]);
}

#[tokio::test]
async fn a_frozen_broker_makes_it_504_with_the_event_id_to_repeat() {
    let broker = Broker::acquire().await;
    let app = broker.command_api(&SHORT_TIMEOUTS).await;
    broker.freeze().await;
    let answer = app.post_command(&progress("unknown")).await;
    broker.thaw().await;
    let problem = answer.expect_status(504).json();
    assert_eq!(problem["type"], "/problems/outcome-unknown");
    assert_eq!(problem["event_id"], "unknown");

    wait_for_readiness(&app, true).await;
    app.append(&progress("unknown")).await;
    assert_eq!(ids(&app.topic.records().await), ["first", "unknown"]);
}

#[tokio::test]
async fn items_beyond_the_producer_queue_are_rejected_at_once() {
    let app = command_api_alone()
        .env("KAFKA_QUEUE_MESSAGES", "10")
        // Longer than queueing takes: no record is sent before all are queued.
        .env("KAFKA_LINGER_MS", "1000")
        .start()
        .await;
    let list: Vec<_> = (0..15).map(|n| progress(&format!("e{n}"))).collect();
    let body = Value::from(list).to_string();
    let answer = app.post("/commands", "application/json", body).await;
    let response = answer.expect_status(207).json();
    assert_eq!(
        (&response["appended"], &response["refused"]),
        (&json!(10), &json!(5))
    );
    let rejected = &response["items"][14];
    assert_eq!(
        (&rejected["event_id"], &rejected["problem"]["status"]),
        (&json!("e14"), &json!(503))
    );
    assert_eq!(rejected["problem"]["type"], "/problems/overloaded");
    assert_eq!(app.topic.records().await.len(), 10);
}
