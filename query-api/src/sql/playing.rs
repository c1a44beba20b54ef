//! The number of playbacks that are playing now: in total, by track and by country. They are in the state playing and not abandoned.

use clickhouse::Row;
use ess_schema::Timestamp;
use serde::Deserialize;

use super::{FINAL_SETTINGS, Select, Sql};
use crate::question::LiveQuestion;

/// Counts the playing playbacks.
#[derive(Debug)]
pub(crate) struct Playing<'q> {
    pub(crate) question: &'q LiveQuestion,
    /// Playbacks without events since this time are abandoned.
    pub(crate) heard_since: Timestamp,
}

/// The number of playing playbacks in total, of one track, or in one country.
#[derive(Debug, Clone, PartialEq, Eq, Row, Deserialize)]
pub(crate) struct PlayingRow {
    /// `all`, `track` or `country`.
    pub(crate) part: String,
    /// The track or country; empty if unknown, and for the total.
    pub(crate) name: String,
    pub(crate) playing: u64,
    pub(crate) listeners: u64,
}

impl Select for Playing<'_> {
    type Row = PlayingRow;
    const NAME: &'static str = "playing";
    const UNBOUNDED: bool = false;

    fn to_sql(&self) -> Sql {
        let LiveQuestion {
            track_id,
            country,
            limit,
        } = self.question;
        let of_track = track_id
            .as_ref()
            .map(|_| "\n    AND p.track_id = {track_id:String}");
        let of_country = country
            .as_ref()
            .map(|_| "\n    AND p.country = {country:String}");
        // The index on last_event_at skips the partitions of days without playing playbacks.
        let text = format!(
            "\
SELECT multiIf(grouping(p.track_id) = 0, 'track', grouping(p.country) = 0, 'country', 'all') AS part,
    multiIf(part = 'track', p.track_id, part = 'country', toString(p.country), '') AS name,
    count() AS playing, uniqExactIf(p.user_id, p.user_id != '') AS listeners
FROM playbacks AS p FINAL
WHERE p.state = 'playing' AND p.last_event_at >= fromUnixTimestamp64Milli({{heard_since:Int64}}, 'UTC'){}{}
GROUP BY GROUPING SETS ((), (p.track_id), (p.country))
ORDER BY part, playing DESC, name
LIMIT {{limit:UInt32}} BY part",
            of_track.unwrap_or_default(),
            of_country.unwrap_or_default(),
        );
        let mut sql = Sql::new(text)
            .bind("heard_since", self.heard_since.as_millis())
            .bind("limit", i64::from(*limit))
            .with(FINAL_SETTINGS);
        if let Some(track_id) = track_id {
            sql = sql.bind("track_id", track_id.as_str());
        }
        if let Some(country) = country {
            sql = sql.bind("country", country.as_str());
        }
        sql
    }
}

#[cfg(test)]
mod tests {
    use ess_schema::TrackId;

    use super::*;
    use crate::{question::Country, sql::shown};

    fn shown_of(question: &LiveQuestion) -> String {
        let heard_since = Timestamp::parse_rfc3339("2026-11-23T10:00:00Z").unwrap();
        let playing = Playing {
            question,
            heard_since,
        };
        shown(&playing.to_sql())
    }

    #[test]
    fn everything_that_plays() {
        insta::assert_snapshot!(shown_of(&LiveQuestion {
            track_id: None,
            country: None,
            limit: 10,
        }));
    }

    #[test]
    fn what_plays_of_a_track_in_a_country() {
        insta::assert_snapshot!(shown_of(&LiveQuestion {
            track_id: Some(TrackId::new("t'1").unwrap()),
            country: Some(Country::read("de").unwrap()),
            limit: 1_000,
        }));
    }
}
