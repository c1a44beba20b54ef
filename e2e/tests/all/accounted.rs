//! Checks that nothing is lost (I5): every record in the log is a row, a duplicate of a row with a lower position, or a dead letter.
//! It must never rely on what the services report.

use std::collections::{BTreeMap, BTreeSet};

use ess_e2e::{Record, TestApp};
use ess_schema::Position;
use ess_schema::decode::{KafkaRecord, decode_record};

use crate::oracle::now;

/// Source and id of an event.
type Identity = (String, String);

/// The positions below `ends` of records that are neither a row nor a dead letter. Partitions that are not in `ends` are skipped.
pub(crate) async fn unaccounted(app: &TestApp, ends: &BTreeMap<u16, u64>) -> Vec<Position> {
    let records = app.topic.records().await;
    let (stored, dead) = (
        stored_positions(app).await,
        dead_letter_positions(app).await,
    );
    let below = |at: Position| ends.get(&at.partition).is_some_and(|end| at.offset < *end);
    let records = records.iter().filter(|record| below(record.position));
    let unaccounted = records.filter(|record| {
        let at = record.position;
        let first = identity(record).and_then(|identity| stored.get(&identity).copied());
        first.is_none_or(|first| first > at) && !dead.contains(&at)
    });
    unaccounted.map(|record| record.position).collect()
}

/// The positions of all records that are neither a row nor a dead letter.
pub(crate) async fn all_unaccounted(app: &TestApp) -> Vec<Position> {
    unaccounted(app, &app.topic.end_offsets().await).await
}

/// The identity of the event in a record, if it is a valid event.
pub(crate) fn identity(record: &Record) -> Option<Identity> {
    let message = KafkaRecord {
        payload: record.payload.as_deref(),
        headers: record.headers.as_slice(),
        timestamp: now(),
    };
    let event = decode_record(&message).ok()?;
    Some((event.source.to_string(), event.id.to_string()))
}

/// The lowest position at which each identity is stored.
async fn stored_positions(app: &TestApp) -> BTreeMap<Identity, Position> {
    let lowest = "SELECT source, event_id, min((partition, offset)) AS first, first.1 AS partition_, first.2 AS offset_
        FROM events GROUP BY source, event_id";
    let rows = app.select(lowest).await.into_iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    rows.map(|row| {
        let at = Position {
            partition: row["partition_"].as_u64().unwrap().try_into().unwrap(),
            offset: row["offset_"].as_u64().unwrap(),
        };
        ((text(&row["source"]), text(&row["event_id"])), at)
    })
    .collect()
}

/// The original positions of the dead letters.
async fn dead_letter_positions(app: &TestApp) -> BTreeSet<Position> {
    let letters = app.dead_letters.records().await;
    let number = |letter: &Record, name: &str| letter.header(name).unwrap();
    letters
        .iter()
        .map(|letter| Position {
            partition: number(letter, "ess-origin-partition").parse().unwrap(),
            offset: number(letter, "ess-origin-offset").parse().unwrap(),
        })
        .collect()
}
