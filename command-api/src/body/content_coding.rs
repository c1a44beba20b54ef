//! What a body was compressed with (`Content-Encoding`, RFC 9110, section 8.4), and how it is inflated: piece by piece as it comes,
//! so that whoever counts the bytes can stop in the middle.

use std::io;

use async_compression::{
    tokio::bufread::{GzipDecoder, ZstdDecoder},
    zstd::DParameter,
};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream::BoxStream};
use poem::{
    Body,
    http::{HeaderMap, header},
};
use tokio::{
    io::{AsyncRead, BufReader},
    task::yield_now,
};
use tokio_util::io::ReaderStream;

use crate::errors::RequestError;

/// Bytes inflated before other requests get their turn: some 20 µs of work.
const TURN: usize = 16 * 1024;
/// The largest window that a zstd frame may ask memory for, as a power of two: 8 MiB, what RFC 9659 has every decoder support.
const ZSTD_WINDOW_LOG: u32 = 23;

/// The content codings that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ContentCoding {
    /// Not compressed.
    Identity,
    Gzip,
    Zstd,
}

impl ContentCoding {
    /// The coding of a body with these headers.
    ///
    /// # Errors
    /// [`RequestError::ContentCoding`]: another one, or several.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, RequestError> {
        let mut given = headers.get_all(header::CONTENT_ENCODING).iter();
        let (Some(value), more) = (given.next(), given.next()) else {
            return Ok(Self::Identity);
        };
        let text = String::from_utf8_lossy(value.as_bytes());
        let coding = match text.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Self::Identity),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        };
        let coding = coding.filter(|_| more.is_none());
        coding.ok_or_else(|| RequestError::ContentCoding(text.into_owned()))
    }

    /// What a body is told that ends too early, or is not what it says.
    pub(super) const fn broken(self) -> RequestError {
        match self {
            Self::Identity => RequestError::BrokenOff,
            Self::Gzip => RequestError::NotInflatable("gzip"),
            Self::Zstd => RequestError::NotInflatable("zstd"),
        }
    }

    /// The body as it was before it was compressed.
    pub(super) fn inflated(self, body: Body) -> BoxStream<'static, io::Result<Bytes>> {
        let read = |body: Body| BufReader::new(body.into_async_read());
        match self {
            Self::Identity => body.into_bytes_stream().boxed(),
            Self::Gzip => {
                let mut decoder = GzipDecoder::new(read(body));
                // What is several files one after the other is one file (RFC 1952, section 2.2).
                decoder.multiple_members(true);
                in_turns(decoder).boxed()
            }
            Self::Zstd => {
                let window = [DParameter::window_log_max(ZSTD_WINDOW_LOG)];
                let mut decoder = ZstdDecoder::with_params(read(body), &window);
                decoder.multiple_members(true);
                in_turns(decoder).boxed()
            }
        }
    }
}

fn in_turns(decoder: impl AsyncRead) -> impl Stream<Item = io::Result<Bytes>> {
    ReaderStream::with_capacity(decoder, TURN).then(async |piece| {
        yield_now().await;
        piece
    })
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    fn of(values: &[&'static str]) -> Result<ContentCoding, RequestError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::CONTENT_ENCODING, HeaderValue::from_static(value));
        }
        ContentCoding::of(&headers)
    }

    #[test]
    fn a_body_is_compressed_with_what_its_header_says_or_not_at_all() {
        assert_eq!(of(&[]), Ok(ContentCoding::Identity));
        assert_eq!(of(&["Identity"]), Ok(ContentCoding::Identity));
        assert_eq!(of(&["GZIP"]), Ok(ContentCoding::Gzip));
        assert_eq!(of(&["x-gzip"]), Ok(ContentCoding::Gzip));
        assert_eq!(of(&["zstd"]), Ok(ContentCoding::Zstd));
        for refused in [&["br"][..], &["gzip, zstd"], &["gzip", "gzip"]] {
            assert!(of(refused).is_err(), "{refused:?}");
        }
    }
}
