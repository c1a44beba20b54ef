//! The calendar of a time zone, from the IANA database in the crate `jiff`; never from the machine's own.

use std::ops::Range;

use ess_schema::Timestamp;
use ess_schema::rollup::{Calendar, TimeUnit};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{RoundMode, Span, ToSpan, Unit, Zoned, ZonedRound};

/// A time zone of the IANA database.
#[derive(Debug, Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone of this name, for example `Europe/Berlin`.
    ///
    /// # Panics
    /// When there is none.
    pub fn named(name: &str) -> Self {
        Self(TimeZone::get(name).unwrap())
    }

    /// The first instant of a day, which is not always midnight.
    fn begin(&self, day: Date) -> Timestamp {
        instant(&day.to_zoned(self.0.clone()).unwrap())
    }
}

impl Calendar for Zone {
    fn bucket(&self, unit: TimeUnit, at: Timestamp) -> Range<Timestamp> {
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap();
        let at = at.to_zoned(self.0.clone());
        let clock = |unit, length: Span| {
            let start = down(&at, unit);
            let end = start.checked_add(length).unwrap();
            instant(&start)..instant(&end)
        };
        let today = at.date();
        let days = |first: Date, length: Span| {
            let end = first.checked_add(length).unwrap();
            self.begin(first)..self.begin(end)
        };
        match unit {
            TimeUnit::Minute => clock(Unit::Minute, 1.minute()),
            TimeUnit::Hour => clock(Unit::Hour, 1.hour()),
            TimeUnit::Day => days(today, 1.day()),
            TimeUnit::Week => {
                let since_monday = i64::from(today.weekday().since(Weekday::Monday)).days();
                days(today.checked_sub(since_monday).unwrap(), 1.week())
            }
            TimeUnit::Month => days(today.first_of_month(), 1.month()),
        }
    }
}

fn down(at: &Zoned, unit: Unit) -> Zoned {
    let down = ZonedRound::new().smallest(unit).mode(RoundMode::Trunc);
    at.round(down).unwrap()
}

fn instant(at: &Zoned) -> Timestamp {
    Timestamp::from_millis(at.timestamp().as_millisecond()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(zone: &str, unit: TimeUnit, at: &str) -> [String; 2] {
        let at = Timestamp::parse_rfc3339(at).unwrap();
        let Range { start, end } = Zone::named(zone).bucket(unit, at);
        [start.to_string(), end.to_string()]
    }

    fn instants(texts: [&str; 2]) -> [String; 2] {
        texts.map(|text| Timestamp::parse_rfc3339(text).unwrap().to_string())
    }

    #[test]
    fn a_day_has_23_or_25_hours_when_the_clocks_change() {
        let day = |at| bucket("Europe/Berlin", TimeUnit::Day, at);
        let back = instants(["2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"]);
        assert_eq!(day("2026-10-24T22:00:00Z"), back);
        assert_eq!(day("2026-10-25T22:59:59.999Z"), back);
        let forth = instants(["2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"]);
        assert_eq!(day("2026-03-29T12:00:00Z"), forth);
    }

    #[test]
    fn a_day_without_a_midnight_begins_after_the_gap_and_no_other_day_does() {
        let day = |at| bucket("America/Santiago", TimeUnit::Day, at);
        let gap = instants(["2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"]);
        assert_eq!(day("2026-09-06T04:00:00Z"), gap);
        let week = bucket("America/Santiago", TimeUnit::Week, "2026-09-06T05:00:00Z");
        assert_eq!(
            week,
            instants(["2026-08-31T04:00:00Z", "2026-09-07T03:00:00Z"])
        );
    }

    #[test]
    fn the_hour_that_comes_twice_is_two_hours() {
        let hour = |at| bucket("Europe/Berlin", TimeUnit::Hour, at);
        let first = instants(["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"]);
        let second = instants(["2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"]);
        assert_eq!(hour("2026-10-25T00:30:00Z"), first);
        assert_eq!(hour("2026-10-25T01:30:00Z"), second);
    }

    #[test]
    fn a_week_begins_on_monday_and_a_month_on_its_first_where_the_listener_lives() {
        let monday = instants(["2026-10-25T23:00:00Z", "2026-11-01T23:00:00Z"]);
        let week = |at| bucket("Europe/Berlin", TimeUnit::Week, at);
        assert_eq!(week("2026-10-25T23:00:00Z"), monday);
        assert_eq!(week("2026-11-01T22:59:59Z"), monday);
        let month = bucket("Europe/Berlin", TimeUnit::Month, "2026-10-15T00:00:00Z");
        assert_eq!(
            month,
            instants(["2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"])
        );
    }

    #[test]
    fn hours_are_those_of_the_zones_clock() {
        let hour = bucket("Asia/Kolkata", TimeUnit::Hour, "2026-10-25T10:00:00Z");
        assert_eq!(
            hour,
            instants(["2026-10-25T09:30:00Z", "2026-10-25T10:30:00Z"])
        );
    }
}
