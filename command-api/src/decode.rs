//! From the texts of items to events: size, nesting, then the rules of the schema. Pure but for new ids; nothing is
//! appended here.

pub(crate) mod ids;

use ess_schema::{
    Timestamp, UserId,
    decode::{AcceptedShapes, Item, ReceiveContext, Shape, decode_item},
};
use tokio::task::yield_now;

use self::ids::IdempotencyKey;

use crate::{body::items::nesting, config::LimitsConfig, errors::ItemError};

/// After this many items other requests get their turn: some 100 µs of work.
const TURN: usize = 64;

/// How the items of one request are read.
pub(crate) struct ItemDecoder<'r> {
    pub(crate) accept: AcceptedShapes,
    pub(crate) key: Option<&'r IdempotencyKey>,
    pub(crate) received_at: Timestamp,
    pub(crate) limits: &'r LimitsConfig,
    /// The only user whose events are taken.
    pub(crate) only_user: Option<&'r UserId>,
}

impl ItemDecoder<'_> {
    /// Reads every item: an event, or why it is none, in the same order.
    pub(crate) async fn all(&self, texts: &[&str]) -> Vec<Result<Item, ItemError>> {
        let mut items = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            if index % TURN == TURN - 1 {
                yield_now().await;
            }
            items.push(self.one(index, text));
        }
        items
    }

    /// Reads the item at `index`.
    pub(crate) fn one(&self, index: usize, text: &str) -> Result<Item, ItemError> {
        let (bytes, most) = (text.len(), self.limits.item_bytes);
        if bytes > most {
            return Err(ItemError::TooLarge { bytes, most });
        }
        let (levels, most) = (nesting(text), self.limits.item_nesting);
        if levels > most {
            return Err(ItemError::TooDeep { levels, most });
        }
        let mut context = ReceiveContext::Request {
            received_at: self.received_at,
            generate_id: &mut || ids::make(self.key, index),
        };
        let item = decode_item(text, self.accept, &mut context).map_err(ItemError::Invalid)?;
        match self.only_user {
            Some(only) => require_owner(item, only),
            None => Ok(item),
        }
    }
}

/// The item, if it is of the user `only`.
fn require_owner(item: Item, only: &UserId) -> Result<Item, ItemError> {
    let named = item.event.data.user_id();
    if named == Some(only) {
        return Ok(item);
    }
    let pointer = match item.shape {
        Shape::CloudEvent => "/data/user_id",
        Shape::Command | Shape::Flat | Shape::Untyped => "/user_id",
    };
    Err(ItemError::WrongUser {
        pointer,
        named: named.cloned(),
        only: only.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::read;

    const COMMAND: &str =
        r#"{"type":"PausePlayback","playback_id":"p","user_id":"u","track_id":"t","position_ms":1"#;

    fn one(text: &str) -> Result<Item, ItemError> {
        let reading = ItemDecoder {
            accept: AcceptedShapes::Commands,
            key: None,
            received_at: Timestamp::from_millis(1_795_428_000_000).unwrap(),
            limits: &read(&[]).unwrap().limits,
            only_user: None,
        };
        reading.one(0, text)
    }

    fn with_nested(levels: usize) -> String {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{COMMAND},"x":{open}{close}}}"#)
    }

    #[test]
    fn an_item_may_be_as_large_as_the_limit_and_no_larger() {
        let rest = 65_536 - COMMAND.len() - r#","x":""}"#.len();
        let of = |chars: usize| format!(r#"{COMMAND},"x":"{}"}}"#, "a".repeat(chars));
        assert_eq!(of(rest).len(), 65_536);
        assert!(one(&of(rest)).is_ok());
        let (bytes, most) = (65_537, 65_536);
        assert_eq!(one(&of(rest + 1)), Err(ItemError::TooLarge { bytes, most }));
    }

    #[test]
    fn an_item_may_nest_as_deep_as_the_limit_and_no_deeper() {
        assert!(one(&with_nested(31)).is_ok());
        let (levels, most) = (33, 32);
        assert_eq!(
            one(&with_nested(32)),
            Err(ItemError::TooDeep { levels, most })
        );
    }

    #[test]
    fn an_item_that_breaks_rules_names_them() {
        let Err(ItemError::Invalid(violations)) = one(r#"{"type":"PausePlayback"}"#) else {
            panic!("it was taken");
        };
        assert!(violations.iter().any(|v| v.pointer == "/user_id"));
    }
}
