//! The queries over many playbacks, and the pages of raw events. Each repetition of a query is a different one: its period is a
//! millisecond shorter at both ends.

use ess_schema::Timestamp;

use super::bare::Replacement;
use crate::error::{Error, Result};

/// The subjects of the measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Subject {
    /// One playback by its id, not read before
    Reads,
    /// One playback by its id, from the cache
    Cached,
    /// The most played tracks
    Top,
    /// A report by two dimensions
    Report,
    /// The retention of a track
    Retention,
    /// Pages of raw events
    Events,
}

/// One query.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    pub(super) subject: Subject,
    pub(super) title: &'static str,
    /// With `{from}` and `{to}` if it has a period.
    path: String,
    /// Start and end, ms since 1970.
    range: Option<(i64, i64)>,
}

pub(super) const TOP_DAY: &str = "top 100 tracks of one day";
pub(super) const TOP_MONTH: &str = "top 100 tracks of 30 days";
pub(super) const REPORT: &str = "report by day and country, 30 days";
pub(super) const RETENTION: &str = "retention of the hottest track, 30 days";
pub(super) const FIRST_PAGE: &str = "GET /events, first page";
pub(super) const LATER_PAGE: &str = "GET /events, hundredth page";

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const TOP: &str =
    "/stats/top?of=tracks&by=plays&metrics=plays,unique_listeners&limit=100&from={from}&to={to}";

/// The queries over the day before `now_ms`, or the 30 days before.
pub(super) fn ranged(now_ms: i64, hottest_track: &str) -> Vec<Scan> {
    let today_ms = now_ms - now_ms % DAY_MS;
    let day = (today_ms - DAY_MS, today_ms);
    let month = (now_ms - 30 * DAY_MS, now_ms);
    let scan = |subject, title, path: &str, range| Scan {
        subject,
        title,
        path: path.to_owned(),
        range: Some(range),
    };
    let report = "/stats/report?metrics=plays,unique_listeners,played_ms&dimensions=day,country&from={from}&to={to}";
    let retention = format!("/stats/track/{hottest_track}/retention?from={{from}}&to={{to}}");
    vec![
        scan(Subject::Top, TOP_DAY, TOP, day),
        scan(Subject::Top, TOP_MONTH, TOP, month),
        scan(Subject::Report, REPORT, report, month),
        scan(Subject::Retention, RETENTION, &retention, month),
    ]
}

/// A page of raw events.
pub(super) fn page(title: &'static str, path: String) -> Scan {
    Scan {
        subject: Subject::Events,
        title,
        path,
        range: None,
    }
}

impl Scan {
    /// The path of the `number`th repetition.
    ///
    /// # Errors
    /// Never: the times are valid.
    pub(super) fn path(&self, number: i64) -> Result<String> {
        let Some((from, to)) = self.range_of(number) else {
            return Ok(self.path.clone());
        };
        let text = |ms| {
            let time = Timestamp::from_millis(ms).map_err(|e| Error::message(e.to_string()))?;
            Ok::<_, Error>(time.to_string())
        };
        let path = self.path.replace("{from}", &text(from)?);
        Ok(path.replace("{to}", &text(to)?))
    }

    /// The replacements in the SQL for the `number`th repetition.
    pub(super) fn replacements(&self, number: i64) -> Vec<Replacement> {
        let Some((first, this)) = self.range_of(0).zip(self.range_of(number)) else {
            return Vec::new();
        };
        let texts = |old: i64, new: i64| (old.to_string(), new.to_string());
        vec![texts(first.0, this.0), texts(first.1, this.1)]
    }

    fn range_of(&self, number: i64) -> Option<(i64, i64)> {
        self.range.map(|(from, to)| (from + number, to - number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-24T01:00:00.000Z.
    const NOW_MS: i64 = 1_795_482_000_000;

    #[test]
    fn repetitions_differ_by_milliseconds() {
        let day = &ranged(NOW_MS, "t")[0];
        let first = day.path(0).unwrap();
        assert!(first.ends_with("from=2026-11-23T00:00:00.000Z&to=2026-11-24T00:00:00.000Z"));
        let third = day.path(3).unwrap();
        assert!(third.ends_with("from=2026-11-23T00:00:00.003Z&to=2026-11-23T23:59:59.997Z"));
        let (old, new) = &day.replacements(3)[0];
        assert_eq!(new.parse::<i64>().unwrap() - old.parse::<i64>().unwrap(), 3);
    }

    #[test]
    fn a_page_has_no_range() {
        let page = page(FIRST_PAGE, "/events?limit=100".to_owned());
        assert_eq!(page.path(7).unwrap(), "/events?limit=100");
        assert!(page.replacements(7).is_empty());
    }
}
