//! The media type of a request: whether its route accepts it, how the body is split into items, and which shapes the items may
//! have.

use std::borrow::Cow;

use ess_schema::decode::AcceptedShapes;
use poem::http::{HeaderMap, header};

use super::binary_mode;

pub(crate) const JSON: &str = "application/json";
pub(crate) const NDJSON: &str = "application/x-ndjson";
pub(crate) const CLOUDEVENT: &str = "application/cloudevents+json";
pub(crate) const CLOUDEVENT_BATCH: &str = "application/cloudevents-batch+json";

/// The routes that append items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppendRoute {
    /// `POST /commands`.
    Commands,
    /// `POST /events`.
    Events,
}

/// The supported media types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaType {
    /// JSON: one item, or an array of items. The default of a request without `Content-Type`.
    Json,
    /// NDJSON: one item per line.
    NdJson,
    /// One CloudEvent in structured mode.
    CloudEvent,
    /// A JSON array of CloudEvents (batched mode).
    CloudEventBatch,
    /// The data of one CloudEvent, whose attributes are headers (binary mode); any media type.
    CloudEventData,
}

/// Why a route does not accept a request's media type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MediaTypeError {
    #[error("unsupported media type {given:?}; expected one of {}", .route.media_types().join(", "))]
    Unsupported { given: String, route: AppendRoute },
    #[error("CloudEvents in binary mode (ce-* headers) are accepted by POST /events only")]
    BinaryMode,
}

impl AppendRoute {
    /// The media types to choose from in a request to this route.
    pub(crate) const fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::Commands => &[JSON, NDJSON],
            Self::Events => &[JSON, NDJSON, CLOUDEVENT, CLOUDEVENT_BATCH],
        }
    }

    /// The shapes that items may have in a body of this media type.
    pub(crate) const fn accepted_shapes(self, media_type: MediaType) -> AcceptedShapes {
        match (self, media_type) {
            (Self::Commands, _) => AcceptedShapes::Commands,
            (Self::Events, MediaType::Json | MediaType::NdJson) => AcceptedShapes::Any,
            (
                Self::Events,
                MediaType::CloudEvent | MediaType::CloudEventBatch | MediaType::CloudEventData,
            ) => AcceptedShapes::CloudEvents,
        }
    }

    /// The media type of a request with these headers. `ce-*` headers mean binary mode, unless the media type is one of
    /// CloudEvents itself.
    ///
    /// # Errors
    /// [`MediaTypeError`] when this route does not accept it.
    pub(crate) fn media_type(self, headers: &HeaderMap) -> Result<MediaType, MediaTypeError> {
        let content_type = headers.get(header::CONTENT_TYPE);
        let content_type = content_type.map(|value| String::from_utf8_lossy(value.as_bytes()));
        let media_type = self.parse(content_type.as_ref().map(Cow::as_ref));
        let is_structured = matches!(
            media_type,
            Ok(MediaType::CloudEvent | MediaType::CloudEventBatch)
        );
        match (binary_mode::is_used(headers) && !is_structured, self) {
            (true, Self::Events) => Ok(MediaType::CloudEventData),
            (true, Self::Commands) => Err(MediaTypeError::BinaryMode),
            (false, _) => media_type,
        }
    }

    /// Parses a `Content-Type` header. Ignores parameters such as `charset`: JSON is UTF-8 (RFC 8259, section 8.1).
    fn parse(self, content_type: Option<&str>) -> Result<MediaType, MediaTypeError> {
        let Some(content_type) = content_type.filter(|text| !text.trim().is_empty()) else {
            return Ok(MediaType::Json);
        };
        let essence = content_type.split(';').next().unwrap_or_default();
        let media_type = match essence.trim().to_ascii_lowercase().as_str() {
            JSON => Some(MediaType::Json),
            NDJSON | "application/ndjson" => Some(MediaType::NdJson),
            CLOUDEVENT if self == Self::Events => Some(MediaType::CloudEvent),
            CLOUDEVENT_BATCH if self == Self::Events => Some(MediaType::CloudEventBatch),
            other if other.starts_with("application/cloudevents") => None,
            other if other.starts_with("application/") && other.ends_with("+json") => {
                Some(MediaType::Json)
            }
            _ => None,
        };
        media_type.ok_or_else(|| MediaTypeError::Unsupported {
            given: content_type.to_owned(),
            route: self,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_the_default_media_type() {
        for text in [
            None,
            Some(""),
            Some("application/json"),
            Some("Application/JSON; charset=UTF-8"),
            Some("application/vnd.player+json"),
        ] {
            assert_eq!(
                AppendRoute::Commands.parse(text).ok(),
                Some(MediaType::Json),
                "{text:?}"
            );
        }
        let lines = AppendRoute::Commands.parse(Some("application/x-ndjson"));
        assert_eq!(lines.ok(), Some(MediaType::NdJson));
    }

    #[test]
    fn only_the_events_route_accepts_cloudevents() {
        let batch = Some("Application/CloudEvents-Batch+JSON; charset=utf-8");
        let one = Some("application/cloudevents+json");
        assert_eq!(
            AppendRoute::Events.parse(batch).ok(),
            Some(MediaType::CloudEventBatch)
        );
        assert_eq!(
            AppendRoute::Events.parse(one).ok(),
            Some(MediaType::CloudEvent)
        );
        assert!(AppendRoute::Commands.parse(batch).is_err());
        assert!(AppendRoute::Commands.parse(one).is_err());
    }

    #[test]
    fn an_unsupported_media_type_is_rejected() {
        for text in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/cloudevents+avro",
            "application/cloudevents",
            "json",
        ] {
            assert!(AppendRoute::Events.parse(Some(text)).is_err(), "{text}");
        }
    }
}
