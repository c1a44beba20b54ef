//! What is playing now, as it is answered and streamed.

use ess_schema::{Timestamp, TrackId};

use super::described::document;
use crate::sql::{InvalidRow, PlayingRow};

document! {
    /// The playbacks that are playing now: whose latest event says so, and which were not silent for so long that they count as
    /// abandoned.
    pub(crate) struct Live {
        /// When the read model was asked.
        pub(crate) as_of: Timestamp,
        /// Playbacks that are playing.
        pub(crate) playing: u64,
        /// Different users whose playbacks these are.
        pub(crate) listeners: u64,
        /// The tracks that most of them play, at most `limit`.
        pub(crate) tracks: Vec<TrackPlaying>,
        /// The countries where most of them play, at most `limit`.
        pub(crate) countries: Vec<CountryPlaying>,
    }
}

document! {
    /// How many playbacks of a track are playing.
    pub(crate) struct TrackPlaying {
        /// The track; null for those of which no event told.
        pub(crate) track_id: Option<TrackId>,
        /// Playbacks that are playing.
        pub(crate) playing: u64,
    }
}

document! {
    /// How many playbacks in a country are playing.
    pub(crate) struct CountryPlaying {
        /// ISO 3166-1 alpha-2; null for those of which no event told.
        pub(crate) country: Option<String>,
        /// Playbacks that are playing.
        pub(crate) playing: u64,
    }
}

impl Live {
    /// What these rows tell, which are sorted.
    ///
    /// # Errors
    /// Tracks that no projector writes.
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

    /// What may be playing, for the document.
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
        let told = serde_json::to_string(&live).unwrap();
        let expected = r#"{"as_of":"1970-01-01T00:00:00.000Z","playing":3,"listeners":1,"tracks":[{"track_id":"t1","playing":2}],"countries":[{"country":null,"playing":3}]}"#;
        assert_eq!(told, expected);
        let nothing = Live::new(Timestamp::EPOCH, Vec::new()).unwrap();
        assert_eq!((nothing.playing, nothing.listeners), (0, 0));
    }
}
