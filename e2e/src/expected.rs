//! The expected JSON of `GET /stats/playback/{id}`, from the oracle, and of an event in `GET /events`. Every struct is
//! destructured, so that a new field cannot be forgotten.

use ess_schema::event::Content;
use ess_schema::playback::{Aggregate, Dimensions, Ending, Playback};
use ess_schema::{Event, EventData, Position};
use serde_json::{Value, json};

/// The JSON of an event with JSON data at `position`: every field except `ingest_time` and `store_time`, which ESS sets.
///
/// # Panics
/// When its data is not JSON.
pub fn event_json(event: &Event, position: Position) -> Value {
    let Event {
        id,
        source,
        playback_id,
        occurred_at,
        ingest_time: _,
        schemaversion,
        test_id,
        data,
        content,
        extensions: _,
    } = event;
    let Content {
        datacontenttype: _,
        json,
        base64: _,
    } = content;
    let (user_id, track_id) = match data {
        EventData::Custom(custom) => (custom.user_id.as_ref(), custom.track_id.as_ref()),
        typed => typed
            .play()
            .map(|play| (&play.user_id, &play.track_id))
            .unzip(),
    };
    let content: Option<Value> = json
        .as_ref()
        .map(|text| serde_json::from_str(text).unwrap());
    json!({
        "id": id,
        "type": data.type_name(),
        "playback_id": playback_id,
        "user_id": user_id,
        "track_id": track_id,
        "occurred_at": occurred_at,
        "test_id": test_id,
        "source": source,
        "schemaversion": schemaversion,
        "position": position.to_string(),
        "data": content,
    })
}

/// The JSON of a playback of the oracle: every field except `ingest_to_store_ms`, which Kafka does not hold.
pub fn playback_json(playback: &Playback) -> Value {
    let Playback {
        aggregate,
        coverage,
        quartiles,
        rebuffer_ratio,
        completed,
        counted_stream,
        lost_events,
        state,
        settled: _,
    } = playback;
    let mut answer = aggregate_json(aggregate);
    let derived = json!({
        "coverage": coverage,
        "quartiles": quartiles,
        "rebuffer_ratio": rebuffer_ratio,
        "completed": completed,
        "counted_stream": counted_stream,
        "lost_events": lost_events,
        "state": state,
    });
    extend(&mut answer, derived);
    answer
}

fn aggregate_json(aggregate: &Aggregate) -> Value {
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
        max_seq: _,
        distinct_seqs: _,
        state: _,
        ingest_to_store_ms: _,
    } = aggregate;
    let (ended_at, end_reason) = ending.map(|Ending { at, reason }| (at, reason)).unzip();
    let mut answer = json!({
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
    });
    extend(&mut answer, dimensions_json(dimensions));
    answer
}

fn dimensions_json(dimensions: &Dimensions) -> Value {
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
    json!({
        "user_id": user_id,
        "track_id": track_id,
        "device": device,
        "platform": platform,
        "app_version": app_version,
        "country": country,
        "plan": plan,
        "context": context,
        "test_id": test_id,
        "startup_ms": startup_ms,
    })
}

fn extend(answer: &mut Value, more: Value) {
    if let (Value::Object(answer), Value::Object(more)) = (answer, more) {
        answer.extend(more);
    }
}
