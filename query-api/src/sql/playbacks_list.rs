//! Lists of playbacks by their first events, newest first.

use ess_schema::merged;

use super::{FINAL_SETTINGS, PlaybackRow, Scope, Select, Sql};
use crate::question::{Attribute, Filter, Period, PlaybackFilter, PlaybackKey};

/// Selects at most `rows` playbacks that meet the filter and began in `period`, which lies in the filter's.
#[derive(Debug)]
pub(crate) struct PlaybacksList<'f> {
    pub(crate) filter: &'f PlaybackFilter,
    pub(crate) period: Period,
    pub(crate) after: Option<&'f PlaybackKey>,
    /// An open playback without events since this time is abandoned.
    pub(crate) silent_since: i64,
    pub(crate) rows: usize,
}

impl PlaybackFilter {
    fn texts(&self) -> Vec<Filter> {
        let each = [
            (Attribute::User, &self.user_id),
            (Attribute::Track, &self.track_id),
        ];
        let given = each.into_iter().filter_map(|(attribute, value)| {
            Some(Filter::Attribute {
                attribute,
                is_in: true,
                values: vec![value.clone()?],
            })
        });
        given.collect()
    }
}

impl Select for PlaybacksList<'_> {
    type Row = PlaybackRow;
    const NAME: &'static str = "playbacks_list";
    const UNBOUNDED: bool = true;

    fn to_sql(&self) -> Sql {
        let mut scope = Scope::new(self.period, &self.filter.texts());
        if let Some(state) = self.filter.state {
            // The definition of ess_schema::playback.
            scope.and(
                "multiIf(state IN ('finished', 'failed'), toString(state), last_event_at < fromUnixTimestamp64Milli({silent_since:Int64}, 'UTC'), 'abandoned', toString(state)) = {state:String}",
            );
            scope.bind("state", state);
            scope.bind("silent_since", self.silent_since);
        }
        if let Some(key) = self.after {
            scope.and(
                "(first_event_at, playback_id) < (fromUnixTimestamp64Milli({key_time:Int64}, 'UTC'), {key_id:String})",
            );
            scope.bind("key_time", key.first_event_at.as_millis());
            scope.bind("key_id", key.playback_id.as_str());
        }
        let (columns, source) = (merged::COLUMNS.join(", "), scope.playbacks());
        let text = format!(
            "SELECT {columns}\nFROM {source}ORDER BY first_event_at DESC, playback_id DESC\nLIMIT {{rows:UInt32}}"
        );
        scope
            .bound(text)
            .bind("rows", self.rows as i64)
            .with(FINAL_SETTINGS)
    }
}

#[cfg(test)]
mod tests {
    use ess_schema::{PlaybackId, Timestamp};

    use super::*;
    use crate::sql::shown;

    #[test]
    fn every_condition_is_bound() {
        let at = |text| Timestamp::parse_rfc3339(text).ok();
        let period = Period {
            from: at("2026-11-23T10:00:00Z"),
            to: at("2026-11-24T10:00:00Z"),
        };
        let filter = PlaybackFilter {
            user_id: Some("u'1".to_owned()),
            track_id: Some("t\\".to_owned()),
            state: Some("abandoned"),
            period,
        };
        let key = PlaybackKey {
            first_event_at: at("2026-11-23T11:00:00Z").unwrap(),
            playback_id: PlaybackId::new("p'").unwrap(),
        };
        let list = PlaybacksList {
            filter: &filter,
            period,
            after: Some(&key),
            silent_since: 1_000,
            rows: 11,
        };
        insta::assert_snapshot!(shown(&list.to_sql()));
    }
}
