//! The JSON of what is playing now, for answers and streams.

use ess_schema::{Timestamp, TrackId};

use super::described::document;
use crate::sql::{InvalidRow, PlayingRow};

document! {
    /// The playbacks that are playing now: those whose latest event says so and is recent enough that they do not count as
    /// abandoned.
    pub(crate) struct Live {
        /// When the read model was queried.
        pub(crate) as_of: Timestamp,
        /// Playbacks that are playing.
        pub(crate) playing: u64,
        /// Distinct users of these playbacks.
        pub(crate) listeners: u64,
        /// The tracks with the most of these playbacks, at most `limit`.
        pub(crate) tracks: Vec<TrackPlaying>,
        /// The countries with the most of these playbacks, at most `limit`.
        pub(crate) countries: Vec<CountryPlaying>,
    }
}

document! {
    /// The playbacks of one track that are playing.
    pub(crate) struct TrackPlaying {
        /// The track; null for playbacks without a known track.
        pub(crate) track_id: Option<TrackId>,
        /// Playbacks that are playing.
        pub(crate) playing: u64,
    }
}

document! {
    /// The playbacks in one country that are playing.
    pub(crate) struct CountryPlaying {
        /// ISO 3166-1 alpha-2; null for playbacks without a known country.
        pub(crate) country: Option<String>,
        /// Playbacks that are playing.
        pub(crate) playing: u64,
    }
}

impl Live {
    /// Converts rows, which are sorted.
    ///
    /// # Errors
    /// An invalid track id.
    pub(crate) fn new(as_of: Timestamp, rows: Vec<PlayingRow>) -> Result<Self, InvalidRow> {
        let mut live = Self {
            as_of,
            playing: 0,
            listeners: 0,
            tracks: Vec::new(),
            countries: Vec::new(),
        };
        for row in rows {
            let PlayingRow {
                part,
                name,
                playing,
                listeners,
            } = row;
            let name = Some(name).filter(|name| !name.is_empty());
            match part.as_str() {
                "track" => live.tracks.push(TrackPlaying {
                    track_id: name.map(TrackId::new).transpose()?,
                    playing,
                }),
                "country" => live.countries.push(CountryPlaying {
                    country: name,
                    playing,
                }),
                _ => (live.playing, live.listeners) = (playing, listeners),
            }
        }
        Ok(live)
    }

    /// The example in the document.
    fn example() -> serde_json::Value {
        serde_json::json!({
            "as_of": "2026-11-23T10:00:10.217Z", "playing": 1_204, "listeners": 1_187,
            "tracks": [TrackPlaying::example(), { "track_id": "track-8", "playing": 97 }],
            "countries": [CountryPlaying::example(), { "country": null, "playing": 12 }]
        })
    }
}

impl TrackPlaying {
    fn example() -> serde_json::Value {
        serde_json::json!({ "track_id": "track-3", "playing": 142 })
    }
}

impl CountryPlaying {
    fn example() -> serde_json::Value {
        serde_json::json!({ "country": "DE", "playing": 611 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_totals_tracks_and_countries() {
        let row = |part: &str, name: &str, playing| PlayingRow {
            part: part.to_owned(),
            name: name.to_owned(),
            playing,
            listeners: 1,
        };
        let rows = vec![
            row("all", "", 3),
            row("country", "", 3),
            row("track", "t1", 2),
        ];
        let live = Live::new(Timestamp::EPOCH, rows).unwrap();
        let json = serde_json::to_string(&live).unwrap();
        let expected = r#"{"as_of":"1970-01-01T00:00:00.000Z","playing":3,"listeners":1,"tracks":[{"track_id":"t1","playing":2}],"countries":[{"country":null,"playing":3}]}"#;
        assert_eq!(json, expected);
        let empty = Live::new(Timestamp::EPOCH, Vec::new()).unwrap();
        assert_eq!((empty.playing, empty.listeners), (0, 0));
    }
}
