//! Event ids for items that have none. With an `Idempotency-Key` they are derived from the key, so that a repeated request makes
//! the same events again, without server-side state (DESIGN, section 3).

use ess_schema::EventId;
use poem::http::HeaderMap;
use uuid::{ContextV7, Timestamp, Uuid};

/// The header's name.
pub(crate) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// The maximum length of a key, in characters.
pub(crate) const MAX_KEY_CHARS: usize = 255;

/// The namespace of ids derived from keys. It must never change: a repeated request would then count twice.
const NAMESPACE: Uuid = Uuid::from_u128(0x3f0c_9a52_6c1e_4d7b_9b58_21c4_7e0d_a6f3);

thread_local! {
    // One per thread, so that threads share no lock; 73 random bits keep their ids apart.
    static CONTEXT: ContextV7 = const { ContextV7::new() };
}

/// A client's name for its request, which makes the request safe to repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdempotencyKey(String);

/// A key that is malformed, or sent more than once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid {IDEMPOTENCY_KEY} header; expected one header of 1 to {MAX_KEY_CHARS} printable ASCII characters"
)]
pub(crate) struct InvalidKey;

impl IdempotencyKey {
    /// The key in these headers, if there is one.
    ///
    /// # Errors
    /// [`InvalidKey`]. An invalid key is never ignored, because the client relies on it.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Option<Self>, InvalidKey> {
        let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        let key = value.to_str().unwrap_or_default();
        let well_formed = (1..=MAX_KEY_CHARS).contains(&key.len())
            && key.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        if well_formed && values.next().is_none() {
            Ok(Some(Self(key.to_owned())))
        } else {
            Err(InvalidKey)
        }
    }
}

/// A new id for the item at `index`: the UUIDv5 of key and index, or without a key a UUIDv7.
pub(super) fn new_event_id(key: Option<&IdempotencyKey>, index: usize) -> EventId {
    let uuid = match key {
        Some(IdempotencyKey(key)) => Uuid::new_v5(&NAMESPACE, format!("{index}:{key}").as_bytes()),
        None => CONTEXT.with(|context| Uuid::new_v7(Timestamp::now(context))),
    };
    #[expect(clippy::expect_used, reason = "a UUID has 36 visible characters")]
    EventId::new(uuid.to_string()).expect("a valid event id")
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    fn key(text: &str) -> Result<Option<IdempotencyKey>, InvalidKey> {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_bytes(text.as_bytes()).unwrap();
        headers.insert(IDEMPOTENCY_KEY, value);
        IdempotencyKey::from_headers(&headers)
    }

    #[test]
    fn the_same_key_gives_the_same_ids_and_another_key_gives_others() {
        let (one, other) = (key("order-1").unwrap(), key("order-2").unwrap());
        let id = |key: &Option<IdempotencyKey>, index| new_event_id(key.as_ref(), index);
        assert_eq!(id(&one, 0), id(&key("order-1").unwrap(), 0));
        assert_ne!(id(&one, 0), id(&one, 1));
        assert_ne!(id(&one, 0), id(&other, 0));
    }

    #[test]
    fn the_id_derived_from_a_key_never_changes_between_releases() {
        let key = key("order-1").unwrap();
        let id = new_event_id(key.as_ref(), 0);
        assert_eq!(id.as_str(), "9b54757b-207f-58ad-bde1-b34543e0259b");
    }

    #[test]
    fn without_a_key_ids_are_unique_and_ordered() {
        let ids: Vec<_> = (0..1_000).map(|index| new_event_id(None, index)).collect();
        assert!(ids.is_sorted_by(|earlier, later| earlier < later));
        assert_eq!(ids[0].as_str().as_bytes()[14], b'7');
    }

    #[test]
    fn an_invalid_key_is_rejected_not_ignored() {
        assert_eq!(IdempotencyKey::from_headers(&HeaderMap::new()), Ok(None));
        assert!(key(&"k".repeat(255)).is_ok());
        for bad in ["", "ключ", &"k".repeat(256)] {
            assert_eq!(key(bad), Err(InvalidKey), "{bad}");
        }
    }

    #[test]
    fn two_keys_are_invalid() {
        let mut headers = HeaderMap::new();
        for key in ["a", "b"] {
            headers.append(IDEMPOTENCY_KEY, HeaderValue::from_static(key));
        }
        assert_eq!(IdempotencyKey::from_headers(&headers), Err(InvalidKey));
    }
}
