//! Decodes the JSON texts of items into events: checks their size and nesting, then applies the rules of the schema. Appends
//! nothing, and is pure except for new ids.

pub(crate) mod ids;

use ess_schema::{
    Timestamp, UserId, Violation,
    decode::{AcceptedShapes, Item, ReceiveContext, Shape, decode_item},
};
use tokio::task::yield_now;

use self::ids::IdempotencyKey;
use crate::config::LimitsConfig;

/// The number of items to decode before yielding to other tasks: about 100 µs of work.
const ITEMS_PER_YIELD: usize = 64;

/// An event, or why the item is not one.
pub(crate) type DecodedItem = Result<Item, ItemError>;

/// Decodes the items of one request.
pub(crate) struct ItemDecoder<'r> {
    pub(crate) accept: AcceptedShapes,
    pub(crate) key: Option<&'r IdempotencyKey>,
    pub(crate) received_at: Timestamp,
    pub(crate) limits: &'r LimitsConfig,
    /// The only user whose events are accepted; any user if `None`.
    pub(crate) only_user: Option<&'r UserId>,
}

/// Why an item is not appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ItemError {
    /// More bytes than an item may have.
    TooLarge { bytes: usize, max: usize },
    /// Arrays and objects are nested deeper than allowed.
    TooDeep { levels: usize, max: usize },
    /// Fields break rules; at least one violation.
    Invalid(Vec<Violation>),
    /// The caller may append events of one user only, and the event has another user or none.
    WrongUser {
        /// Where the item names its user.
        pointer: &'static str,
        user_id: Option<UserId>,
        allowed: UserId,
    },
}

impl ItemDecoder<'_> {
    /// Decodes a list. Returns one result per item, in the same order.
    pub(crate) async fn decode_list(&self, texts: &[&str]) -> Vec<DecodedItem> {
        let mut items = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            if index % ITEMS_PER_YIELD == ITEMS_PER_YIELD - 1 {
                yield_now().await;
            }
            items.push(self.decode(index, text));
        }
        items
    }

    /// Decodes the item at `index` of the request.
    pub(crate) fn decode(&self, index: usize, text: &str) -> DecodedItem {
        let (bytes, max) = (text.len(), self.limits.item_bytes);
        if bytes > max {
            return Err(ItemError::TooLarge { bytes, max });
        }
        let (levels, max) = (nesting_depth(text), self.limits.item_nesting);
        if levels > max {
            return Err(ItemError::TooDeep { levels, max });
        }
        let mut context = ReceiveContext::Request {
            received_at: self.received_at,
            generate_id: &mut || ids::new_event_id(self.key, index),
        };
        let item = decode_item(text, self.accept, &mut context).map_err(ItemError::Invalid)?;
        match self.only_user {
            Some(user) => require_owner(item, user),
            None => Ok(item),
        }
    }
}

impl ItemError {
    /// The error as violations, with pointers into the item.
    pub(crate) fn violations(&self) -> Vec<Violation> {
        match self {
            Self::TooLarge { bytes, max } => vec![Violation::new(
                "",
                format!("has {bytes} bytes"),
                format!("at most {max} bytes per item"),
            )],
            Self::TooDeep { levels, max } => vec![Violation::new(
                "",
                format!("is nested {levels} levels deep"),
                format!("at most {max} levels"),
            )],
            Self::Invalid(violations) => violations.clone(),
            Self::WrongUser {
                pointer,
                user_id,
                allowed,
            } => {
                let detail = match user_id {
                    Some(user_id) => format!("is {user_id}"),
                    None => "is missing".to_owned(),
                };
                let allowed = format!("{allowed}, the user of the token");
                vec![Violation::new(*pointer, detail, allowed)]
            }
        }
    }
}

/// Returns the item if its event is one of this user.
fn require_owner(item: Item, user: &UserId) -> DecodedItem {
    let user_id = item.event.data.user_id();
    if user_id == Some(user) {
        return Ok(item);
    }
    let pointer = match item.shape {
        Shape::CloudEvent => "/data/user_id",
        Shape::Command | Shape::Flat | Shape::Untyped => "/user_id",
    };
    Err(ItemError::WrongUser {
        pointer,
        user_id: user_id.cloned(),
        allowed: user.clone(),
    })
}

/// How deep arrays and objects are nested in a JSON text.
fn nesting_depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::read;

    const COMMAND: &str =
        r#"{"type":"PausePlayback","playback_id":"p","user_id":"u","track_id":"t","position_ms":1"#;

    fn decode_command(text: &str) -> Result<Item, ItemError> {
        let decoder = ItemDecoder {
            accept: AcceptedShapes::Commands,
            key: None,
            received_at: Timestamp::from_millis(1_795_428_000_000).unwrap(),
            limits: &read(&[]).unwrap().limits,
            only_user: None,
        };
        decoder.decode(0, text)
    }

    fn with_nested(levels: usize) -> String {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{COMMAND},"x":{open}{close}}}"#)
    }

    #[test]
    fn an_item_may_have_at_most_the_maximum_size() {
        let rest = 65_536 - COMMAND.len() - r#","x":""}"#.len();
        let of = |chars: usize| format!(r#"{COMMAND},"x":"{}"}}"#, "a".repeat(chars));
        assert_eq!(of(rest).len(), 65_536);
        assert!(decode_command(&of(rest)).is_ok());
        let (bytes, max) = (65_537, 65_536);
        assert_eq!(
            decode_command(&of(rest + 1)),
            Err(ItemError::TooLarge { bytes, max })
        );
    }

    #[test]
    fn an_item_may_nest_at_most_to_the_maximum_depth() {
        assert!(decode_command(&with_nested(31)).is_ok());
        let (levels, max) = (33, 32);
        assert_eq!(
            decode_command(&with_nested(32)),
            Err(ItemError::TooDeep { levels, max })
        );
    }

    #[test]
    fn an_invalid_item_has_a_violation_for_each_field() {
        let Err(ItemError::Invalid(violations)) = decode_command(r#"{"type":"PausePlayback"}"#)
        else {
            panic!("the item is accepted");
        };
        assert!(violations.iter().any(|v| v.pointer == "/user_id"));
    }

    #[test]
    fn nesting_depth_counts_arrays_and_objects_outside_of_strings() {
        for (json, levels) in [
            ("1", 0),
            ("{}", 1),
            (r#"{"a":[{"b":1}],"c":[]}"#, 3),
            (r#"{"a":"[[[{{"}"#, 1),
            (r#"{"a":"\"[[","b":[1]}"#, 2),
            (r#"{"a\\":[1]}"#, 2),
        ] {
            assert_eq!(nesting_depth(json), levels, "{json}");
        }
    }
}
