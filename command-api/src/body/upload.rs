//! A request's body on its way in: inflated, bounded in bytes and in time, and counted against what may be in flight.

use std::{io, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use poem::{
    Body, Request, RequestBody,
    http::{HeaderMap, header},
};
use tokio::time::timeout;

use super::{
    binary_mode,
    content_coding::ContentCoding,
    media_type::{MediaType, Route},
};
use crate::{
    admission::{InFlightPermit, Overloaded},
    config::LimitsConfig,
    errors::RequestError,
};

/// How long the rest of a body that is refused may take to go by.
const GOES_BY_WITHIN: Duration = Duration::from_secs(5);

/// A body that has not been read, with the headers that say what it is.
pub(crate) struct Upload<'r> {
    headers: &'r HeaderMap,
    body: Body,
}

impl<'r> Upload<'r> {
    /// Takes the body of a request; one that has none is an empty one.
    pub(crate) fn of(request: &'r Request, body: &mut RequestBody) -> Self {
        Self {
            headers: request.headers(),
            body: body.take().unwrap_or_default(),
        }
    }

    /// The headers of the request.
    pub(crate) fn headers(&self) -> &'r HeaderMap {
        self.headers
    }

    /// What the body is.
    ///
    /// # Errors
    /// [`RequestError`] when `route` does not take it.
    pub(crate) fn media(&self, route: Route) -> Result<MediaType, RequestError> {
        let content_type = self.headers.get(header::CONTENT_TYPE);
        let content_type = content_type.map(|value| String::from_utf8_lossy(value.as_bytes()));
        let media = route.media(content_type.as_deref());
        let is_structured = matches!(
            media,
            Ok(MediaType::CloudEvent | MediaType::CloudEventBatch)
        );
        match (binary_mode::is_used(self.headers) && !is_structured, route) {
            (true, Route::Events) => Ok(MediaType::CloudEventData),
            (true, Route::Commands) => Err(RequestError::BinaryMode),
            (false, _) => media,
        }
    }

    /// Reads the body, inflated.
    ///
    /// # Errors
    /// [`RequestError`] when it is too large, too slow, not what it says, or one too many.
    pub(crate) async fn read(
        self,
        limits: &LimitsConfig,
        admitted: &mut InFlightPermit,
    ) -> Result<Bytes, RequestError> {
        let coding = match self.coding_within(limits) {
            Ok(coding) => coding,
            Err(error) => return Err(self.refused(error, limits).await),
        };
        let most = limits.request_bytes;
        let collected = collect(coding.inflated(self.body), coding.broken(), most, admitted);
        let within_ms = limits.read_timeout.as_millis();
        let collected = timeout(limits.read_timeout, collected).await;
        collected.unwrap_or(Err(RequestError::Slow { within_ms }))
    }

    /// Lets the body go by unread, and gives the reason back.
    pub(crate) async fn refused(self, error: RequestError, limits: &LimitsConfig) -> RequestError {
        let_go_by(self.body.into_bytes_stream().boxed(), limits.request_bytes).await;
        error
    }

    fn coding_within(&self, limits: &LimitsConfig) -> Result<ContentCoding, RequestError> {
        let coding = ContentCoding::of(self.headers)?;
        let most = limits.request_bytes;
        let length = self.headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: usize| length > most) {
            return Err(RequestError::TooLarge { most });
        }
        Ok(coding)
    }
}

/// Takes the rest of a body and keeps nothing of it, up to a bound in bytes and in time. Who is refused while it still sends would
/// not hear why: a server that answers before it has read everything closes the connection, and the answer is lost with it
/// (RFC 9112, section 9.6).
async fn let_go_by(mut chunks: BoxStream<'static, io::Result<Bytes>>, most: usize) {
    let going_by = async {
        let mut bytes = 0;
        while bytes <= most
            && let Some(Ok(chunk)) = chunks.next().await
        {
            bytes += chunk.len();
        }
    };
    // In time or not, it is refused.
    let _ = timeout(GOES_BY_WITHIN, going_by).await;
}

/// Gathers a body's chunks; one that fails is answered with `broken`.
async fn collect(
    mut chunks: BoxStream<'static, io::Result<Bytes>>,
    broken: RequestError,
    most: usize,
    admitted: &mut InFlightPermit,
) -> Result<Bytes, RequestError> {
    let mut parts: Vec<Bytes> = Vec::new();
    let mut bytes = 0;
    while let Some(chunk) = chunks.next().await {
        let Ok(chunk) = chunk else {
            return Err(broken);
        };
        bytes += chunk.len();
        let room = if bytes > most {
            Err(RequestError::TooLarge { most })
        } else {
            admitted.grow(chunk.len()).map_err(RequestError::from)
        };
        if let Err(refused) = room {
            drop(parts);
            let_go_by(chunks, most).await;
            return Err(refused);
        }
        parts.push(chunk);
    }
    // Most bodies come in one piece, which is not copied.
    Ok(match parts.as_mut_slice() {
        [only] => std::mem::take(only),
        _ => parts.concat().into(),
    })
}

impl From<Overloaded> for RequestError {
    fn from(Overloaded: Overloaded) -> Self {
        Self::Overloaded
    }
}
