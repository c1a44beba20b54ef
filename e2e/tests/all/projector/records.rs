//! The result for a record: a row, or a dead letter.

use ess_e2e::{Record, TestApp, eventually};
use ess_schema::Position;

use super::{projector_alone, stored, untyped};
use crate::accounted;

const KEY: &[u8] = b"p-1";
/// Records in a large batch.
const MANY: usize = 5_000;

/// Waits for `count` dead letters and returns all.
pub(super) async fn dead_letters(app: &TestApp, count: usize) -> Vec<Record> {
    eventually("the dead letters are appended", async || {
        let letters = app.dead_letters.records().await;
        if letters.len() >= count {
            Ok(letters)
        } else {
            Err(format!("{} of {count}", letters.len()))
        }
    })
    .await
}

/// The only dead letter of the record at this position.
pub(super) fn of(letters: &[Record], position: Position) -> &Record {
    let origin = |letter: &&Record| {
        letter.header("ess-origin-partition") == Some(position.partition.to_string())
            && letter.header("ess-origin-offset") == Some(position.offset.to_string())
    };
    let found: Vec<_> = letters.iter().filter(origin).collect();
    assert_eq!(found.len(), 1, "dead letters of {position}");
    found[0]
}

/// The first `count` headers of a dead letter, which are those of its record.
pub(super) fn own_headers(letter: &Record, count: usize) -> Vec<(&str, &[u8])> {
    let own = letter.headers.iter().take(count);
    own.map(|(name, value)| (name.as_str(), value.as_slice()))
        .collect()
}

#[tokio::test]
async fn an_unreadable_record_becomes_a_dead_letter_and_its_neighbours_are_stored() {
    let app = projector_alone().start().await;
    let large = vec![b'x'; 1_000_000];
    let early = br#"{"id":"e","user_id":"u","track_id":"t","ingest_time":"1999-01-01"}"#;
    let bad: [(&str, Option<&[u8]>); 7] = [
        ("tombstone", None),
        ("empty", Some(b"")),
        ("not-utf8", Some(b"\xff\xfe")),
        ("not-json", Some(b"[1, 2")),
        ("not-json", Some(&large)),
        ("unknown-shape", Some(br#"{"a":1}"#)),
        ("invalid", Some(early)),
    ];
    let headers: [(&str, &[u8]); 2] = [("trace", b"\x00\xff"), ("trace", b"again")];
    let mut appended = Vec::new();
    for (n, (code, value)) in bad.iter().enumerate() {
        let good = untyped(&format!("good-{n}"));
        app.topic
            .append(Some(KEY), Some(good.as_bytes()), &[])
            .await;
        let position = app.topic.append(Some(KEY), *value, &headers).await;
        appended.push((*code, *value, position));
    }
    app.wait_until_everything_is_projected().await;
    assert_eq!(stored(&app).await, bad.len() as u64);
    let letters = dead_letters(&app, bad.len()).await;
    assert_eq!(letters.len(), bad.len());
    for (code, value, position) in appended {
        let letter = of(&letters, position);
        assert_eq!(letter.header("ess-reason-code").as_deref(), Some(code));
        assert!(!letter.header("ess-reason").unwrap().is_empty());
        assert_eq!(
            letter.header("ess-origin-topic").as_deref(),
            Some(app.topic.name())
        );
        let at: i64 = letter
            .header("ess-origin-timestamp")
            .unwrap()
            .parse()
            .unwrap();
        assert!(at > 0);
        assert_eq!(
            (letter.key.as_deref(), letter.payload.as_deref()),
            (Some(KEY), value)
        );
        assert_eq!(own_headers(letter, headers.len()), headers);
    }
}

#[tokio::test]
async fn every_format_of_other_producers_is_stored() {
    let app = projector_alone().start().await;
    let structured = r#"{"specversion":"1.0","id":"structured","source":"s","type":"PlaybackPaused","subject":"p-1",
        "time":"TIME","data":{"user_id":"u1","track_id":"t1","position_ms":7}}"#;
    let flat = r#"{"event_type":"PlaybackPaused","id":"flat","playback_id":"p-1","user_id":"u1","track_id":"t1","position_ms":7}"#;
    let now = app
        .select("SELECT formatDateTime(now(), '%Y-%m-%dT%H:%i:%sZ') AS now")
        .await;
    let now = now[0]["now"].as_str().unwrap();
    let structured = structured.replace("TIME", now);
    let data = r#"{"user_id":"u1","track_id":"t1","position_ms":7}"#;
    let binary: [(&str, &[u8]); 7] = [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"binary"),
        ("ce_source", b"elsewhere"),
        ("ce_type", b"PlaybackPaused"),
        ("ce_subject", b"p-1"),
        ("ce_time", now.as_bytes()),
        ("content-type", b"application/json"),
    ];
    let records: [(&str, &[_]); 4] = [
        (&structured, &[]),
        (flat, &[]),
        (data, &binary),
        (&untyped("untyped"), &[]),
    ];
    for (value, headers) in records {
        app.topic
            .append(Some(KEY), Some(value.as_bytes()), headers)
            .await;
    }
    app.wait_until_everything_is_projected().await;
    let rows = app
        .select("SELECT event_id, type, position_ms FROM events FINAL ORDER BY event_id")
        .await;
    let rows: Vec<_> = rows.iter().map(ToString::to_string).collect();
    let paused = |id| format!(r#"{{"event_id":"{id}","type":"PlaybackPaused","position_ms":7}}"#);
    let recorded = r#"{"event_id":"untyped","type":"PlaybackRecorded","position_ms":null}"#;
    let expected = [
        paused("binary"),
        paused("flat"),
        paused("structured"),
        recorded.to_owned(),
    ];
    assert_eq!(rows, expected, "{:#?}", app.dead_letters.records().await);
}

#[tokio::test]
async fn every_row_that_clickhouse_refuses_in_a_large_batch_becomes_a_dead_letter_and_the_others_are_stored()
 {
    let app = projector_alone()
        .env("PROJECTOR_MAX_AGE_MS", "10000")
        .without_projector()
        .start()
        .await;
    let refused = [17, 18, MANY - 1];
    let ids = refused.map(|n| format!("'e-{n}'")).join(", ");
    app.execute(&format!(
        "ALTER TABLE events ADD CONSTRAINT picky CHECK event_id NOT IN ({ids})"
    ))
    .await;
    let headers: [(&str, &[u8]); 2] = [("trace", b"\x00\xff"), ("trace", b"again")];
    let append = async |n| {
        let value = untyped(&format!("e-{n}"));
        app.topic
            .append(Some(KEY), Some(value.as_bytes()), &headers)
            .await
    };
    let positions = futures::future::join_all((0..MANY).map(append)).await;

    app.projector.start().await;
    app.wait_until_everything_is_projected().await;

    let rows = app.select("SELECT count() AS events FROM events FINAL");
    let others = MANY - refused.len();
    assert_eq!(rows.await[0]["events"], others);
    assert_eq!(stored(&app).await, others as u64);
    assert_eq!(accounted::all_unaccounted(&app).await, []);
    let letters = dead_letters(&app, refused.len()).await;
    assert_eq!(letters.len(), refused.len());
    for n in refused {
        let letter = of(&letters, positions[n]);
        assert_eq!(
            letter.header("ess-reason-code").unwrap(),
            "refused-by-read-model"
        );
        let reason = letter.header("ess-reason").unwrap();
        assert!(reason.contains("picky"), "{reason}");
        assert_eq!(letter.key.as_deref(), Some(KEY));
        let value = untyped(&format!("e-{n}"));
        assert_eq!(letter.payload.as_deref(), Some(value.as_bytes()));
        assert_eq!(own_headers(letter, headers.len()), headers);
    }
}
