//! The calendar of a time zone, by the IANA database that comes with the crate `jiff`: never by the machine's own.

use std::ops::Range;

use ess_schema::Timestamp;
use ess_schema::rollup::{Calendar, TimeUnit};
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{RoundMode, ToSpan, Unit, Zoned, ZonedRound};

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
}

impl Calendar for Zone {
    fn bucket(&self, unit: TimeUnit, at: Timestamp) -> Range<Timestamp> {
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap();
        let at = at.to_zoned(self.0.clone());
        let day = || at.start_of_day().unwrap();
        let (start, length) = match unit {
            TimeUnit::Minute => (down(&at, Unit::Minute), 1.minute()),
            TimeUnit::Hour => (down(&at, Unit::Hour), 1.hour()),
            TimeUnit::Day => (day(), 1.day()),
            TimeUnit::Week => {
                let days = i64::from(at.weekday().since(Weekday::Monday));
                (day().checked_sub(days.days()).unwrap(), 1.week())
            }
            TimeUnit::Month => (day().first_of_month().unwrap(), 1.month()),
        };
        let end = start.checked_add(length).unwrap();
        instant(&start)..instant(&end)
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
