//! The locks for migrations and rebuilds: one holder at a time, and the lock of a killed holder expires.

use std::process::{Child, Command, Output, Stdio};

use ess_e2e::{TestApp, eventually};
use tokio::task::spawn_blocking;

use super::{
    append_many, command,
    migrations::{emptied, select_all},
    projector_alone, text,
};

/// A holder that does not renew its lock.
const HOLDER: &str = "process 1 on nowhere";

#[tokio::test]
async fn the_lock_of_a_killed_process_is_reported_and_broken_after_its_lease() {
    let app = emptied().await;
    leave_lock(&app, "migrations").await;

    let output = command(&app.projector, &["init"]).await;

    assert!(output.status.success(), "{}", text(&output));
    for line in [
        format!("waiting for lock migrations, held by {HOLDER}"),
        format!("lock migrations expired: {HOLDER} did not renew it"),
    ] {
        let times = text(&output).matches(&line).count();
        assert_eq!(times, 1, "{line}: {}", text(&output));
    }
    assert_eq!(app.generation().await, 1);
    assert_eq!(locks(&app).await, [""; 0], "the lock is not released");
}

#[tokio::test]
async fn a_second_replay_names_the_holder_of_the_lock_and_exits() {
    let app = projector_alone().start().await;
    append_many(&app, "before", 100).await;
    app.wait_until_everything_is_projected().await;
    assert_eq!(app.projector.terminate().await, 0);
    // The replay waits until the group has no members.
    let member = app.topic.join(&app.group().await).await;
    let first = replay(&app).await;

    let second = command(&app.projector, &["replay"]).await;

    assert_eq!(second.status.code(), Some(1), "{}", text(&second));
    let why = format!("lock rebuild is held by process {} on ", first.id());
    assert!(text(&second).contains(&why), "{}", text(&second));
    assert_eq!(app.generation().await, 1);
    drop(member);
    app.projector.start().await;
    let first = end(first).await;
    assert!(first.status.success(), "{}", text(&first));
    assert_eq!(app.generation().await, 2);
    assert_eq!(locks(&app).await, [""; 0], "the lock is not released");
}

#[tokio::test]
async fn a_replay_suspended_for_longer_than_the_lease_loses_its_lock_to_the_next() {
    let app = projector_alone().start().await;
    append_many(&app, "before", 100).await;
    app.wait_until_everything_is_projected().await;
    assert_eq!(app.projector.terminate().await, 0);
    let member = app.topic.join(&app.group().await).await;
    let first = replay(&app).await;
    signal(&first, "STOP");
    drop(member);

    let second = command(&app.projector, &["replay"]).await;

    assert!(second.status.success(), "{}", text(&second));
    assert_eq!(app.generation().await, 2);
    signal(&first, "CONT");
    let first = end(first).await;
    assert_eq!(first.status.code(), Some(1), "{}", text(&first));
    let why =
        "lock rebuild was lost: this process did not renew it for 10 s; no process holds it now";
    assert!(text(&first).contains(why), "{}", text(&first));
    assert_eq!(app.generation().await, 2);
}

/// Starts a replay and waits until it holds the lock and waits for the members of the active generation's group to leave.
async fn replay(app: &TestApp) -> Child {
    let mut command = app.projector.command();
    command
        .arg("replay")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let replay = spawn_blocking(move || command.spawn());
    let replay = replay.await.unwrap().unwrap();
    eventually("the replay hands over", async || {
        let control = app.control_database();
        let states =
            format!("SELECT toString(state) FROM {control}.generations ORDER BY changed_at");
        let states: Vec<String> = select_all(app, &states).await;
        let last = states.last().is_some_and(|state| state == "handover");
        last.then_some(()).ok_or_else(|| format!("{states:?}"))
    })
    .await;
    assert_eq!(locks(app).await, ["lock_rebuild"]);
    replay
}

async fn end(replay: Child) -> Output {
    let ended = spawn_blocking(move || replay.wait_with_output());
    ended.await.unwrap().unwrap()
}

fn signal(replay: &Child, signal: &str) {
    let sent = Command::new("kill")
        .args([format!("-{signal}"), replay.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// Creates the lock of a process that was killed while it held the lock.
async fn leave_lock(app: &TestApp, name: &str) {
    let database = app.control_database();
    for statement in [
        format!("CREATE DATABASE IF NOT EXISTS {database}"),
        format!(
            "CREATE TABLE {database}.lock_{name} (nothing UInt8) ENGINE = Null COMMENT '{HOLDER}'"
        ),
    ] {
        app.clickhouse().query(&statement).execute().await.unwrap();
    }
}

/// The locks that are held.
async fn locks(app: &TestApp) -> Vec<String> {
    let database = app.control_database();
    let locks = format!(
        "SELECT name FROM system.tables WHERE database = '{database}' AND startsWith(name, 'lock_')"
    );
    select_all(app, &locks).await
}
