//! A custom event: any event that is not a playback event. It is stored raw and counts in its playback, if it has one.

use serde::Serialize;

use crate::id::{EventType, TrackId, UserId};

/// A custom event. Its data is in [`super::Content`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomEvent {
    /// Its name.
    pub name: EventType,
    /// The listener, if given.
    pub user_id: Option<UserId>,
    /// The track, if given.
    pub track_id: Option<TrackId>,
}
