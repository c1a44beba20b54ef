//! A replay of a topic from which Kafka has deleted messages: it names the missing messages, and rebuilds the rest on request.

use std::collections::BTreeMap;

use ess_e2e::TestApp;

use super::{append_many, command, projector_alone, stored, text};

#[tokio::test]
async fn a_replay_without_the_beginning_of_the_log_names_the_missing_messages_and_builds_the_rest_on_request()
 {
    let app = projector_alone().start().await;
    append_many(&app, "deleted", 200).await;
    let deleted = app.topic.end_offsets().await;
    append_many(&app, "remaining", 200).await;
    app.wait_until_everything_is_projected().await;
    app.topic.delete_below(&deleted).await;

    refuses(&app, &BTreeMap::new(), &deleted).await;

    let partial = command(&app.projector, &["replay", "--allow-partial"]).await;
    assert!(partial.status.success(), "{}", text(&partial));
    assert_eq!(app.generation().await, 2);
    app.wait_until_everything_is_projected().await;
    assert_eq!(stored(&app).await, 200);
}

#[tokio::test]
async fn a_continued_replay_misses_only_deleted_messages_that_it_still_needs() {
    let app = projector_alone().start().await;
    append_many(&app, "folded", 200).await;
    app.wait_until_everything_is_projected().await;
    let begun = command(&app.projector, &["replay", "--no-promote"]).await;
    assert!(begun.status.success(), "{}", text(&begun));
    let folded = app.topic.end_offsets().await;
    app.topic.delete_below(&folded).await;
    let continued = command(&app.projector, &["replay", "--no-promote"]).await;
    assert!(continued.status.success(), "{}", text(&continued));
    append_many(&app, "deleted", 200).await;
    app.wait_until_everything_is_projected().await;
    let deleted = app.topic.end_offsets().await;
    app.topic.delete_below(&deleted).await;

    refuses(&app, &folded, &deleted).await;

    append_many(&app, "remaining", 200).await;
    let accepting = ["replay", "--allow-partial", "--accept-differences"];
    let partial = command(&app.projector, &accepting).await;
    assert!(partial.status.success(), "{}", text(&partial));
    assert_eq!(app.generation().await, 2);
    app.wait_until_everything_is_projected().await;
    assert_eq!(stored(&app).await, 400);
}

/// A replay names the messages between these offsets of each partition as deleted, and changes nothing.
async fn refuses(app: &TestApp, from: &BTreeMap<u16, u64>, to: &BTreeMap<u16, u64>) {
    let refused = command(&app.projector, &["replay"]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    for (partition, end) in to {
        let start = from.get(partition).copied().unwrap_or_default();
        let (last, count) = (end - 1, end - start);
        let missing = format!("partition {partition} offsets {start} to {last} ({count} messages)");
        assert!(
            text(&refused).contains(&missing),
            "{missing}: {}",
            text(&refused)
        );
    }
    assert_eq!(app.generation().await, 1);
}
