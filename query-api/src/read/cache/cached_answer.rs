//! An answer, as a query returns it and as the cache stores it: with the values of its HTTP headers, computed once.

use std::{
    fmt::Write as _,
    hash::{Hash, Hasher},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use poem::http::HeaderValue;
use sha2::{Digest, Sha256};

use super::key::Key;
use crate::{question::Cursor, read::watermark::View};

/// The bytes of an entry beside its body and key: headers, and the entry of the cache itself.
const OVERHEAD: usize = 1_024;

/// A fresh answer.
#[derive(Debug)]
pub(crate) struct Content {
    /// The body.
    pub(crate) body: Vec<u8>,
    /// Where the next page begins, if there is one.
    pub(crate) next: Option<Cursor>,
    /// How long the cache may serve it.
    pub(crate) ttl: Duration,
    /// The totals of all pages, as JSON, if they were requested.
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

/// An answer in the cache.
#[derive(Debug)]
pub(crate) struct CachedAnswer {
    /// The body.
    pub(crate) body: Bytes,
    /// A strong entity tag.
    pub(crate) etag: HeaderValue,
    /// `Cache-Control`: the whole seconds of its time to live.
    pub(crate) cache_control: HeaderValue,
    /// `Ess-Watermark`.
    pub(crate) watermark: HeaderValue,
    /// Where the next page begins, if there is one.
    pub(crate) next: Option<Cursor>,
    /// `Ess-Totals`, if it was requested.
    pub(crate) totals: Option<HeaderValue>,
    /// How long the cache may serve it.
    pub(super) ttl: Duration,
    /// When the query started.
    pub(super) queried_at: Instant,
    /// What the generation was known to include when the query started.
    pub(super) view: Arc<View>,
}

impl CachedAnswer {
    pub(super) fn new(content: Content, view: Arc<View>, queried_at: Instant) -> Self {
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
            queried_at,
            view,
        }
    }

    /// `Age`: the seconds since the query, rounded up. HTTP has whole seconds only, and `max-age` minus `Age`, on which callers rely,
    /// must not exceed the remaining time.
    pub(crate) fn age(&self) -> u64 {
        seconds_rounded_up(self.queried_at.elapsed())
    }

    /// The bytes that it takes under `key`.
    pub(super) fn bytes(&self, key: &Key) -> u32 {
        let mut size = Size(self.body.len() + OVERHEAD);
        key.hash(&mut size);
        u32::try_from(size.0).unwrap_or(u32::MAX)
    }
}

fn seconds_rounded_up(elapsed: Duration) -> u64 {
    elapsed.as_secs() + u64::from(elapsed.subsec_nanos() > 0)
}

/// Counts the hashed bytes of a key: its variable part.
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

/// Our own text, which has visible characters only, as a header value.
fn visible(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_bodies_have_equal_tags() {
        assert_eq!(etag(b"a"), etag(b"a"));
        assert_ne!(etag(b"a"), etag(b"b"));
        let sha256_of_abc = "\"ba7816bf8f01cfea414140de5dae2223\"";
        assert_eq!(etag(b"abc"), sha256_of_abc);
    }

    #[test]
    fn max_age_minus_age_never_exceeds_the_remaining_time() {
        for (ttl, elapsed) in [
            (1_900, 950),
            (2_000, 1),
            (2_000, 1_000),
            (500, 1),
            (60_000, 0),
        ] {
            let (ttl, elapsed) = (Duration::from_millis(ttl), Duration::from_millis(elapsed));
            let remaining = ttl.as_secs().saturating_sub(seconds_rounded_up(elapsed));
            assert!(
                Duration::from_secs(remaining) + elapsed <= ttl,
                "{ttl:?} {elapsed:?}"
            );
        }
        assert_eq!(seconds_rounded_up(Duration::from_secs(3)), 3);
    }
}
