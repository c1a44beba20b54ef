//! One page of playbacks, newest first. The rows lie by day and are not sorted by time within it, so the page is looked for in
//! growing stretches of days, from the newest on: a page of recent playbacks costs a day, however many there are.

use std::future::Future;

use ess_schema::Timestamp;

use crate::{
    question::{Period, PlaybacksPage},
    read::{read_model::Generation, read_model::SelectError},
    sql::{PlaybackRow, PlaybacksList},
};

const DAY_MS: i64 = 86_400_000;
/// Each stretch of days is so many times longer than the one before.
const GROWTH: i64 = 4;
/// Past so many days it is everything that is left.
const LONGEST_DAYS: i64 = 400;

/// Where rows come from.
pub(crate) trait PlaybackRows: Sync {
    /// Rows of this list.
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
    /// Reads at most one row more than the page holds, as of `now`; silent for longer than `settle_after_ms`, an open playback is
    /// abandoned.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub(crate) async fn read(
        &self,
        rows: &impl PlaybackRows,
        now: Timestamp,
        settle_after_ms: i64,
    ) -> Result<Vec<PlaybackRow>, SelectError> {
        let wanted = usize::from(self.limit) + 1;
        let mut page = Vec::new();
        for period in self.stretches(now) {
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

    /// The periods in which the page is looked for, one after the other. What one user or track was in is found by an index,
    /// wherever it is.
    fn stretches(&self, now: Timestamp) -> Vec<Period> {
        let Period { from, to } = self.filter.period;
        let is_selective = self.filter.user_id.is_some() || self.filter.track_id.is_some();
        if is_selective {
            return vec![self.filter.period];
        }
        // A first event may lie a little ahead of the clock.
        let newest = now.as_millis() + DAY_MS;
        let newest = to.map_or(newest, |to| to.as_millis().min(newest));
        let newest = self
            .after
            .as_ref()
            .map_or(newest, |key| newest.min(key.first_event_at.as_millis() + 1));
        let oldest = from.map_or(0, Timestamp::as_millis);
        let (mut stretches, mut end, mut days) = (Vec::new(), newest, 2);
        while end > oldest {
            let begin = if days > LONGEST_DAYS {
                oldest
            } else {
                (end - days * DAY_MS).max(oldest)
            };
            let time = |millis| Timestamp::from_millis(millis).ok();
            stretches.push(Period {
                from: time(begin),
                to: time(end),
            });
            (end, days) = (begin, days * GROWTH);
        }
        stretches
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
    fn stretches_meet_and_reach_back_to_the_beginning() {
        let now = at("2026-11-25T12:00:00Z");
        let stretches = page(PlaybackFilter::default()).stretches(now);
        assert_eq!(stretches[0].to, Some(at("2026-11-26T12:00:00Z")));
        for pair in stretches.windows(2) {
            assert_eq!(pair[0].from, pair[1].to);
        }
        let last = stretches.last().unwrap();
        assert_eq!(last.from.map(Timestamp::as_millis), Some(0));
        assert!(stretches.len() < 8);
    }

    #[test]
    fn a_page_is_looked_for_within_its_period_only() {
        let now = at("2026-11-25T12:00:00Z");
        let period = Period {
            from: Some(at("2026-11-20T00:00:00Z")),
            to: Some(at("2026-11-21T00:00:00Z")),
        };
        let filter = PlaybackFilter {
            period,
            ..PlaybackFilter::default()
        };
        assert_eq!(page(filter.clone()).stretches(now), [period]);
        let after = PlaybackKey {
            first_event_at: at("2026-11-20T10:00:00Z"),
            playback_id: ess_schema::PlaybackId::new("p").unwrap(),
        };
        let later = PlaybacksPage {
            after: Some(after),
            ..page(filter)
        };
        let stretches = later.stretches(now);
        assert_eq!(stretches[0].to, Some(at("2026-11-20T10:00:00.001Z")));
        let of_user = PlaybackFilter {
            user_id: Some("u".to_owned()),
            ..PlaybackFilter::default()
        };
        assert_eq!(page(of_user).stretches(now), [Period::default()]);
    }
}
