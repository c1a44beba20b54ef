//! Upcasters: an event's data in an older version becomes data in the next one, raw JSON to raw JSON,
//! before anything is typed. A changed meaning is a new version with an upcaster here.

use std::borrow::Cow;

use crate::event::{CURRENT_VERSION, EventKind};
use crate::json::Object;
use crate::violation::Violation;

/// The version given to the predecessor's untyped messages.
pub const UNTYPED_VERSION: u16 = 0;

/// Fields of an untyped message that belong to the envelope, not to the data.
pub const UNTYPED_ENVELOPE: [&str; 4] = ["id", "ingest_time", "store_time", "test_id"];

/// Lifts data of `kind` by one version.
struct Upcaster {
    kind: EventKind,
    from: u16,
    lift: fn(&str) -> String,
}

const UPCASTERS: &[Upcaster] = &[Upcaster {
    kind: EventKind::Recorded,
    from: UNTYPED_VERSION,
    lift: untyped_to_recorded,
}];

/// Brings `json`, data of `kind` written in `version`, to the version this build reads.
///
/// # Errors
/// A [`Violation`] when the version is newer than this build or no upcaster leads on from it.
pub fn upcast(kind: EventKind, version: u16, json: &str) -> Result<Cow<'_, str>, Violation> {
    walk(UPCASTERS, kind, version, CURRENT_VERSION, json)
}

fn walk<'a>(
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
        json = Cow::Owned((upcaster.lift)(&json));
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

/// What does not parse is left as it is: reading it as data says what is wrong with it.
fn untyped_to_recorded(json: &str) -> String {
    Object::parse(json).map_or_else(|_| json.to_owned(), |object| object.rest(&UNTYPED_ENVELOPE))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: &[Upcaster] = &[
        Upcaster {
            kind: EventKind::Paused,
            from: 1,
            lift: |json| json.replace("pos_s", "position_s"),
        },
        Upcaster {
            kind: EventKind::Paused,
            from: 2,
            lift: |json| json.replace("position_s", "position_ms"),
        },
    ];

    #[test]
    fn an_old_version_climbs_step_by_step() {
        let lifted = walk(CHAIN, EventKind::Paused, 1, 3, r#"{"pos_s":1}"#).unwrap();
        assert_eq!(lifted, r#"{"position_ms":1}"#);
    }

    #[test]
    fn the_current_version_is_not_touched() {
        let same = walk(CHAIN, EventKind::Paused, 3, 3, "{}").unwrap();
        assert!(matches!(same, Cow::Borrowed("{}")));
    }

    #[test]
    fn unknown_versions_are_refused_with_the_known_ones() {
        for version in [0, 4] {
            let refused = walk(CHAIN, EventKind::Paused, version, 3, "{}").unwrap_err();
            assert_eq!(refused.allowed, "one of: 1, 2, 3");
        }
    }

    #[test]
    fn an_untyped_message_loses_only_its_envelope() {
        let untyped = r#"{"id":"e","user_id":"u","track_id":"t","ingest_time":1,"x":2}"#;
        let lifted = upcast(EventKind::Recorded, UNTYPED_VERSION, untyped).unwrap();
        assert_eq!(lifted, r#"{"user_id":"u","track_id":"t","x":2}"#);
    }
}
