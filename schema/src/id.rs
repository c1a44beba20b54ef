//! Identifiers as newtypes that cannot hold an invalid value.
//! Ids are opaque: nothing parses them.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// Maximum length of an id, in characters (DESIGN §3: opaque strings of 1–128 visible characters).
pub const MAX_ID_CHARS: usize = 128;
/// Maximum length of a source, in characters: a source is a URI reference and may be longer than an id.
pub const MAX_SOURCE_CHARS: usize = 512;
/// Maximum length of the name of a custom event, in characters.
pub const MAX_TYPE_CHARS: usize = 64;

/// A text that is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}; allowed: {allowed}")]
pub struct InvalidId {
    /// What is wrong with the text.
    pub detail: Cow<'static, str>,
    /// The rule.
    pub allowed: &'static str,
}

/// Checks that every character is visible, in any script: neither white space nor a control character.
fn check_visible(text: &str, max: usize, allowed: &'static str) -> Result<(), InvalidId> {
    let fail = |detail: Cow<'static, str>| Err(InvalidId { detail, allowed });
    if text.is_empty() {
        return fail("is empty".into());
    }
    if text.bytes().all(|b| b.is_ascii_graphic()) {
        return if text.len() <= max {
            Ok(())
        } else {
            fail(format!("has {} characters", text.len()).into())
        };
    }
    let bad = text
        .chars()
        .enumerate()
        .find(|(_, c)| c.is_whitespace() || c.is_control());
    if let Some((at, c)) = bad {
        return fail(format!("has {} at character {}", c.escape_unicode(), at + 1).into());
    }
    match text.chars().count() {
        n if n > max => fail(format!("has {n} characters").into()),
        _ => Ok(()),
    }
}

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident, $max:expr, $allowed:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// The rule for values of this type, as in messages.
            pub const ALLOWED: &'static str = $allowed;

            /// Checks `text`.
            ///
            /// # Errors
            /// [`InvalidId`] if it is empty, too long, or has an invisible character.
            pub fn new(text: impl Into<Box<str>>) -> Result<Self, InvalidId> {
                let text = text.into();
                check_visible(&text, $max, Self::ALLOWED)?;
                Ok(Self(text))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string", "minLength": 1, "maxLength": $max, "pattern": r"^[^\s\x00-\x1f\x7f-\x9f]+$"
                })
            }
        }
    };
}

opaque_id!(
    /// The id of an event. Together with [`Source`] it is the event's identity.
    EventId, MAX_ID_CHARS, "1 to 128 visible characters");
opaque_id!(
    /// The id of one attempt of one user to play one track. It is the key of the Kafka records of the playback.
    PlaybackId, MAX_ID_CHARS, "1 to 128 visible characters");
opaque_id!(
    /// The listener.
    UserId, MAX_ID_CHARS, "1 to 128 visible characters");
opaque_id!(
    /// The track played.
    TrackId, MAX_ID_CHARS, "1 to 128 visible characters");
opaque_id!(
    /// Marks the events of one test run, so that its lag and losses can be measured.
    TestId, MAX_ID_CHARS, "1 to 128 visible characters");
opaque_id!(
    /// The producer of an event: the CloudEvents `source`, a URI reference.
    Source, MAX_SOURCE_CHARS, "1 to 512 visible characters (a URI reference)");

impl Source {
    /// The source of a command without a `source`.
    pub fn command_api() -> Self {
        Self("ess/command-api".into())
    }

    /// The source of the predecessor's messages in an old topic.
    pub fn legacy() -> Self {
        Self("ess/predecessor".into())
    }

    /// The source of flat JSON without a `source`.
    pub fn external() -> Self {
        Self("external".into())
    }
}

impl From<EventId> for PlaybackId {
    /// The id of a playback that is recorded in one event: that event's id. Both follow the same rule.
    fn from(id: EventId) -> Self {
        Self(id.0)
    }
}

/// The name of a custom event: `[A-Za-z][A-Za-z0-9._-]{0,63}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EventType(Box<str>);

impl EventType {
    /// The rule for names, as in messages.
    pub const ALLOWED: &'static str =
        "a letter, then up to 63 of letters, digits, '.', '_' and '-'";

    /// Checks `name`.
    ///
    /// # Errors
    /// [`InvalidId`] if it does not match the pattern.
    pub fn new(name: &str) -> Result<Self, InvalidId> {
        let well_formed = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.len() <= MAX_TYPE_CHARS
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
        if well_formed {
            return Ok(Self(name.into()));
        }
        Err(InvalidId {
            detail: format!(
                "is not an event name (\"{}\")",
                crate::violation::shortened(name)
            )
            .into(),
            allowed: Self::ALLOWED,
        })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_visible_text_of_any_script() {
        for good in ["a", "event-12-7", "0199-ab", "пользователь", "曲"] {
            assert!(EventId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "two words", "tab\t", "nul\0", "\u{a0}nbsp"] {
            assert!(EventId::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn length_counts_characters_not_bytes() {
        assert!(UserId::new("я".repeat(128)).is_ok());
        assert!(UserId::new("я".repeat(129)).is_err());
        assert!(UserId::new("a".repeat(129)).is_err());
    }

    #[test]
    fn custom_names_start_with_a_letter() {
        assert!(EventType::new("com.example.ad-shown_2").is_ok());
        for bad in ["", "1st", "has space", "slash/ed"] {
            assert!(EventType::new(bad).is_err(), "{bad:?}");
        }
        assert!(EventType::new(&"a".repeat(64)).is_ok());
        assert!(EventType::new(&"a".repeat(65)).is_err());
    }
}
