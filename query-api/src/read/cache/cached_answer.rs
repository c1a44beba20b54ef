//! An answer, as a query gives it and as it is kept: with what HTTP tells of it written out once, however often it is told.

use std::{
    fmt::Write as _,
    hash::{Hash, Hasher},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use poem::http::HeaderValue;
use sha2::{Digest, Sha256};

use super::Key;
use crate::{question::Cursor, read::watermark::View};

/// What an entry takes beside its body and its key: headers, and what the cache itself keeps of it.
const OVERHEAD: usize = 1_024;

/// A fresh answer.
#[derive(Debug)]
pub(crate) struct Content {
    /// The body.
    pub(crate) body: Vec<u8>,
    /// Where the next page begins, if there is one.
    pub(crate) next: Option<Cursor>,
    /// How long it may be told again.
    pub(crate) ttl: Duration,
    /// What all pages come to together, as JSON, if that was asked for.
    pub(crate) totals: Option<String>,
}

impl Content {
    /// The only page of an answer.
    pub(crate) fn new(body: Vec<u8>, ttl: Duration) -> Self {
        Self {
            body,
            next: None,
            ttl,
            totals: None,
        }
    }
}

/// An answer as it is kept.
#[derive(Debug)]
pub(crate) struct CachedAnswer {
    /// The body.
    pub(crate) body: Bytes,
    /// A strong entity tag.
    pub(crate) etag: HeaderValue,
    /// `Cache-Control`: whole seconds of the time it may be told again.
    pub(crate) cache_control: HeaderValue,
    /// `Ess-Watermark`.
    pub(crate) watermark: HeaderValue,
    /// Where the next page begins, if there is one.
    pub(crate) next: Option<Cursor>,
    /// `Ess-Totals`, if it was asked for.
    pub(crate) totals: Option<HeaderValue>,
    /// How long it may be told again.
    pub(super) ttl: Duration,
    /// When the read model was asked.
    pub(super) asked_at: Instant,
    /// What the read model held at least when it was asked.
    pub(super) view: Arc<View>,
}

impl CachedAnswer {
    pub(super) fn new(content: Content, view: Arc<View>, asked_at: Instant) -> Self {
        let Content {
            body,
            next,
            ttl,
            totals,
        } = content;
        Self {
            etag: etag(&body),
            cache_control: visible(&format!("max-age={}", ttl.as_secs())),
            watermark: visible(&view.header()),
            totals: totals.as_deref().map(visible),
            body: body.into(),
            next,
            ttl,
            asked_at,
            view,
        }
    }

    /// `Age`: the seconds begun since the read model was asked. HTTP knows whole seconds only, and `max-age` less this, which
    /// is what a caller may rely on, must not be more than what is left.
    pub(crate) fn age(&self) -> u64 {
        whole_seconds_begun(self.asked_at.elapsed())
    }

    /// What it takes, kept under `key`.
    pub(super) fn bytes(&self, key: &Key) -> u32 {
        let mut size = Size(self.body.len() + OVERHEAD);
        key.hash(&mut size);
        u32::try_from(size.0).unwrap_or(u32::MAX)
    }
}

fn whole_seconds_begun(elapsed: Duration) -> u64 {
    elapsed.as_secs() + u64::from(elapsed.subsec_nanos() > 0)
}

/// Counts what is hashed of a key, which is all that is variable of it.
struct Size(usize);

impl Hasher for Size {
    fn write(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }

    fn finish(&self) -> u64 {
        self.0 as u64
    }
}

/// The first half of the body's SHA-256.
fn etag(body: &[u8]) -> HeaderValue {
    let mut text = String::from("\"");
    for byte in Sha256::digest(body).iter().take(16) {
        let _ = write!(text, "{byte:02x}");
    }
    visible(&(text + "\""))
}

/// Text of our own making, of visible characters only, as a header's value.
fn visible(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_bodies_have_equal_tags_and_others_have_others() {
        assert_eq!(etag(b"a"), etag(b"a"));
        assert_ne!(etag(b"a"), etag(b"b"));
        let sha256_of_abc = "\"ba7816bf8f01cfea414140de5dae2223\"";
        assert_eq!(etag(b"abc"), sha256_of_abc);
    }

    #[test]
    fn what_a_caller_may_rely_on_is_never_more_than_what_is_left() {
        for (ttl, elapsed) in [
            (1_900, 950),
            (2_000, 1),
            (2_000, 1_000),
            (500, 1),
            (60_000, 0),
        ] {
            let (ttl, elapsed) = (Duration::from_millis(ttl), Duration::from_millis(elapsed));
            let relied_on = ttl.as_secs().saturating_sub(whole_seconds_begun(elapsed));
            assert!(
                Duration::from_secs(relied_on) + elapsed <= ttl,
                "{ttl:?} {elapsed:?}"
            );
        }
        assert_eq!(whole_seconds_begun(Duration::from_secs(3)), 3);
    }
}
