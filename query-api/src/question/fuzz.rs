//! Cursors from arbitrary bytes: no panic, and a key that is read is written as the same bytes.

use ess_fuzz::Target;

use crate::question::{
    cursor::{Cursor, Fingerprint, Keyset},
    events::EventKey,
    playbacks::PlaybackKey,
    row_key::RowKey,
};

/// The key of the event "e1" of "src".
const EVENT_KEY: &[u8] = b"\0\0\x01\x9a\0\0\0\0src\0e1";

/// Asserts that a key that is read from these bytes is written and read back unchanged. False if they are no key.
fn round_trips<K: Keyset>(bytes: &[u8]) -> bool {
    let Some(key) = K::read(bytes) else {
        return false;
    };
    let write = |key: &K| {
        let mut bytes = Vec::new();
        key.write(&mut bytes);
        bytes
    };
    let written = write(&key);
    let again = K::read(&written).unwrap_or_else(|| panic!("{written:?} cannot be read"));
    assert_eq!(write(&again), written, "of {bytes:?}");
    true
}

#[test]
fn any_text_is_a_cursor_or_an_error() {
    let key = EventKey::read(EVENT_KEY).unwrap();
    let cursor = Cursor::new(Fingerprint::of::<EventKey>([]), &key);
    let cursors = [cursor.to_string().into_bytes()];
    Target::new("cursor", cursors).run(|input| {
        let Ok(text) = str::from_utf8(input) else {
            return false;
        };
        let Ok(cursor) = text.parse::<Cursor>() else {
            return false;
        };
        assert_eq!(cursor.to_string(), text);
        true
    });
}

#[test]
fn any_bytes_are_a_key_or_an_error() {
    let keys = [
        EVENT_KEY.to_vec(),
        b"\0\0\x01\x9a\0\0\0\0p1".to_vec(),
        br#"[{"Number":4591870180066957722},{"Text":"ann"},{"Integer":-1},"Unknown"]"#.to_vec(),
    ];
    Target::new("keyset", keys).run(|input| {
        let read = [
            round_trips::<EventKey>(input),
            round_trips::<PlaybackKey>(input),
            round_trips::<RowKey>(input),
        ];
        read.contains(&true)
    });
}
