//! Holds answers against the oracle: `ess_schema::fold`, and what `Playback` makes of it.

use std::time::{SystemTime, UNIX_EPOCH};

use ess_e2e::{Answer, playback_json};
use ess_schema::playback::{Playback, Policy};
use ess_schema::{Event, PlaybackId, Timestamp, fold};
use serde_json::Value;

/// The last digit of a fraction may be lost in reading its text.
const READ: f64 = 4.0 * f64::EPSILON;
/// The only field that the log does not determine.
const OF_THE_STORE: &str = "ingest_to_store_ms";

pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap()).unwrap()
}

/// What the oracle makes of these events, by playback.
pub(crate) fn playbacks(events: &[Event]) -> Vec<(PlaybackId, Playback)> {
    let folds = fold::fold(events);
    let mut playbacks: Vec<_> = folds
        .iter()
        .filter_map(|(id, fold)| {
            let playback = Playback::new(fold.aggregate(id)?, Policy::default(), now());
            Some((id.clone(), playback))
        })
        .collect();
    playbacks.sort_by(|a, b| a.0.cmp(&b.0));
    playbacks
}

/// Every field in which an answer of `GET /stats/playback/{id}` is not what the oracle says; empty when it is right.
pub(crate) fn differences(expected: &Playback, answer: &Answer) -> Vec<String> {
    if answer.status != 200 {
        return vec![format!("{answer:?}")];
    }
    let (expected, mut found) = (playback_json(expected), answer.json());
    let stored = found.as_object_mut().unwrap().shift_remove(OF_THE_STORE);
    let mut differences = different_fields(&expected, &found);
    if stored.as_ref().and_then(Value::as_u64).is_none() {
        differences.push(format!("{OF_THE_STORE}: {stored:?} is no number of ms"));
    }
    differences
}

/// Every field in which two objects differ, those included that only one of them has.
pub(crate) fn different_fields(expected: &Value, found: &Value) -> Vec<String> {
    different_fields_within(READ, expected, found)
}

/// The same where numbers may differ by this part of them.
pub(crate) fn different_fields_within(
    tolerance: f64,
    expected: &Value,
    found: &Value,
) -> Vec<String> {
    let (expected, found) = (expected.as_object().unwrap(), found.as_object().unwrap());
    let only_found = found.keys().filter(|name| !expected.contains_key(*name));
    let names = expected.keys().chain(only_found);
    let differ = names.filter(|name| !same(tolerance, expected.get(*name), found.get(*name)));
    differ
        .map(|name| {
            let show = |value: Option<&Value>| value.map_or("absent".to_owned(), Value::to_string);
            format!(
                "{name}: expected {}, found {}",
                show(expected.get(name)),
                show(found.get(name))
            )
        })
        .collect()
}

/// JSON knows one kind of number: 1 is 1.0.
fn same(tolerance: f64, a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a.and_then(Value::as_f64), b.and_then(Value::as_f64)) {
        (Some(x), Some(y)) => a == b || (x - y).abs() <= tolerance * x.abs(),
        _ => a == b,
    }
}
