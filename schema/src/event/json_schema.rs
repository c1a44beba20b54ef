//! The JSON Schema of each playback event's data, made from its type: the one source of every document that
//! describes events.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

use super::{
    EventKind, PlaybackFailed, PlaybackFinished, PlaybackPaused, PlaybackProgressed,
    PlaybackRecorded, PlaybackResumed, PlaybackSeeked, PlaybackStalled, PlaybackStarted,
};

impl EventKind {
    /// The schema of this event's data in `dialect`, as [`json_schema`] makes it.
    pub fn json_schema(self, dialect: SchemaSettings) -> Schema {
        match self {
            Self::Started => json_schema::<PlaybackStarted>(dialect),
            Self::Progressed => json_schema::<PlaybackProgressed>(dialect),
            Self::Paused => json_schema::<PlaybackPaused>(dialect),
            Self::Resumed => json_schema::<PlaybackResumed>(dialect),
            Self::Seeked => json_schema::<PlaybackSeeked>(dialect),
            Self::Stalled => json_schema::<PlaybackStalled>(dialect),
            Self::Finished => json_schema::<PlaybackFinished>(dialect),
            Self::Failed => json_schema::<PlaybackFailed>(dialect),
            Self::Recorded => json_schema::<PlaybackRecorded>(dialect),
        }
    }
}

/// The schema of `T` in `dialect`: as the value is written, whole in itself. Fields that are not named are kept,
/// so none is forbidden.
pub fn json_schema<T: JsonSchema>(dialect: SchemaSettings) -> Schema {
    let settings = dialect
        .for_serialize()
        .with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>()
}
