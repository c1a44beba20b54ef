//! The cursor of the next page: opaque, versioned, and bound to its list and conditions. It contains the sort key of the last row of
//! a page, so that pages stay correct while rows arrive.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ess_service::problem::FieldError;
use sha2::{Digest, Sha256};

/// The first byte. Then the list's fingerprint, the key, and a checksum of all three.
const VERSION: u8 = 2;
/// Bytes of a SHA-256 that identify a list. A collision would only mix up pages.
const FINGERPRINT: usize = 8;
/// Bytes of a SHA-256 that detect an altered cursor. A forged cursor gives access to nothing more.
const CHECKSUM: usize = 4;

/// The sort key of a list's rows.
pub(crate) trait Keyset: Sized {
    /// The name of the list that is sorted by it.
    const LIST: &'static str;

    /// Appends the key to the bytes.
    fn write(&self, bytes: &mut Vec<u8>);

    /// Reads a key that `write` wrote.
    fn read(bytes: &[u8]) -> Option<Self>;
}

/// A position in a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Cursor {
    list: Fingerprint,
    key: Box<[u8]>,
}

/// Identifies a list with its conditions. The size of a page does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint([u8; FINGERPRINT]);

/// The reason why a cursor is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidCursor {
    #[error("not a cursor of this service, or of a version that it no longer reads")]
    Unreadable,
    #[error("a cursor of another list, or of this list with other conditions")]
    OtherQuestion,
}

impl InvalidCursor {
    /// What is allowed instead.
    pub(crate) const ALLOWED: &'static str =
        "the cursor of a Link header, with the conditions of its page";

    /// The error of the parameter `cursor`.
    pub(crate) fn of_parameter(self) -> FieldError {
        FieldError {
            pointer: "?cursor".to_owned(),
            detail: self.to_string(),
            allowed: Some(Self::ALLOWED.to_owned()),
        }
    }
}

impl Fingerprint {
    /// The fingerprint of the list that `K` sorts, with these conditions by name, in the order of the list.
    pub(crate) fn of<K: Keyset>(
        conditions: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Self {
        let mut hash = Sha256::new_with_prefix(K::LIST);
        for (name, value) in conditions {
            for text in [name, &value] {
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text);
            }
        }
        Self(first(&hash.finalize()))
    }
}

impl Cursor {
    /// The position after the row with this key.
    pub(crate) fn new<K: Keyset>(list: Fingerprint, key: &K) -> Self {
        let mut bytes = Vec::new();
        key.write(&mut bytes);
        Self {
            list,
            key: bytes.into(),
        }
    }

    /// The key after which a page of this list begins.
    ///
    /// # Errors
    /// When the cursor is one of another list.
    pub(crate) fn key<K: Keyset>(&self, list: Fingerprint) -> Result<K, InvalidCursor> {
        if self.list != list {
            return Err(InvalidCursor::OtherQuestion);
        }
        K::read(&self.key).ok_or(InvalidCursor::Unreadable)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (content, sum) = bytes.split_last_chunk()?;
        let (list, key) = content.strip_prefix(&[VERSION])?.split_first_chunk()?;
        (checksum(content) == *sum).then(|| Self {
            list: Fingerprint(*list),
            key: key.into(),
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![VERSION];
        bytes.extend(self.list.0);
        bytes.extend(&self.key);
        bytes.extend(checksum(&bytes));
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl std::str::FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text);
        let read = bytes.ok().and_then(|bytes| Self::read(&bytes));
        read.ok_or(InvalidCursor::Unreadable)
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    first(&Sha256::digest(bytes))
}

/// The first bytes of a longer hash.
fn first<const N: usize>(hash: &[u8]) -> [u8; N] {
    std::array::from_fn(|at| hash[at])
}

#[cfg(test)]
mod tests;
