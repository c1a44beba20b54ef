//! What a body's media type says of it: how its items are found, and which shapes they may have.

use ess_schema::decode::AcceptedShapes;

use crate::errors::RequestError;

/// The paths that take items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// `POST /commands`.
    Commands,
    /// `POST /events`.
    Events,
}

/// The media types a body may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaType {
    /// JSON: one item, or an array of them. Also what a body without a media type is.
    Json,
    /// NDJSON: one item a line.
    Lines,
    /// One CloudEvent in structured mode.
    CloudEvent,
    /// A JSON array of CloudEvents (batched mode).
    CloudEventBatch,
    /// The data of one CloudEvent whose attributes are headers (binary mode), of any media type.
    CloudEventData,
}

pub(crate) const JSON: &str = "application/json";
pub(crate) const NDJSON: &str = "application/x-ndjson";
pub(crate) const CLOUDEVENT: &str = "application/cloudevents+json";
pub(crate) const CLOUDEVENT_BATCH: &str = "application/cloudevents-batch+json";

impl Route {
    /// The media types it takes.
    pub(crate) const fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::Commands => &[JSON, NDJSON],
            Self::Events => &[JSON, NDJSON, CLOUDEVENT, CLOUDEVENT_BATCH],
        }
    }

    /// The shapes its items may have in a body of type `media`.
    pub(crate) fn accepts(self, media: MediaType) -> AcceptedShapes {
        match (self, media) {
            (Self::Commands, _) => AcceptedShapes::Commands,
            (Self::Events, MediaType::Json | MediaType::Lines) => AcceptedShapes::Any,
            (
                Self::Events,
                MediaType::CloudEvent | MediaType::CloudEventBatch | MediaType::CloudEventData,
            ) => AcceptedShapes::CloudEvents,
        }
    }

    /// Reads a `Content-Type` header. Parameters such as `charset` are ignored: JSON is UTF-8 (RFC 8259, section 8.1).
    ///
    /// # Errors
    /// [`RequestError::MediaType`] for one that this route does not take.
    pub(crate) fn media(self, content_type: Option<&str>) -> Result<MediaType, RequestError> {
        let Some(content_type) = content_type.filter(|text| !text.trim().is_empty()) else {
            return Ok(MediaType::Json);
        };
        let essence = content_type.split(';').next().unwrap_or_default();
        let media = match essence.trim().to_ascii_lowercase().as_str() {
            JSON => Some(MediaType::Json),
            NDJSON | "application/ndjson" => Some(MediaType::Lines),
            CLOUDEVENT if self == Self::Events => Some(MediaType::CloudEvent),
            CLOUDEVENT_BATCH if self == Self::Events => Some(MediaType::CloudEventBatch),
            other if other.starts_with("application/cloudevents") => None,
            other if other.starts_with("application/") && other.ends_with("+json") => {
                Some(MediaType::Json)
            }
            _ => None,
        };
        media.ok_or_else(|| RequestError::MediaType {
            given: content_type.to_owned(),
            route: self,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_json_unless_it_says_otherwise() {
        for text in [
            None,
            Some(""),
            Some("application/json"),
            Some("Application/JSON; charset=UTF-8"),
            Some("application/vnd.player+json"),
        ] {
            assert_eq!(
                Route::Commands.media(text).ok(),
                Some(MediaType::Json),
                "{text:?}"
            );
        }
        let lines = Route::Commands.media(Some("application/x-ndjson"));
        assert_eq!(lines.ok(), Some(MediaType::Lines));
    }

    #[test]
    fn cloudevents_are_events_not_commands() {
        let batch = Some("Application/CloudEvents-Batch+JSON; charset=utf-8");
        let one = Some("application/cloudevents+json");
        assert_eq!(
            Route::Events.media(batch).ok(),
            Some(MediaType::CloudEventBatch)
        );
        assert_eq!(Route::Events.media(one).ok(), Some(MediaType::CloudEvent));
        assert!(Route::Commands.media(batch).is_err());
        assert!(Route::Commands.media(one).is_err());
    }

    #[test]
    fn another_media_type_is_refused() {
        for text in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/cloudevents+avro",
            "application/cloudevents",
            "json",
        ] {
            assert!(Route::Events.media(Some(text)).is_err(), "{text}");
        }
    }
}
