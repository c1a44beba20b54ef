//! Nothing vanishes (I5), asked of the log itself: every offset ends as a row, as a repetition of one that is stored at a
//! lower position, or as a dead letter. It never trusts what the services say they did.

use std::collections::{BTreeMap, BTreeSet};

use ess_e2e::{Record, TestApp};
use ess_schema::Position;
use ess_schema::decode::{KafkaRecord, decode_record};

use crate::oracle::now;

/// Source and id of an event.
type Identity = (String, String);

/// Every position of the log below `ends` that ended neither as a row nor as a dead letter; of a partition that `ends` does
/// not name, none is asked for.
pub(crate) async fn vanished(app: &TestApp, ends: &BTreeMap<u16, u64>) -> Vec<Position> {
    let records = app.topic.records().await;
    let (stored, refused) = (stored_at(app).await, refused_at(app).await);
    let below = |at: Position| ends.get(&at.partition).is_some_and(|end| at.offset < *end);
    let asked = records.iter().filter(|record| below(record.position));
    let vanished = asked.filter(|record| {
        let at = record.position;
        let first = identity(record).and_then(|identity| stored.get(&identity).copied());
        first.is_none_or(|first| first > at) && !refused.contains(&at)
    });
    vanished.map(|record| record.position).collect()
}

/// Every position that the log holds now and that ended as nothing.
pub(crate) async fn vanished_of_all(app: &TestApp) -> Vec<Position> {
    vanished(app, &app.topic.end_offsets().await).await
}

/// The identity of the event that a record tells, none when it tells none.
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
async fn stored_at(app: &TestApp) -> BTreeMap<Identity, Position> {
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

/// The positions that dead letters say they come from.
async fn refused_at(app: &TestApp) -> BTreeSet<Position> {
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
