//! The predecessor's untyped messages, `{id, user_id, track_id, ingest_time?, store_time?}`: an entire playback, recorded
//! afterwards. They are version 0 of `PlaybackRecorded`.

use super::draft::{Draft, Pointers};
use crate::event::{CURRENT_VERSION, Content, EventKind, read_data};
use crate::id::{EventId, Source, TestId};
use crate::json::{Object, Reader, wrong_type};
use crate::time::Timestamp;
use crate::upcast::{UNTYPED_ENVELOPE, UNTYPED_VERSION};

const POINTERS: Pointers = Pointers {
    id: "/id",
    playback_id: "/id",
    time: "/ingest_time",
};
const TIME: &str =
    "ISO 8601 with or without zone (none means UTC), or Unix seconds or milliseconds";

/// An untyped item of a request. ESS writes it in the current version.
pub(super) fn read_request(object: &Object<'_>) -> Draft {
    let mut draft = read(object, Source::command_api());
    draft.content = Content::json(object.json_without(&UNTYPED_ENVELOPE));
    draft.schemaversion = CURRENT_VERSION;
    draft
}

/// An untyped record of an old topic. Its data stays as it was written.
pub(super) fn read_record(object: &Object<'_>) -> Draft {
    let mut draft = read(object, Source::legacy());
    draft.content = Content::json(object.json_without(&[]));
    draft.schemaversion = UNTYPED_VERSION;
    draft
}

fn read(object: &Object<'_>, source: Source) -> Draft {
    let mut draft = Draft::new(source, POINTERS);
    let mut reader = Reader::new(object, "");
    draft.id = reader.required("id", EventId::ALLOWED, |r, n| r.id(n, EventId::ALLOWED));
    draft.test_id = reader.id("test_id", TestId::ALLOWED);
    // The predecessor's `ingest_time` is the client's time of occurrence.
    draft.time = time(&mut reader, "ingest_time");
    draft.kind = Some(EventKind::Recorded);
    draft.data = read_data(EventKind::Recorded, &mut reader);
    draft.violations.append(&mut reader.into_violations());
    draft
}

fn time(reader: &mut Reader<'_, '_>, name: &str) -> Option<Timestamp> {
    let raw = reader.raw(name)?;
    let parsed = if raw.get().starts_with('"') {
        Timestamp::parse_lenient(&reader.string(name, TIME)?)
    } else if let Ok(number) = serde_json::from_str::<f64>(raw.get()) {
        Timestamp::from_unix(number)
    } else {
        reader.reject(name, wrong_type(raw, "a time"), TIME);
        return None;
    };
    parsed.map_err(|e| reader.reject(name, e.0, TIME)).ok()
}
