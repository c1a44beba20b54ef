//! Read your own writes: on every path, an answer with `?after=` the position of a write includes the write, through the real
//! projector.

use ess_e2e::{Answer, TestApp, eventually, unique};
use ess_schema::Position;
use serde_json::{Value, json};

/// Appends two commands of one playback and returns the position of the last.
async fn played(app: &TestApp, playback: &str, track: &str, user: &str) -> Position {
    let fact = |more: Value| {
        let mut fact = json!({ "playback_id": playback, "user_id": user, "track_id": track });
        fact.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        fact
    };
    app.append(&fact(
        json!({ "type": "StartPlayback", "country": "DE", "track_duration_ms": 60_000 }),
    ))
    .await;
    app.append(&fact(
        json!({ "type": "ReportProgress", "from_ms": 0, "to_ms": 40_000 }),
    ))
    .await
}

/// A path, and a check that its answer includes the play.
type Check = (String, fn(&Value) -> bool);

/// Every path whose answer includes a play of this track by this user.
fn checks(track: &str, user: &str) -> [Check; 8] {
    [
        (format!("/stats/track/{track}"), |body| {
            body["plays"] == 1 && body["streams"] == 1
        }),
        (format!("/stats/user/{user}"), |body| {
            body["plays"] == 1 && body["tracks"] == 1
        }),
        (format!("/stats/track/{track}/retention"), |body| {
            body["plays"] == 1 && body["buckets"].as_array().unwrap().len() == 8
        }),
        (format!("/stats/playbacks?user_id={user}"), |body| {
            body[0]["played_ms"] == 40_000
        }),
        (
            format!("/stats/report?metrics=played_ms&filters=track=={track}"),
            |body| body[0]["played_ms"] == 40_000,
        ),
        (
            format!("/stats/top?of=tracks&by=plays&filters=user=={user}"),
            |body| body[0]["plays"] == 1,
        ),
        (format!("/stats/live?track_id={track}"), |body| {
            body["playing"] == 1
        }),
        (format!("/events?user_id={user}&limit=5"), |body| {
            body.as_array().unwrap().len() == 2
        }),
    ]
}

fn with(path: &str, after: Position) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    format!("{path}{joint}after={after}")
}

#[tokio::test]
async fn every_path_includes_what_its_reader_wrote() {
    let app = TestApp::shared().await;
    for number in 0..8 {
        let (track, user) = (unique("track"), unique("user"));
        let after = played(app, &unique("p"), &track, &user).await;
        // Each path is requested first once.
        let mut paths = checks(&track, &user);
        paths.rotate_left(number);
        for (path, includes_it) in paths {
            let answer = app.get(&with(&path, after)).await.expect_status(200);
            let body = answer.json();
            assert!(includes_it(&body), "{path}: {body}");
        }
    }
}

#[tokio::test]
async fn the_location_header_of_a_command_leads_to_its_playback() {
    let app = TestApp::shared().await;
    let command = json!({
        "type": "StartPlayback", "playback_id": unique("p"), "user_id": "u", "track_id": "t"
    });
    let answer: Answer = app.post_command(&command).await.expect_status(202);
    let location = answer.header("location").unwrap();
    let path = location.strip_prefix(app.queries().base()).unwrap();
    let body = app.get(path).await.expect_status(200).json();
    assert_eq!(body["event_count"], 1);
}

#[tokio::test]
async fn starts_and_ends_show_in_live_without_waiting_for_a_position() {
    let app = TestApp::shared().await;
    let (playback, track) = (unique("p"), unique("track"));
    let live = format!("/stats/live?track_id={track}");
    let shows = async |playing: u64| {
        eventually(&format!("{live} shows {playing}"), async || {
            let body = app.get(&live).await.expect_status(200).json();
            if body["playing"] == playing {
                Ok(())
            } else {
                Err(body.to_string())
            }
        })
        .await;
    };
    played(app, &playback, &track, &unique("user")).await;
    shows(1).await;
    let ends = json!({
        "type": "FinishPlayback", "playback_id": playback, "user_id": "u", "track_id": track, "reason": "stopped"
    });
    app.append(&ends).await;
    shows(0).await;
}
