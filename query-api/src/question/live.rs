//! The question about what is playing now.

use ess_schema::TrackId;

use super::country::Country;

/// Selects the playbacks that are playing now.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LiveQuestion {
    /// Only of this track.
    pub(crate) track_id: Option<TrackId>,
    /// Only of this country.
    pub(crate) country: Option<Country>,
    /// The maximum number of tracks, and of countries, in the answer.
    pub(crate) limit: u16,
}
