//! Upcasters: convert an event's data from one schema version to the next, raw JSON to raw JSON, before it is typed.
//! A change of meaning is a new version with an upcaster here.

use std::borrow::Cow;

use crate::event::{CURRENT_VERSION, EventKind};
use crate::json::Object;
use crate::violation::Violation;

/// The version of the predecessor's untyped messages.
pub const UNTYPED_VERSION: u16 = 0;

/// Fields of an untyped message that belong to the envelope.
pub const UNTYPED_ENVELOPE: [&str; 4] = ["id", "ingest_time", "store_time", "test_id"];

/// Converts data of `kind` from version `from` to the next one.
struct Upcaster {
    kind: EventKind,
    from: u16,
    convert: fn(&str) -> String,
}

const UPCASTERS: &[Upcaster] = &[Upcaster {
    kind: EventKind::Recorded,
    from: UNTYPED_VERSION,
    convert: untyped_to_recorded,
}];

/// Converts `json`, data of `kind` in `version`, to [`CURRENT_VERSION`].
///
/// # Errors
/// A [`Violation`] if the version is newer than [`CURRENT_VERSION`] or has no upcaster.
pub fn upcast(kind: EventKind, version: u16, json: &str) -> Result<Cow<'_, str>, Violation> {
    upcast_with(UPCASTERS, kind, version, CURRENT_VERSION, json)
}

fn upcast_with<'a>(
    upcasters: &[Upcaster],
    kind: EventKind,
    version: u16,
    target: u16,
    json: &'a str,
) -> Result<Cow<'a, str>, Violation> {
    let mut json = Cow::Borrowed(json);
    for from in version..target {
        let found = upcasters.iter().find(|u| u.kind == kind && u.from == from);
        let upcaster = found.ok_or_else(|| unknown(upcasters, kind, version, target))?;
        json = Cow::Owned((upcaster.convert)(&json));
    }
    if version > target {
        return Err(unknown(upcasters, kind, version, target));
    }
    Ok(json)
}

fn unknown(upcasters: &[Upcaster], kind: EventKind, version: u16, target: u16) -> Violation {
    let mut known: Vec<_> = upcasters
        .iter()
        .filter(|u| u.kind == kind)
        .map(|u| u.from)
        .collect();
    known.push(target);
    let known: Vec<_> = known.iter().map(u16::to_string).collect();
    let detail = format!("is {version}, unknown for {}", kind.event_name());
    Violation::new(
        "/schemaversion",
        detail,
        format!("one of: {}", known.join(", ")),
    )
}

/// Returns text that does not parse unchanged: reading it as data reports the error.
fn untyped_to_recorded(json: &str) -> String {
    Object::parse(json).map_or_else(
        |_| json.to_owned(),
        |object| object.json_without(&UNTYPED_ENVELOPE),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: &[Upcaster] = &[
        Upcaster {
            kind: EventKind::Paused,
            from: 1,
            convert: |json| json.replace("pos_s", "position_s"),
        },
        Upcaster {
            kind: EventKind::Paused,
            from: 2,
            convert: |json| json.replace("position_s", "position_ms"),
        },
    ];

    #[test]
    fn an_old_version_is_converted_step_by_step() {
        let converted = upcast_with(CHAIN, EventKind::Paused, 1, 3, r#"{"pos_s":1}"#).unwrap();
        assert_eq!(converted, r#"{"position_ms":1}"#);
    }

    #[test]
    fn the_current_version_is_not_changed() {
        let same = upcast_with(CHAIN, EventKind::Paused, 3, 3, "{}").unwrap();
        assert!(matches!(same, Cow::Borrowed("{}")));
    }

    #[test]
    fn unknown_versions_are_rejected_with_the_known_ones() {
        for version in [0, 4] {
            let refused = upcast_with(CHAIN, EventKind::Paused, version, 3, "{}").unwrap_err();
            assert_eq!(refused.allowed, "one of: 1, 2, 3");
        }
    }

    #[test]
    fn an_untyped_message_loses_only_its_envelope() {
        let untyped = r#"{"id":"e","user_id":"u","track_id":"t","ingest_time":1,"x":2}"#;
        let converted = upcast(EventKind::Recorded, UNTYPED_VERSION, untyped).unwrap();
        assert_eq!(converted, r#"{"user_id":"u","track_id":"t","x":2}"#);
    }
}
