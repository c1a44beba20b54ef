//! CloudEvents 1.0 in JSON, structured mode: the form that ESS writes to Kafka.
//! Follows the CloudEvents specification and its JSON event format, version 1.0.2.

use super::command::custom_event_type;
use super::draft::{Draft, Pointers};
use crate::event::{
    CURRENT_VERSION, Content, CustomEvent, EventData, EventKind, check_content, read_data,
};
use crate::id::{EventId, EventType, PlaybackId, Source, TestId, TrackId, UserId};
use crate::json::{Object, Reader, wrong_type};
use crate::upcast::upcast;
use crate::violation::Violation;

/// Attributes that [`Draft`] has fields for; every other one is an extension.
const KNOWN: [&str; 14] = [
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "datacontenttype",
    "schemaversion",
    "ingesttime",
    "testid",
    "userid",
    "trackid",
    "data",
    "data_base64",
];
/// The types of an extension attribute (CloudEvents 1.0.2, §3, type system).
const SCALAR: &str = "a string, a number or a boolean";
const POINTERS: Pointers = Pointers {
    id: "/id",
    playback_id: "/subject",
    time: "/time",
};

pub(super) fn read(object: &Object<'_>) -> Draft {
    let mut draft = Draft::new(Source::external(), POINTERS);
    let mut reader = Reader::new(object, "");
    read_context(&mut draft, &mut reader);
    draft.content = Content::declared(
        reader.string("datacontenttype", "a media type"),
        reader.raw("data").map(|raw| raw.get().to_owned()),
        reader.string("data_base64", "base64"),
    );
    let subject = reader.string("subject", PlaybackId::ALLOWED);
    for (name, raw) in object.iter().filter(|(name, _)| !KNOWN.contains(name)) {
        match raw.get().as_bytes().first() {
            Some(b'n') => {}
            Some(b'{' | b'[') => reader.reject(name, wrong_type(raw, SCALAR), SCALAR),
            _ => draft
                .extensions
                .push((name.to_owned(), raw.get().to_owned())),
        }
    }
    let name = reader.required("type", EventType::ALLOWED, |r, n| {
        r.string(n, EventType::ALLOWED)
    });
    match name.map(|name| (EventKind::from_event_name(&name), name)) {
        Some((Ok(kind), _)) => read_playback_event(&mut draft, &mut reader, kind, subject),
        Some((Err(_), name)) => read_custom_event(&mut draft, &mut reader, &name, subject),
        None => {}
    }
    draft.violations.append(&mut reader.into_violations());
    draft
}

fn read_context(draft: &mut Draft, reader: &mut Reader<'_, '_>) {
    if let Some(version) = reader.required("specversion", "\"1.0\"", |r, n| r.string(n, "\"1.0\""))
        && version != "1.0"
    {
        reader.reject("specversion", format!("is \"{version}\""), "\"1.0\"");
    }
    draft.id = reader.required("id", EventId::ALLOWED, |r, n| r.id(n, EventId::ALLOWED));
    if let Some(source) =
        reader.required("source", Source::ALLOWED, |r, n| r.id(n, Source::ALLOWED))
    {
        draft.source = source;
    }
    draft.time = reader.time("time");
    draft.ingest_time = reader.time("ingesttime");
    draft.test_id = reader.id("testid", TestId::ALLOWED);
    draft.schemaversion = schemaversion(reader, "schemaversion");
}

/// An integer, or its digits as a string (the only form in binary mode).
pub(super) fn schemaversion(reader: &mut Reader<'_, '_>, name: &str) -> u16 {
    let Some(raw) = reader.raw(name) else {
        return CURRENT_VERSION;
    };
    let parsed = raw.get().trim_matches('"').parse();
    if parsed.is_err() {
        reader.reject(
            name,
            wrong_type(raw, "a version number"),
            "an integer from 0 to 65535",
        );
    }
    parsed.unwrap_or(CURRENT_VERSION)
}

fn read_playback_event(
    draft: &mut Draft,
    reader: &mut Reader<'_, '_>,
    kind: EventKind,
    subject: Option<String>,
) {
    draft.kind = Some(kind);
    match draft.content.json.as_deref() {
        Some(json) => match read_typed(kind, draft.schemaversion, json) {
            Ok(mut typed) => {
                draft.data = typed.data;
                draft.playback_id = typed.playback_id;
                draft.violations.append(&mut typed.violations);
            }
            Err(violation) => draft.violations.push(violation),
        },
        None => reader.reject(
            "data",
            "is missing",
            "a JSON object with the event's fields",
        ),
    }
    if let Some(subject) = subject {
        match PlaybackId::new(subject) {
            Ok(id) => draft.playback_id = Some(id),
            Err(e) => reader.reject("subject", e.detail, e.allowed),
        }
    }
}

/// A data object as a playback event.
struct Typed {
    data: Option<EventData>,
    /// The playback id in the data.
    playback_id: Option<PlaybackId>,
    violations: Vec<Violation>,
}

/// Reads data after it is upcast to the current version.
fn read_typed(kind: EventKind, version: u16, json: &str) -> Result<Typed, Violation> {
    let json = upcast(kind, version, json)?;
    let object = Object::parse(&json).map_err(|_| {
        let start = crate::violation::shortened(&json);
        let detail = format!("is not a JSON object ({start})");
        Violation::new("/data", detail, "a JSON object")
    })?;
    let mut reader = Reader::new(&object, "/data");
    Ok(Typed {
        data: read_data(kind, &mut reader),
        playback_id: reader.id("playback_id", PlaybackId::ALLOWED),
        violations: reader.into_violations(),
    })
}

fn read_custom_event(
    draft: &mut Draft,
    reader: &mut Reader<'_, '_>,
    name: &str,
    subject: Option<String>,
) {
    check_content(&draft.content, &mut draft.violations);
    let name = match custom_event_type(name) {
        Ok(name) => name,
        Err((detail, allowed)) => return reader.reject("type", detail, allowed),
    };
    let json = draft.content.json.as_deref().unwrap_or_default();
    let named = Object::parse(json).ok();
    draft.playback_id = named_in(named.as_ref(), "playback_id");
    match subject.map(|text| (PlaybackId::new(text.as_str()), text)) {
        Some((Ok(id), _)) => draft.playback_id = Some(id),
        // A subject that is not a valid playback id is an extension attribute.
        Some((Err(_), text)) => {
            let raw = serde_json::Value::from(text).to_string();
            draft.extensions.push(("subject".into(), raw));
        }
        None => {}
    }
    draft.data = Some(EventData::Custom(CustomEvent {
        name,
        user_id: reader
            .id("userid", UserId::ALLOWED)
            .or_else(|| named_in(named.as_ref(), "user_id")),
        track_id: reader
            .id("trackid", TrackId::ALLOWED)
            .or_else(|| named_in(named.as_ref(), "track_id")),
    }));
}

/// An id in a custom event's data; `None` if the data has no such field or it is invalid.
fn named_in<T: TryFrom<String>>(object: Option<&Object<'_>>, name: &str) -> Option<T> {
    let raw = object?.get(name)?;
    let text: String = serde_json::from_str(raw.get()).ok()?;
    T::try_from(text).ok()
}
