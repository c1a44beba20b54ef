//! A cursor gives back its key, for its own list only. Anything else is refused.

use ess_schema::{EventId, Source, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::question::events::EventKey;

fn key(event_id: &str) -> EventKey {
    EventKey {
        occurred_at: Timestamp::parse_rfc3339("2026-11-23T10:00:00.123Z").unwrap(),
        source: Source::new("https://player.example/ios?a=1&b").unwrap(),
        event_id: EventId::new(event_id).unwrap(),
    }
}

fn list(conditions: &[(&'static str, &str)]) -> Fingerprint {
    Fingerprint::of::<EventKey>(
        conditions
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    )
}

/// The text of these bytes with their checksum.
fn sealed(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode([bytes, &checksum(bytes)].concat())
}

/// Another list that is sorted by the same key.
struct OtherList(EventKey);

impl Keyset for OtherList {
    const LIST: &'static str = "others";

    fn write(&self, bytes: &mut Vec<u8>) {
        self.0.write(bytes);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        EventKey::read(bytes).map(Self)
    }
}

#[test]
fn a_cursor_survives_its_text_form() {
    let list = list(&[("user_id", "u")]);
    let text = Cursor::new(list, &key("событие-1")).to_string();
    assert_eq!(
        text.parse::<Cursor>().unwrap().key(list),
        Ok(key("событие-1"))
    );
}

#[test]
fn a_cursor_of_another_list_is_refused() {
    let here = list(&[("user_id", "u"), ("track_id", "t")]);
    let cursor = Cursor::new(here, &key("e"));
    for other in [
        list(&[]),
        list(&[("user_id", "u")]),
        list(&[("user_id", "v"), ("track_id", "t")]),
        list(&[("user_id", "ut"), ("track_id", "")]),
        list(&[("track_id", "u"), ("user_id", "t")]),
    ] {
        assert_eq!(
            cursor.key::<EventKey>(other),
            Err(InvalidCursor::OtherQuestion)
        );
    }
    let others = Fingerprint::of::<OtherList>([]);
    let of_others = Cursor::new(others, &OtherList(key("e")));
    assert_eq!(
        of_others.key::<EventKey>(list(&[])),
        Err(InvalidCursor::OtherQuestion)
    );
    assert!(of_others.key::<OtherList>(others).is_ok());
}

/// Clients use cursors across a deployment, so the format may change with its version only.
#[test]
fn the_format_does_not_change() {
    let text = Cursor::new(list(&[("user_id", "u")]), &key("e")).to_string();
    assert_eq!(
        text,
        "AkEwrFfyehUKAAABogfZIXtodHRwczovL3BsYXllci5leGFtcGxlL2lvcz9hPTEmYgBlq0lXNA"
    );
}

#[test]
fn anything_else_is_refused() {
    let whole = Cursor::new(list(&[]), &key("e"));
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(whole.to_string()).unwrap();
    let content = &bytes[..bytes.len() - CHECKSUM];
    assert_eq!(sealed(content).parse(), Ok(whole.clone()));
    let other_version = sealed(&[&[VERSION + 1], &content[1..]].concat());
    let first_version = BASE64_URL_SAFE_NO_PAD.encode(b"\x01\0\0\0\0\0\0\0\0s\0e");
    let no_list = sealed(&content[..FINGERPRINT]);
    let padded = format!("{whole}=");
    for bad in [
        "",
        "?",
        "AQ",
        "e30",
        &other_version,
        &first_version,
        &no_list,
        &padded,
    ] {
        assert_eq!(
            bad.parse::<Cursor>(),
            Err(InvalidCursor::Unreadable),
            "{bad}"
        );
    }
    let no_key = sealed(&content[..=FINGERPRINT]).parse::<Cursor>().unwrap();
    assert_eq!(
        no_key.key::<EventKey>(list(&[])),
        Err(InvalidCursor::Unreadable)
    );
}

proptest! {
    #[test]
    fn one_altered_character_is_detected(at in any::<prop::sample::Index>(), other in "[A-Za-z0-9_-]") {
        let mut text = Cursor::new(list(&[]), &key("e1")).to_string();
        let at = at.index(text.len());
        prop_assume!(text[at..=at] != other);
        text.replace_range(at..=at, &other);
        prop_assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor::Unreadable));
    }
}
