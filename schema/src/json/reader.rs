//! Reads an object's fields by name and type, and collects every violation instead of stopping at the first.

use serde_json::value::RawValue;

use super::Object;
use crate::id::InvalidId;
use crate::time::Timestamp;
use crate::violation::{Violation, shortened};

/// Maximum duration or media position, in ms: 31 years. The sum over a playback's events fits into 64 bits.
pub const MAX_MS: u64 = 1_000_000_000_000;
/// Maximum length of a dimension such as `device`, in characters.
pub const MAX_TEXT_CHARS: usize = 256;

/// Reads typed fields of one [`Object`] and collects violations.
#[derive(Debug)]
pub struct Reader<'o, 'a> {
    object: &'o Object<'a>,
    prefix: &'static str,
    violations: Vec<Violation>,
}

impl<'o, 'a> Reader<'o, 'a> {
    /// A reader whose violations have pointers below `prefix` (`""` for the item itself, `/data` for its data).
    pub fn new(object: &'o Object<'a>, prefix: &'static str) -> Self {
        Self {
            object,
            prefix,
            violations: Vec::new(),
        }
    }

    /// The collected violations.
    pub fn into_violations(self) -> Vec<Violation> {
        self.violations
    }

    /// Adds a violation of the field `name`.
    pub fn reject(&mut self, name: &str, detail: impl Into<String>, allowed: impl Into<String>) {
        let pointer = format!("{}/{name}", self.prefix);
        self.violations
            .push(Violation::new(pointer, detail, allowed));
    }

    /// The raw value of `name`; `None` if it is absent or null.
    pub fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.object.get(name)
    }

    /// A required value. A missing one is a violation.
    pub fn required<T>(
        &mut self,
        name: &str,
        allowed: &str,
        read: impl FnOnce(&mut Self, &str) -> Option<T>,
    ) -> Option<T> {
        if self.object.get(name).is_none() {
            self.reject(name, "is missing", allowed);
            return None;
        }
        read(self, name)
    }

    /// A string; `None` if it is absent or null. Another type is a violation.
    pub fn string(&mut self, name: &str, allowed: &str) -> Option<String> {
        let raw = self.object.get(name)?;
        let text = serde_json::from_str(raw.get()).ok();
        if text.is_none() {
            self.reject(name, wrong_type(raw, "a string"), allowed);
        }
        text
    }

    /// An identifier.
    pub fn id<T: TryFrom<String, Error = InvalidId>>(
        &mut self,
        name: &str,
        allowed: &str,
    ) -> Option<T> {
        let text = self.string(name, allowed)?;
        T::try_from(text)
            .map_err(|e| self.reject(name, e.detail, e.allowed))
            .ok()
    }

    /// A dimension: at most 256 characters without control characters. Empty text counts as absent.
    pub fn text(&mut self, name: &str) -> Option<String> {
        const ALLOWED: &str = "text of at most 256 characters without control characters";
        let text = self.string(name, ALLOWED)?;
        let chars = text.chars().count();
        if chars > MAX_TEXT_CHARS {
            self.reject(name, format!("has {chars} characters"), ALLOWED);
            return None;
        }
        if text.chars().any(char::is_control) {
            self.reject(name, "has a control character", ALLOWED);
            return None;
        }
        (!text.is_empty()).then_some(text)
    }

    /// An integer from 0 to `max`.
    pub fn integer(&mut self, name: &str, max: u64) -> Option<u64> {
        let raw = self.object.get(name)?;
        match serde_json::from_str::<u64>(raw.get()) {
            Ok(value) if value <= max => Some(value),
            outcome => {
                let detail = match outcome {
                    Ok(_) => format!("is {}", raw.get()),
                    Err(_) => wrong_type(raw, "an integer that is not negative"),
                };
                self.reject(name, detail, format!("an integer from 0 to {max}"));
                None
            }
        }
    }

    /// A duration or media position in ms.
    pub fn millis(&mut self, name: &str) -> Option<u64> {
        self.integer(name, MAX_MS)
    }

    /// A required duration or media position in ms.
    pub fn required_millis(&mut self, name: &str) -> Option<u64> {
        let allowed = format!("an integer from 0 to {MAX_MS} (ms)");
        self.required(name, &allowed, Self::millis)
    }

    /// A boolean.
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        let raw = self.object.get(name)?;
        let value = serde_json::from_str(raw.get()).ok();
        if value.is_none() {
            self.reject(name, wrong_type(raw, "true or false"), "true or false");
        }
        value
    }

    /// An RFC 3339 time.
    pub fn time(&mut self, name: &str) -> Option<Timestamp> {
        let text = self.string(name, Timestamp::ALLOWED)?;
        Timestamp::parse_rfc3339(&text)
            .map_err(|e| self.reject(name, e.0, Timestamp::ALLOWED))
            .ok()
    }
}

/// `is a number (5), not a string`.
pub(crate) fn wrong_type(raw: &RawValue, wanted: &str) -> String {
    let text = raw.get();
    let kind = match text.as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    };
    format!("is {kind} ({}), not {wanted}", shortened(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_violation_of_an_object_is_collected_with_its_pointer() {
        let object = Object::parse(r#"{"a":"x","b":-1,"c":7,"d":null}"#).unwrap();
        let mut reader = Reader::new(&object, "/data");
        assert_eq!(reader.millis("a"), None);
        assert_eq!(reader.millis("b"), None);
        assert_eq!(reader.string("c", "text"), None);
        assert_eq!(reader.required_millis("d"), None);
        let found: Vec<_> = reader
            .into_violations()
            .into_iter()
            .map(|v| format!("{} {}", v.pointer, v.detail))
            .collect();
        assert_eq!(
            found,
            [
                r#"/data/a is a string ("x"), not an integer that is not negative"#,
                "/data/b is a number (-1), not an integer that is not negative",
                "/data/c is a number (7), not a string",
                "/data/d is missing"
            ]
        );
    }
}
