//! Commands: flat JSON with an imperative name. One command makes one event; unknown fields stay in its data.

use super::draft::{Draft, Pointers};
use crate::event::{
    Content, CustomEvent, EventData, EventKind, RECORD_EVENT, check_content, read_data,
};
use crate::id::{EventId, EventType, PlaybackId, Source, TestId, TrackId, UserId};
use crate::json::{Object, Reader, push_string};

/// Fields of the envelope; every other field of a command is data.
const ENVELOPE: [&str; 8] = [
    "type",
    "playback_id",
    "event_id",
    "source",
    "time",
    "test_id",
    "traceparent",
    "tracestate",
];
const POINTERS: Pointers = Pointers {
    id: "/event_id",
    playback_id: "/playback_id",
    time: "/time",
};

pub(super) fn read(object: &Object<'_>) -> Draft {
    let mut draft = Draft::new(Source::command_api(), POINTERS);
    let mut reader = Reader::new(object, "");
    draft.id = reader.id("event_id", EventId::ALLOWED);
    if let Some(source) = reader.id("source", Source::ALLOWED) {
        draft.source = source;
    }
    draft.playback_id = reader.id("playback_id", PlaybackId::ALLOWED);
    draft.time = reader.time("time");
    draft.test_id = reader.id("test_id", TestId::ALLOWED);
    for name in ["traceparent", "tracestate"] {
        // A CloudEvents attribute must not be an object or an array.
        if reader.string(name, "text").is_some()
            && let Some(raw) = reader.raw(name)
        {
            draft.extensions.push((name.into(), raw.get().into()));
        }
    }
    let name = reader.required("type", &EventKind::command_names(), |r, n| {
        r.string(n, &EventKind::command_names())
    });
    match name.as_deref() {
        Some(RECORD_EVENT) => record_event(&mut draft, &mut reader, object),
        Some(name) => match EventKind::from_command_name(name) {
            Ok(kind) => {
                draft.kind = Some(kind);
                draft.data = read_data(kind, &mut reader);
                draft.content = Content::json(object.json_without(&ENVELOPE));
            }
            Err(_) => reject_name(&mut reader, name),
        },
        None => {}
    }
    draft.violations.append(&mut reader.into_violations());
    draft
}

fn reject_name(reader: &mut Reader<'_, '_>, name: &str) {
    let detail = match EventKind::from_event_name(name) {
        Ok(kind) => format!(
            "is an event ({name}); its command is {}",
            kind.command_name()
        ),
        Err(_) => format!(
            "is not a command (\"{}\")",
            crate::violation::shortened(name)
        ),
    };
    let allowed = format!(
        "{}; other facts go in RecordEvent with event_type and data",
        EventKind::command_names()
    );
    reader.reject("type", detail, allowed);
}

/// `RecordEvent`: the event's name in `event_type`, its content in `data`. Undocumented fields go into the extension attribute
/// `extra`.
fn record_event(draft: &mut Draft, reader: &mut Reader<'_, '_>, object: &Object<'_>) {
    let name = reader.required("event_type", EventType::ALLOWED, |r, n| {
        let name = r.string(n, EventType::ALLOWED)?;
        custom_event_type(&name)
            .map_err(|(d, a)| r.reject(n, d, a))
            .ok()
    });
    let user_id = reader.id("user_id", UserId::ALLOWED);
    let track_id = reader.id("track_id", TrackId::ALLOWED);
    draft.content = Content::declared(
        reader.string("datacontenttype", "a media type"),
        reader.raw("data").map(|raw| raw.get().to_owned()),
        reader.string("data_base64", "base64"),
    );
    check_content(&draft.content, &mut draft.violations);
    let mut known = ENVELOPE.to_vec();
    known.extend([
        "event_type",
        "user_id",
        "track_id",
        "datacontenttype",
        "data",
        "data_base64",
    ]);
    push_extra(draft, &object.json_without(&known));
    draft.data = name.map(|name| {
        EventData::Custom(CustomEvent {
            name,
            user_id,
            track_id,
        })
    });
}

fn push_extra(draft: &mut Draft, rest: &str) {
    if rest != "{}" {
        let mut quoted = String::with_capacity(rest.len() + 2);
        push_string(&mut quoted, rest);
        draft.extensions.push(("extra".into(), quoted));
    }
}

/// The name of a custom event, which must not be that of a playback event or a command.
pub(super) fn custom_event_type(name: &str) -> Result<EventType, (String, String)> {
    if let Ok(kind) = EventKind::from_event_name(name) {
        return Err((
            format!("is a playback event ({name})"),
            format!("the command {} for it", kind.command_name()),
        ));
    }
    if let Ok(kind) = EventKind::from_command_name(name) {
        return Err((
            format!("is a command ({name})"),
            format!("the event's name, {}", kind.event_name()),
        ));
    }
    EventType::new(name).map_err(|e| (e.detail.into_owned(), e.allowed.to_owned()))
}
