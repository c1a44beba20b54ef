//! A request's body on its way in: bounded in bytes and in time, and counted against what may be in flight.

use bytes::Bytes;
use futures::StreamExt;
use poem::{
    Body, Request, RequestBody,
    http::{HeaderMap, header},
};
use tokio::time::timeout;

use crate::{
    admission::{Admitted, Overloaded},
    config::LimitsConfig,
    errors::RequestError,
    media::{Media, Route},
};

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

    /// What the body is.
    ///
    /// # Errors
    /// [`RequestError`] when `route` does not take it.
    pub(crate) fn media(&self, route: Route) -> Result<Media, RequestError> {
        let text = |name| {
            let value = self.headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        if let Some(coding) = text(header::CONTENT_ENCODING).filter(|coding| coding != "identity") {
            return Err(RequestError::ContentCoding(coding));
        }
        let content_type = text(header::CONTENT_TYPE);
        let media = route.media(content_type.as_deref());
        let is_structured = matches!(media, Ok(Media::CloudEvent | Media::CloudEventBatch));
        if self.headers.contains_key("ce-specversion") && !is_structured {
            return Err(RequestError::BinaryMode);
        }
        media
    }

    /// Reads the body.
    ///
    /// # Errors
    /// [`RequestError`] when it is too large, too slow, or one too many.
    pub(crate) async fn read(
        self,
        limits: &LimitsConfig,
        admitted: &mut Admitted,
    ) -> Result<Bytes, RequestError> {
        let length = self.headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: usize| length > limits.request_bytes) {
            let most = limits.request_bytes;
            return Err(RequestError::TooLarge { most });
        }
        let collected = collect(self.body, limits.request_bytes, admitted);
        let seconds = limits.read_timeout.as_secs();
        match timeout(limits.read_timeout, collected).await {
            Ok(body) => body,
            Err(_) => Err(RequestError::Slow { seconds }),
        }
    }
}

async fn collect(body: Body, most: usize, admitted: &mut Admitted) -> Result<Bytes, RequestError> {
    let mut chunks = Box::pin(body.into_bytes_stream());
    let mut parts: Vec<Bytes> = Vec::new();
    let mut bytes = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| RequestError::BrokenOff)?;
        bytes += chunk.len();
        if bytes > most {
            return Err(RequestError::TooLarge { most });
        }
        admitted.grow(chunk.len())?;
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
