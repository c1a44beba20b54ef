//! How a simulated fact is written in a request: the body, the path and the media type of each [`Body`]. Pure.

use ess_schema::Event;

use super::{to_cloudevent, to_command, to_untyped};
use crate::scenario::Body;

impl Body {
    /// The body of fact number `number`. `mixed` alternates between commands and CloudEvents, and writes untyped bodies where
    /// the predecessor has one.
    pub(crate) fn write(self, number: u64, event: &Event) -> String {
        match self {
            Self::Command => to_command(event),
            Self::Cloudevent => to_cloudevent(event),
            Self::Untyped | Self::Mixed => match to_untyped(event) {
                Some(body) => body,
                None if number.is_multiple_of(2) => to_command(event),
                None => to_cloudevent(event),
            },
        }
    }

    /// The route of the command-api that accepts it.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Command => "/commands",
            Self::Cloudevent | Self::Mixed => "/events",
            Self::Untyped => "/events/",
        }
    }

    /// The media type of a request of `count` facts.
    pub(crate) fn media_type(self, count: usize) -> &'static str {
        match self {
            _ if count > 1 => "application/x-ndjson",
            Self::Cloudevent => "application/cloudevents+json",
            Self::Command | Self::Mixed | Self::Untyped => "application/json",
        }
    }
}
