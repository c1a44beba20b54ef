//! Which of the HTTP shapes a fact takes.

use clap::ValueEnum;
use ess_schema::Event;

use crate::facts::{to_cloudevent, to_command, to_untyped};
use crate::lane::Due;

/// How facts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// Flat commands.
    Command,
    /// CloudEvents in JSON.
    Cloudevent,
    /// By turns either of these; what a client of the predecessor could tell, as it would.
    Mixed,
}

impl Shape {
    pub(crate) fn write(self, Due { number, fact, .. }: &Due) -> String {
        self.body(*number, &fact.event)
    }

    /// The body of fact number `number`.
    pub(crate) fn body(self, number: u64, event: &Event) -> String {
        match self {
            Self::Command => to_command(event),
            Self::Cloudevent => to_cloudevent(event),
            Self::Mixed => match to_untyped(event) {
                Some(body) => body,
                None if number.is_multiple_of(2) => to_command(event),
                None => to_cloudevent(event),
            },
        }
    }

    /// The route that takes it.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Command => "/commands",
            Self::Cloudevent | Self::Mixed => "/events",
        }
    }

    /// The media type of a single item.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Command | Self::Mixed => "application/json",
            Self::Cloudevent => "application/cloudevents+json",
        }
    }
}
