//! Reads a request's body: decompressed, within limits of bytes and of time, and counted against the bytes in flight.

use std::{io, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use poem::{
    Body, Request, RequestBody,
    http::{HeaderMap, header},
};
use tokio::time::timeout;

use super::content_coding::{ContentCoding, UnsupportedCoding};
use crate::{
    admission::{InFlightPermit, Overloaded},
    config::LimitsConfig,
};

/// How long the service reads on after it has rejected a body.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// The unread body of a request, with the headers that describe it.
pub(crate) struct Upload<'r> {
    headers: &'r HeaderMap,
    body: Body,
}

/// Why a body was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UploadError {
    #[error(transparent)]
    UnsupportedCoding(#[from] UnsupportedCoding),
    #[error(transparent)]
    Overloaded(#[from] Overloaded),
    #[error("the body is larger than {max_bytes} bytes")]
    TooLarge { max_bytes: usize },
    #[error("the body did not arrive within {timeout_ms} ms")]
    Timeout { timeout_ms: u128 },
    #[error("the body is incomplete")]
    Incomplete,
    #[error("the body is incomplete, or is not {0}, which its Content-Encoding names")]
    Corrupt(&'static str),
}

impl<'r> Upload<'r> {
    /// Takes the body of a request. A missing body is an empty one.
    pub(crate) fn new(request: &'r Request, body: &mut RequestBody) -> Self {
        Self {
            headers: request.headers(),
            body: body.take().unwrap_or_default(),
        }
    }

    /// The headers of the request.
    pub(crate) fn headers(&self) -> &'r HeaderMap {
        self.headers
    }

    /// Reads and decompresses the body.
    ///
    /// # Errors
    /// [`UploadError`].
    pub(crate) async fn read(
        self,
        limits: &LimitsConfig,
        permit: &mut InFlightPermit<'_>,
    ) -> Result<Bytes, UploadError> {
        let coding = match self.check_headers(limits) {
            Ok(coding) => coding,
            Err(error) => {
                self.drain(limits).await;
                return Err(error);
            }
        };
        let broken = match coding {
            ContentCoding::Identity => UploadError::Incomplete,
            ContentCoding::Gzip => UploadError::Corrupt("gzip"),
            ContentCoding::Zstd => UploadError::Corrupt("zstd"),
        };
        let chunks = coding.decompress(self.body);
        let collected = collect(chunks, broken, limits.request_bytes, permit);
        let timeout_ms = limits.read_timeout.as_millis();
        let collected = timeout(limits.read_timeout, collected).await;
        collected.unwrap_or(Err(UploadError::Timeout { timeout_ms }))
    }

    /// Reads a rejected body and discards it: see [`drain`].
    pub(crate) async fn drain(self, limits: &LimitsConfig) {
        drain(self.body.into_bytes_stream().boxed(), limits.request_bytes).await;
    }

    fn check_headers(&self, limits: &LimitsConfig) -> Result<ContentCoding, UploadError> {
        let coding = ContentCoding::of(self.headers)?;
        let max_bytes = limits.request_bytes;
        let length = self.headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: usize| length > max_bytes) {
            return Err(UploadError::TooLarge { max_bytes });
        }
        Ok(coding)
    }
}

/// Reads the rest of a rejected body and discards it, up to `max_bytes` and [`DRAIN_TIMEOUT`]. A client that is still sending
/// would not receive the error: a server that responds before it has read the request closes the connection, and the response is
/// lost (RFC 9112, section 9.6).
async fn drain(mut chunks: BoxStream<'static, io::Result<Bytes>>, max_bytes: usize) {
    let discarding = async {
        let mut bytes = 0;
        while bytes <= max_bytes
            && let Some(Ok(chunk)) = chunks.next().await
        {
            bytes += chunk.len();
        }
    };
    // The body is rejected whether or not it was drained in time.
    let _ = timeout(DRAIN_TIMEOUT, discarding).await;
}

/// Collects the chunks of a body. A chunk that cannot be read is the error `broken`.
async fn collect(
    mut chunks: BoxStream<'static, io::Result<Bytes>>,
    broken: UploadError,
    max_bytes: usize,
    permit: &mut InFlightPermit<'_>,
) -> Result<Bytes, UploadError> {
    let mut collected: Vec<Bytes> = Vec::new();
    let mut bytes = 0;
    while let Some(chunk) = chunks.next().await {
        let Ok(chunk) = chunk else {
            return Err(broken);
        };
        bytes += chunk.len();
        let reserved = if bytes > max_bytes {
            Err(UploadError::TooLarge { max_bytes })
        } else {
            permit.reserve_bytes(chunk.len()).map_err(UploadError::from)
        };
        if let Err(error) = reserved {
            drop(collected);
            drain(chunks, max_bytes).await;
            return Err(error);
        }
        collected.push(chunk);
    }
    // Most bodies are one chunk, which is not copied.
    Ok(match collected.as_mut_slice() {
        [only] => std::mem::take(only),
        _ => collected.concat().into(),
    })
}
