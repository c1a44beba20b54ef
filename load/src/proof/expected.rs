//! The row of a playback that the read model must contain: the aggregate of the oracle as the columns of `ess_schema::merged`, in
//! ClickHouse's JSON. Destructures the aggregate, so that a new field cannot be forgotten. Pure.

use ess_schema::Timestamp;
use ess_schema::playback::{Aggregate, Dimensions, Ending};
use serde_json::{Map, Value, json};

/// The first fields in which a row differs from the oracle. None when there is no difference.
pub(super) fn difference(
    expected: Option<&Aggregate>,
    found: Option<&Map<String, Value>>,
) -> Option<String> {
    let (expected, found) = match (expected, found) {
        (None, None) => return None,
        (Some(_), None) => return Some("is not stored".to_owned()),
        (None, Some(_)) => return Some("is stored, and no fact of it was acknowledged".to_owned()),
        (Some(expected), Some(found)) => (row(expected), found),
    };
    let differs = |(name, value): (&String, &Value)| {
        let other = found.get(name).unwrap_or(&Value::Null);
        (value != other).then(|| format!("{name}: expected {value}, found {other}"))
    };
    let differences: Vec<_> = expected.iter().filter_map(differs).take(3).collect();
    (!differences.is_empty()).then(|| differences.join("; "))
}

fn row(aggregate: &Aggregate) -> Map<String, Value> {
    let Aggregate {
        playback_id,
        dimensions,
        started_at,
        first_event_at,
        last_event_at,
        ending,
        played_ms,
        unique_ms,
        max_position_ms,
        track_duration_ms,
        paused_ms,
        stalled_ms,
        pause_count,
        stall_count,
        seek_count,
        failure_count,
        event_count,
        max_seq,
        distinct_seqs,
        state,
        ingest_to_store_ms: _,
    } = aggregate;
    let ended = ending.map(|Ending { at, reason }| (at, reason.as_str()));
    let (ended_at, end_reason) = ended.unwrap_or((Timestamp::EPOCH, ""));
    let mut row = object(json!({
        "playback_id": playback_id,
        "started_at": started_at,
        "first_event_at": first_event_at,
        "last_event_at": last_event_at,
        "ended_at": ended_at,
        "end_reason": end_reason,
        "played_ms": played_ms,
        "unique_ms": unique_ms,
        "max_position_ms": max_position_ms,
        "track_duration_ms": track_duration_ms,
        "paused_ms": paused_ms,
        "stalled_ms": stalled_ms,
        "pause_count": pause_count,
        "stall_count": stall_count,
        "seek_count": seek_count,
        "failure_count": failure_count,
        "event_count": event_count,
        "max_seq": max_seq,
        "distinct_seqs": distinct_seqs,
        "state": state.map_or("", |state| state.as_str()),
    }));
    row.append(&mut named(dimensions));
    row
}

/// An empty text means that no event had the value.
fn named(dimensions: &Dimensions) -> Map<String, Value> {
    let Dimensions {
        user_id,
        track_id,
        device,
        platform,
        app_version,
        country,
        plan,
        context,
        test_id,
        startup_ms,
    } = dimensions;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    object(json!({
        "user_id": user_id.as_ref().map_or("", |id| id.as_str()),
        "track_id": track_id.as_ref().map_or("", |id| id.as_str()),
        "device": text(device),
        "platform": text(platform),
        "app_version": text(app_version),
        "country": text(country),
        "plan": text(plan),
        "context": text(context),
        "test_id": test_id.as_ref().map_or("", |id| id.as_str()),
        "startup_ms": startup_ms,
    }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use ess_schema::fold::fold;
    use ess_schema::merged;

    use super::*;
    use crate::simulate::{Simulator, SimulatorConfig};

    fn aggregate() -> Aggregate {
        let start = Timestamp::from_millis(1_795_428_000_000).unwrap();
        let playback = Simulator::new(SimulatorConfig::new(1, 1, start))
            .next()
            .unwrap();
        let folds = fold(&playback.facts);
        folds[&playback.id].aggregate(&playback.id).unwrap()
    }

    #[test]
    fn every_column_of_the_read_model_is_compared_except_the_store_time() {
        let row = row(&aggregate());
        let mut names: Vec<_> = row.keys().map(String::as_str).collect();
        let mut columns: Vec<_> = merged::COLUMNS
            .into_iter()
            .filter(|name| *name != "ingest_to_store_ms")
            .collect();
        names.sort_unstable();
        columns.sort_unstable();
        assert_eq!(names, columns);
    }

    #[test]
    fn a_field_that_differs_is_named_with_both_values() {
        let aggregate = aggregate();
        let mut found = row(&aggregate);
        assert_eq!(difference(Some(&aggregate), Some(&found)), None);
        found.insert("event_count".to_owned(), json!(1));
        let text = difference(Some(&aggregate), Some(&found)).unwrap();
        let expected = format!("event_count: expected {}, found 1", aggregate.event_count);
        assert_eq!(text, expected);
        assert_eq!(
            difference(Some(&aggregate), None).as_deref(),
            Some("is not stored")
        );
        assert!(difference(None, Some(&found)).is_some());
        assert_eq!(difference(None, None), None);
    }
}
