//! The ids of events that come without one. An `Idempotency-Key` makes them follow from the request, so that repeating it
//! blindly repeats the same events, with no state kept here (DESIGN, section 3).

use ess_schema::EventId;
use poem::http::HeaderMap;
use uuid::{ContextV7, Timestamp, Uuid};

use crate::errors::RequestError;

/// The header's name.
pub(crate) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// The longest key, in characters.
pub(crate) const MAX_KEY_CHARS: usize = 255;

/// The namespace of ids made from keys: fixed for ever, or a repetition would count twice.
const NAMESPACE: Uuid = Uuid::from_u128(0x3f0c_9a52_6c1e_4d7b_9b58_21c4_7e0d_a6f3);

thread_local! {
    // One a thread, so that threads need no lock between them; what tells their ids apart is 73 random bits.
    static CONTEXT: ContextV7 = const { ContextV7::new() };
}

/// What a caller calls its request, so that it can be repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key among the headers, if there is one.
    ///
    /// # Errors
    /// [`RequestError::BadKey`] when it cannot be read, for a caller who sends one relies on it.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>, RequestError> {
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
            Err(RequestError::BadKey)
        }
    }
}

/// The id of the item at `index` that has none of its own: UUIDv5 of key and index, else a UUIDv7.
pub(crate) fn make(key: Option<&IdempotencyKey>, index: usize) -> EventId {
    let uuid = match key {
        Some(IdempotencyKey(key)) => Uuid::new_v5(&NAMESPACE, format!("{index}:{key}").as_bytes()),
        None => CONTEXT.with(|context| Uuid::new_v7(Timestamp::now(context))),
    };
    #[expect(clippy::expect_used, reason = "a UUID's text is 36 visible characters")]
    EventId::new(uuid.to_string()).expect("an id")
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    fn key(text: &str) -> Result<Option<IdempotencyKey>, RequestError> {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_bytes(text.as_bytes()).unwrap();
        headers.insert(IDEMPOTENCY_KEY, value);
        IdempotencyKey::of(&headers)
    }

    #[test]
    fn a_repeated_request_makes_the_same_ids_and_another_makes_others() {
        let (one, other) = (key("order-1").unwrap(), key("order-2").unwrap());
        let id = |key: &Option<IdempotencyKey>, index| make(key.as_ref(), index);
        assert_eq!(id(&one, 0), id(&key("order-1").unwrap(), 0));
        assert_ne!(id(&one, 0), id(&one, 1));
        assert_ne!(id(&one, 0), id(&other, 0));
    }

    #[test]
    fn the_id_made_from_a_key_never_changes_between_releases() {
        let key = key("order-1").unwrap();
        let id = make(key.as_ref(), 0);
        assert_eq!(id.as_str(), "9b54757b-207f-58ad-bde1-b34543e0259b");
    }

    #[test]
    fn without_a_key_ids_are_new_and_in_order() {
        let ids: Vec<_> = (0..1_000).map(|index| make(None, index)).collect();
        assert!(ids.is_sorted_by(|earlier, later| earlier < later));
        assert_eq!(ids[0].as_str().as_bytes()[14], b'7');
    }

    #[test]
    fn a_key_that_cannot_be_read_is_refused_rather_than_ignored() {
        assert_eq!(IdempotencyKey::of(&HeaderMap::new()), Ok(None));
        assert!(key(&"k".repeat(255)).is_ok());
        for bad in ["", "ключ", &"k".repeat(256)] {
            assert_eq!(key(bad), Err(RequestError::BadKey), "{bad}");
        }
    }

    #[test]
    fn two_keys_are_none() {
        let mut headers = HeaderMap::new();
        for key in ["a", "b"] {
            headers.append(IDEMPOTENCY_KEY, HeaderValue::from_static(key));
        }
        assert_eq!(IdempotencyKey::of(&headers), Err(RequestError::BadKey));
    }
}
