//! The question what is playing now.

use ess_schema::TrackId;

use super::country::Country;

/// What is asked about the playbacks that are playing now.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LiveQuestion {
    /// Only of this track.
    pub(crate) track_id: Option<TrackId>,
    /// Only of this country.
    pub(crate) country: Option<Country>,
    /// The most tracks, and the most countries, that are named.
    pub(crate) limit: u16,
}
