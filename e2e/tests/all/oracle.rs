//! Compares answers with the oracle: `ess_schema::fold` and `Playback`.

use std::time::{SystemTime, UNIX_EPOCH};

use ess_e2e::{Answer, playback_json};
use ess_schema::playback::{Playback, Policy};
use ess_schema::{Event, PlaybackId, Timestamp, fold};
use serde_json::Value;

/// Parsing the text of a fraction may lose its last digit.
const TOLERANCE: f64 = 4.0 * f64::EPSILON;
/// The only field that does not follow from the log.
const STORE_FIELD: &str = "ingest_to_store_ms";

pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap()).unwrap()
}

/// The oracle's playbacks for these events, by id.
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

/// The fields in which an answer of `GET /stats/playback/{id}` differs from the oracle.
pub(crate) fn differences(expected: &Playback, answer: &Answer) -> Vec<String> {
    if answer.status != 200 {
        return vec![format!("{answer:?}")];
    }
    let (expected, mut found) = (playback_json(expected), answer.json());
    let stored = found.as_object_mut().unwrap().shift_remove(STORE_FIELD);
    let mut differences = different_fields(&expected, &found);
    if stored.as_ref().and_then(Value::as_u64).is_none() {
        differences.push(format!("{STORE_FIELD}: {stored:?} is not a number of ms"));
    }
    differences
}

/// The fields in which two objects differ, including fields that only one of them has.
pub(crate) fn different_fields(expected: &Value, found: &Value) -> Vec<String> {
    different_fields_within(TOLERANCE, expected, found)
}

/// As [`different_fields`], with a relative tolerance for numbers.
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

/// JSON has one type of number: 1 equals 1.0.
fn same(tolerance: f64, a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a.and_then(Value::as_f64), b.and_then(Value::as_f64)) {
        (Some(x), Some(y)) => a == b || (x - y).abs() <= tolerance * x.abs(),
        _ => a == b,
    }
}
