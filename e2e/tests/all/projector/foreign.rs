//! Mistakes that other producers can make in valid JSON records, and the result for each record.

use ess_e2e::TestApp;
use ess_schema::Position;
use serde_json::{Value, json};

use super::records::{dead_letters, of, own_headers};
use super::{counter, projector_alone, stored, untyped};
use crate::accounted;
use crate::oracle::now;

const HOUR_MS: i64 = 60 * 60 * 1_000;
const MISPLACED: &str = "ess_projector_misplaced_events_total";
/// Larger than the limit of the dead-letter topic, and small when compressed.
const TOO_LARGE: usize = 17 << 20;

/// A pause of playback `p-1`.
fn paused(id: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "elsewhere", "type": "PlaybackPaused", "subject": "p-1",
        "time": now().to_string(), "data": {"user_id": "u1", "track_id": "t1", "position_ms": 7}
    })
}

fn with(mut event: Value, pointer: &str, value: Value) -> Value {
    *event.pointer_mut(pointer).unwrap() = value;
    event
}

async fn append(app: &TestApp, key: Option<&str>, event: &Value) -> Position {
    let (key, text) = (key.map(str::as_bytes), event.to_string());
    app.topic.append(key, Some(text.as_bytes()), &[]).await
}

#[tokio::test]
async fn a_record_that_violates_a_rule_is_a_dead_letter_that_names_the_rule() {
    let app = projector_alone().start().await;
    let mut versioned = paused("version");
    versioned["schemaversion"] = json!(9);
    let long_ago = now().plus_millis(-401 * 24 * HOUR_MS).to_string();
    let soon = now().plus_millis(HOUR_MS).to_string();
    let mut large = with(paused("large"), "/type", json!("OrderShipped"));
    large["data"]["more"] = "x".repeat(1_000_000).into();
    let bad = [
        (
            with(paused("type"), "/data/position_ms", json!("seven")),
            "position_ms",
        ),
        (with(paused("data"), "/data", json!([])), "data"),
        (versioned, "version"),
        (with(paused("old"), "/time", json!(long_ago)), "time"),
        (with(paused("soon"), "/time", json!(soon)), "time"),
        (large, "data"),
    ];
    let mut appended = Vec::new();
    for (n, (event, named)) in bad.iter().enumerate() {
        append(&app, Some("p-1"), &paused(&format!("good-{n}"))).await;
        let position = append(&app, Some("p-1"), event).await;
        appended.push((position, event.to_string(), *named));
    }
    app.wait_until_everything_is_projected().await;
    assert_eq!(stored(&app).await, bad.len() as u64);
    assert_eq!(accounted::all_unaccounted(&app).await, []);
    let letters = dead_letters(&app, bad.len()).await;
    assert_eq!(letters.len(), bad.len());
    for (position, text, named) in appended {
        let letter = of(&letters, position);
        assert_eq!(letter.header("ess-reason-code").as_deref(), Some("invalid"));
        let reason = letter.header("ess-reason").unwrap();
        assert!(reason.contains(named), "{named} is not named in: {reason}");
        assert_eq!(letter.payload.as_deref(), Some(text.as_bytes()));
    }
}

#[tokio::test]
async fn an_event_without_its_playbacks_key_is_stored_with_its_playback_and_counted() {
    let app = projector_alone().start().await;
    append(&app, Some("p-1"), &paused("in-place")).await;
    append(&app, None, &paused("keyless")).await;
    append(&app, Some("p-2"), &paused("elsewhere")).await;
    app.wait_until_everything_is_projected().await;
    let rows = app
        .select("SELECT event_id, playback_id FROM events FINAL ORDER BY event_id")
        .await;
    let row = |id| json!({"event_id": id, "playback_id": "p-1"});
    assert_eq!(rows, ["elsewhere", "in-place", "keyless"].map(row));
    assert_eq!(counter(&app, MISPLACED).await as u64, 2);
    assert!(app.dead_letters.records().await.is_empty());
}

#[tokio::test]
async fn a_record_too_large_for_the_dead_letter_topic_becomes_a_dead_letter_without_its_value() {
    let app = projector_alone().start().await;
    let value = vec![b'x'; TOO_LARGE];
    let headers: [(&str, &[u8]); 1] = [("trace", b"1")];
    let position = app.topic.append(Some(b"p-1"), Some(&value), &headers).await;
    let good = untyped("good");
    app.topic
        .append(Some(b"p-1"), Some(good.as_bytes()), &[])
        .await;
    app.wait_until_everything_is_projected().await;
    assert_eq!(stored(&app).await, 1);
    let letters = dead_letters(&app, 1).await;
    let letter = of(&letters, position);
    assert_eq!(
        (letter.key.as_deref(), &letter.payload),
        (Some(b"p-1".as_slice()), &None)
    );
    let header = |name| letter.header(name).unwrap();
    assert_eq!(header("ess-value-omitted"), TOO_LARGE.to_string());
    assert_eq!(
        (header("ess-reason-code").as_str(), header("trace").as_str()),
        ("not-json", "1")
    );
}

#[tokio::test]
async fn a_record_in_binary_mode_without_a_value_is_an_event_without_data() {
    let app = projector_alone().start().await;
    let now = now().to_string();
    let headers = |id: &'static str, name: &'static str| -> [(&str, &[u8]); 6] {
        [
            ("ce_specversion", b"1.0"),
            ("ce_id", id.as_bytes()),
            ("ce_source", b"elsewhere"),
            ("ce_type", name.as_bytes()),
            ("ce_subject", b"p-1"),
            ("ce_time", now.as_bytes()),
        ]
    };
    let paused = headers("paused", "PlaybackPaused");
    let position = app.topic.append(Some(b"p-1"), None, &paused).await;
    let custom = headers("custom", "AdvertShown");
    app.topic.append(Some(b"p-1"), None, &custom).await;

    app.wait_until_everything_is_projected().await;

    let rows = app
        .select("SELECT event_id, playback_id, data FROM events FINAL")
        .await;
    assert_eq!(
        rows,
        [json!({"event_id": "custom", "playback_id": "p-1", "data": ""})]
    );
    let letters = dead_letters(&app, 1).await;
    assert_eq!(letters.len(), 1);
    let letter = of(&letters, position);
    assert_eq!(letter.header("ess-reason-code").as_deref(), Some("invalid"));
    let reason = letter.header("ess-reason").unwrap();
    assert!(reason.contains("data is missing"), "{reason}");
    assert_eq!(
        (letter.key.as_deref(), &letter.payload),
        (Some(b"p-1".as_slice()), &None)
    );
    assert_eq!(own_headers(letter, paused.len()), paused);
}
