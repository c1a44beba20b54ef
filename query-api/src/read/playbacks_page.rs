//! Reads one page of playbacks, newest first. Rows are partitioned by day and not sorted by time within a day, so the page is read
//! in growing ranges of days, from the newest: a page of recent playbacks reads one day, however many playbacks there are.

use std::future::Future;

use ess_schema::Timestamp;

use crate::{
    question::{Period, PlaybacksPage},
    read::{read_model::Generation, read_model::SelectError},
    sql::{PlaybackRow, PlaybacksList},
};

const DAY_MS: i64 = 86_400_000;
/// Each range of days is this many times as long as the one before.
const GROWTH: i64 = 4;
/// A range longer than this is everything that remains.
const MAX_DAYS: i64 = 400;

/// Where rows of playbacks are read.
pub(crate) trait PlaybackRows: Sync {
    /// The rows of this list.
    fn list(
        &self,
        list: &PlaybacksList<'_>,
    ) -> impl Future<Output = Result<Vec<PlaybackRow>, SelectError>> + Send;
}

impl PlaybackRows for Generation<'_> {
    async fn list(&self, list: &PlaybacksList<'_>) -> Result<Vec<PlaybackRow>, SelectError> {
        self.read_model.select(self.number, list).await
    }
}

impl PlaybacksPage {
    /// Reads the page at `now`, and one row more if there are more. An open playback without events for `settle_after_ms` is
    /// abandoned.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub(crate) async fn read(
        &self,
        rows: &impl PlaybackRows,
        now: Timestamp,
        settle_after_ms: i64,
    ) -> Result<Vec<PlaybackRow>, SelectError> {
        let wanted = usize::from(self.limit) + 1;
        let mut page = Vec::new();
        for period in self.ranges(now) {
            let list = PlaybacksList {
                filter: &self.filter,
                period,
                after: self.after.as_ref(),
                silent_since: now.as_millis() - settle_after_ms,
                rows: wanted - page.len(),
            };
            page.extend(rows.list(&list).await?);
            if page.len() >= wanted {
                break;
            }
        }
        Ok(page)
    }

    /// The ranges to read, one after the other. The playbacks of one user or track are found by an index, in one range.
    fn ranges(&self, now: Timestamp) -> Vec<Period> {
        let Period { from, to } = self.filter.period;
        let is_selective = self.filter.user_id.is_some() || self.filter.track_id.is_some();
        if is_selective {
            return vec![self.filter.period];
        }
        // A first event may be a little ahead of the clock.
        let newest = now.as_millis() + DAY_MS;
        let newest = to.map_or(newest, |to| to.as_millis().min(newest));
        let newest = self
            .after
            .as_ref()
            .map_or(newest, |key| newest.min(key.first_event_at.as_millis() + 1));
        let oldest = from.map_or(0, Timestamp::as_millis);
        let (mut ranges, mut end, mut days) = (Vec::new(), newest, 2);
        while end > oldest {
            let begin = if days > MAX_DAYS {
                oldest
            } else {
                (end - days * DAY_MS).max(oldest)
            };
            let time = |millis| Timestamp::from_millis(millis).ok();
            ranges.push(Period {
                from: time(begin),
                to: time(end),
            });
            (end, days) = (begin, days * GROWTH);
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::question::{PlaybackFilter, PlaybackKey};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn page(filter: PlaybackFilter) -> PlaybacksPage {
        PlaybacksPage {
            filter,
            after: None,
            limit: 10,
        }
    }

    #[test]
    fn ranges_are_contiguous_and_reach_back_to_the_beginning() {
        let now = at("2026-11-25T12:00:00Z");
        let ranges = page(PlaybackFilter::default()).ranges(now);
        assert_eq!(ranges[0].to, Some(at("2026-11-26T12:00:00Z")));
        for pair in ranges.windows(2) {
            assert_eq!(pair[0].from, pair[1].to);
        }
        let last = ranges.last().unwrap();
        assert_eq!(last.from.map(Timestamp::as_millis), Some(0));
        assert!(ranges.len() < 8);
    }

    #[test]
    fn a_page_reads_only_its_period() {
        let now = at("2026-11-25T12:00:00Z");
        let period = Period {
            from: Some(at("2026-11-20T00:00:00Z")),
            to: Some(at("2026-11-21T00:00:00Z")),
        };
        let filter = PlaybackFilter {
            period,
            ..PlaybackFilter::default()
        };
        assert_eq!(page(filter.clone()).ranges(now), [period]);
        let after = PlaybackKey {
            first_event_at: at("2026-11-20T10:00:00Z"),
            playback_id: ess_schema::PlaybackId::new("p").unwrap(),
        };
        let later = PlaybacksPage {
            after: Some(after),
            ..page(filter)
        };
        let ranges = later.ranges(now);
        assert_eq!(ranges[0].to, Some(at("2026-11-20T10:00:00.001Z")));
        let of_user = PlaybackFilter {
            user_id: Some("u".to_owned()),
            ..PlaybackFilter::default()
        };
        assert_eq!(page(of_user).ranges(now), [Period::default()]);
    }
}
