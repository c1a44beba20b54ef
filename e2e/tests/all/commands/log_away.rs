//! A broker that is gone, and one that says nothing: 503 means that it is not in the log, 504 that it may be.

use ess_e2e::eventually;

use super::broker::Broker;
use super::*;

/// An ESS that soon gives up appending.
const IMPATIENT: [(&str, &str); 2] = [
    ("KAFKA_MESSAGE_TIMEOUT_MS", "1500"),
    ("APPEND_TIMEOUT_MS", "4000"),
];

/// Waits until it is ready, or until it says that no broker answers.
async fn wait_until(app: &TestApp, is_ready: bool) {
    eventually("it says how the log is", async || {
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
async fn with_the_broker_gone_it_is_503_and_not_in_the_log_and_later_appended_by_the_same_process()
{
    let broker = Broker::lent().await;
    let app = broker.command_api(&IMPATIENT).await;
    broker.kill().await;
    wait_until(&app, false).await;
    let one = app.post_command(&progress("lost")).await.expect_status(503);
    assert_eq!(one.json()["type"], "/problems/log-unavailable");
    assert_eq!(one.json()["event_id"], "lost");
    assert!(one.header("retry-after").is_some());
    let list = json!([progress("lost-1"), progress("lost-2")]).to_string();
    let list = app.post("/commands", "application/json", list).await;
    assert!(list.expect_status(503).header("retry-after").is_some());

    broker.restart().await;
    wait_until(&app, true).await;
    app.append(&progress("second")).await;
    assert_eq!(ids(&app.topic.records().await), ["first", "second"]);
}

#[tokio::test]
async fn a_broker_that_does_not_answer_makes_it_504_with_the_id_to_repeat() {
    let broker = Broker::lent().await;
    let app = broker.command_api(&IMPATIENT).await;
    broker.freeze().await;
    let answer = app.post_command(&progress("unknown")).await;
    broker.thaw().await;
    let problem = answer.expect_status(504).json();
    assert_eq!(problem["type"], "/problems/outcome-unknown");
    assert_eq!(problem["event_id"], "unknown");

    wait_until(&app, true).await;
    app.append(&progress("unknown")).await;
    assert_eq!(ids(&app.topic.records().await), ["first", "unknown"]);
}

#[tokio::test]
async fn more_than_the_queue_holds_is_refused_at_once_and_told_item_by_item() {
    let app = command_api_alone()
        .env("KAFKA_QUEUE_MESSAGES", "10")
        // Nothing leaves before everything was handed over.
        .env("KAFKA_LINGER_MS", "1000")
        .start()
        .await;
    let list: Vec<_> = (0..15).map(|n| progress(&format!("e{n}"))).collect();
    let body = Value::from(list).to_string();
    let answer = app.post("/commands", "application/json", body).await;
    let told = answer.expect_status(207).json();
    assert_eq!(
        (&told["appended"], &told["refused"]),
        (&json!(10), &json!(5))
    );
    let refused = &told["items"][14];
    assert_eq!(
        (&refused["event_id"], &refused["problem"]["status"]),
        (&json!("e14"), &json!(503))
    );
    assert_eq!(refused["problem"]["type"], "/problems/overloaded");
    assert_eq!(app.topic.records().await.len(), 10);
}
