//! Content codings (`Content-Encoding`, RFC 9110, section 8.4). Decompresses a body chunk by chunk as it arrives, so that the
//! reader can count the bytes and stop early.

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

/// Bytes to decompress before yielding to other tasks: about 20 µs of work.
const CHUNK_BYTES: usize = 16 * 1024;
/// The largest window that a zstd frame may request, as a power of two: 8 MiB, which RFC 9659 requires every decoder to support.
const ZSTD_WINDOW_LOG: u32 = 23;

/// The supported content codings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContentCoding {
    /// Not compressed.
    Identity,
    Gzip,
    Zstd,
}

/// A content coding that is not supported, or several of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unsupported content coding {0:?}; send the body uncompressed, or as gzip or zstd")]
pub(crate) struct UnsupportedCoding(String);

impl ContentCoding {
    /// The content coding of a request with these headers.
    ///
    /// # Errors
    /// [`UnsupportedCoding`].
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, UnsupportedCoding> {
        let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
        let (Some(value), second) = (values.next(), values.next()) else {
            return Ok(Self::Identity);
        };
        let text = String::from_utf8_lossy(value.as_bytes());
        let coding = match text.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Self::Identity),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        };
        let coding = coding.filter(|_| second.is_none());
        coding.ok_or_else(|| UnsupportedCoding(text.into_owned()))
    }

    /// Decompresses a body.
    pub(super) fn decompress(self, body: Body) -> BoxStream<'static, io::Result<Bytes>> {
        let reader = |body: Body| BufReader::new(body.into_async_read());
        match self {
            Self::Identity => body.into_bytes_stream().boxed(),
            Self::Gzip => {
                let mut decoder = GzipDecoder::new(reader(body));
                // Concatenated gzip members are one file (RFC 1952, section 2.2).
                decoder.multiple_members(true);
                yielding_chunks(decoder).boxed()
            }
            Self::Zstd => {
                let window = [DParameter::window_log_max(ZSTD_WINDOW_LOG)];
                let mut decoder = ZstdDecoder::with_params(reader(body), &window);
                decoder.multiple_members(true);
                yielding_chunks(decoder).boxed()
            }
        }
    }
}

fn yielding_chunks(decoder: impl AsyncRead) -> impl Stream<Item = io::Result<Bytes>> {
    ReaderStream::with_capacity(decoder, CHUNK_BYTES).then(async |chunk| {
        yield_now().await;
        chunk
    })
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    fn of(values: &[&'static str]) -> Result<ContentCoding, UnsupportedCoding> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::CONTENT_ENCODING, HeaderValue::from_static(value));
        }
        ContentCoding::of(&headers)
    }

    #[test]
    fn the_header_names_one_coding_and_identity_is_the_default() {
        assert_eq!(of(&[]), Ok(ContentCoding::Identity));
        assert_eq!(of(&["Identity"]), Ok(ContentCoding::Identity));
        assert_eq!(of(&["GZIP"]), Ok(ContentCoding::Gzip));
        assert_eq!(of(&["x-gzip"]), Ok(ContentCoding::Gzip));
        assert_eq!(of(&["zstd"]), Ok(ContentCoding::Zstd));
        for unsupported in [&["br"][..], &["gzip, zstd"], &["gzip", "gzip"]] {
            assert!(of(unsupported).is_err(), "{unsupported:?}");
        }
    }
}
