//! Flat JSON with `event_type`, as the platform's own services write it.

use super::cloudevent::schemaversion;
use super::command::custom_event_type;
use super::draft::{Draft, Pointers};
use crate::event::{Content, CustomEvent, EventData, EventKind, check_content, read_data};
use crate::id::{EventId, EventType, PlaybackId, Source, TestId, TrackId, UserId};
use crate::json::{Object, Reader};
use crate::upcast::upcast;

/// Fields of the envelope; every other field is data.
const ENVELOPE: [&str; 10] = [
    "event_type",
    "schema_version",
    "event_id",
    "id",
    "source",
    "playback_id",
    "time",
    "occurred_at",
    "ingest_time",
    "test_id",
];

pub(super) fn read(object: &Object<'_>) -> Draft {
    let has = |name| object.get(name).is_some();
    let (id, id_pointer) = if has("event_id") {
        ("event_id", "/event_id")
    } else {
        ("id", "/id")
    };
    let (time, time_pointer) = if has("time") {
        ("time", "/time")
    } else {
        ("occurred_at", "/occurred_at")
    };
    let mut draft = Draft::new(
        Source::external(),
        Pointers {
            id: id_pointer,
            playback_id: "/playback_id",
            time: time_pointer,
        },
    );
    let mut reader = Reader::new(object, "");
    draft.id = reader.id(id, EventId::ALLOWED);
    if let Some(source) = reader.id("source", Source::ALLOWED) {
        draft.source = source;
    }
    draft.playback_id = reader.id("playback_id", PlaybackId::ALLOWED);
    draft.time = reader.time(time);
    draft.ingest_time = reader.time("ingest_time");
    draft.test_id = reader.id("test_id", TestId::ALLOWED);
    draft.schemaversion = schemaversion(&mut reader, "schema_version");
    draft.content = Content::json(object.json_without(&ENVELOPE));
    let name = reader.required("event_type", EventType::ALLOWED, |r, n| {
        r.string(n, EventType::ALLOWED)
    });
    match name.map(|name| (EventKind::from_event_name(&name), name)) {
        Some((Ok(kind), _)) => read_playback_event(&mut draft, kind),
        Some((Err(_), name)) => read_custom_event(&mut draft, &mut reader, &name),
        None => {}
    }
    draft.violations.append(&mut reader.into_violations());
    draft
}

fn read_playback_event(draft: &mut Draft, kind: EventKind) {
    draft.kind = Some(kind);
    let json = draft.content.json.as_deref().unwrap_or("{}");
    let outcome = upcast(kind, draft.schemaversion, json).map(|json| {
        let Ok(object) = Object::parse(&json) else {
            return (None, Vec::new());
        };
        let mut reader = Reader::new(&object, "");
        (read_data(kind, &mut reader), reader.into_violations())
    });
    match outcome {
        Ok((data, mut violations)) => {
            draft.data = data;
            draft.violations.append(&mut violations);
        }
        Err(violation) => draft.violations.push(violation),
    }
}

fn read_custom_event(draft: &mut Draft, reader: &mut Reader<'_, '_>, name: &str) {
    check_content(&draft.content, &mut draft.violations);
    match custom_event_type(name) {
        Ok(name) => {
            draft.data = Some(EventData::Custom(CustomEvent {
                name,
                user_id: reader.id("user_id", UserId::ALLOWED),
                track_id: reader.id("track_id", TrackId::ALLOWED),
            }));
        }
        Err((detail, allowed)) => reader.reject("event_type", detail, allowed),
    }
}
