//! A log that no longer holds everything: what a replay can make of it, and that it says what it cannot.

use std::collections::BTreeMap;

use ess_e2e::TestApp;

use super::{append_many, command, projector_alone, stored, told};

#[tokio::test]
async fn a_replay_of_a_log_that_lost_its_beginning_names_what_is_missing_and_builds_the_rest_if_told_to()
 {
    let app = projector_alone().start().await;
    append_many(&app, "lost", 200).await;
    let lost = app.topic.end_offsets().await;
    append_many(&app, "kept", 200).await;
    app.wait_until_everything_is_projected().await;
    app.topic.delete_below(&lost).await;

    refuses(&app, &BTreeMap::new(), &lost).await;

    let partial = command(&app.projector, &["replay", "--allow-partial"]).await;
    assert!(partial.status.success(), "{}", told(&partial));
    assert_eq!(app.generation().await, 2);
    app.wait_until_everything_is_projected().await;
    assert_eq!(stored(&app).await, 200);
}

#[tokio::test]
async fn a_replay_that_goes_on_misses_only_what_was_lost_of_the_rest() {
    let app = projector_alone().start().await;
    append_many(&app, "folded", 200).await;
    app.wait_until_everything_is_projected().await;
    let begun = command(&app.projector, &["replay", "--no-promote"]).await;
    assert!(begun.status.success(), "{}", told(&begun));
    let folded = app.topic.end_offsets().await;
    app.topic.delete_below(&folded).await;
    let goes_on = command(&app.projector, &["replay", "--no-promote"]).await;
    assert!(goes_on.status.success(), "{}", told(&goes_on));
    append_many(&app, "lost", 200).await;
    app.wait_until_everything_is_projected().await;
    let lost = app.topic.end_offsets().await;
    app.topic.delete_below(&lost).await;

    refuses(&app, &folded, &lost).await;

    append_many(&app, "kept", 200).await;
    let accepting = ["replay", "--allow-partial", "--accept-differences"];
    let partial = command(&app.projector, &accepting).await;
    assert!(partial.status.success(), "{}", told(&partial));
    assert_eq!(app.generation().await, 2);
    app.wait_until_everything_is_projected().await;
    assert_eq!(stored(&app).await, 400);
}

/// A replay names what lies between these offsets of each partition as missing, and changes nothing.
async fn refuses(app: &TestApp, from: &BTreeMap<u16, u64>, to: &BTreeMap<u16, u64>) {
    let refused = command(&app.projector, &["replay"]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
    for (partition, end) in to {
        let start = from.get(partition).copied().unwrap_or_default();
        let (last, count) = (end - 1, end - start);
        let missing = format!("partition {partition} offsets {start} to {last} ({count} messages)");
        assert!(
            told(&refused).contains(&missing),
            "{missing}: {}",
            told(&refused)
        );
    }
    assert_eq!(app.generation().await, 1);
}
