//! Any event that is not one of ESS's own: kept raw and queryable, counted in its playback if it names one.

use serde::Serialize;

use crate::id::{EventType, TrackId, UserId};

/// A custom event. Its data is the envelope's [`super::Content`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomEvent {
    /// Its name.
    pub name: EventType,
    /// The listener, if it names one.
    pub user_id: Option<UserId>,
    /// The track, if it names one.
    pub track_id: Option<TrackId>,
}
