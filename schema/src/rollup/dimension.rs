//! The dimensions that playbacks are grouped by, by definition.
//! Never looks at the SQL of the query-api: it is the check of it.

use super::{Calendar, TimeUnit};
use crate::event::EndReason;
use crate::playback::Playback;
use crate::time::Timestamp;

/// Something that playbacks are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "named as the playback's fields they come from")]
pub enum Dimension {
    /// The time bucket of an instant.
    Time(TimeUnit),
    Track,
    User,
    Country,
    Device,
    Platform,
    AppVersion,
    Plan,
    Context,
    EndReason,
    TestId,
}

const NAMES: [(&str, Dimension); 15] = [
    ("minute", Dimension::Time(TimeUnit::Minute)),
    ("hour", Dimension::Time(TimeUnit::Hour)),
    ("day", Dimension::Time(TimeUnit::Day)),
    ("week", Dimension::Time(TimeUnit::Week)),
    ("month", Dimension::Time(TimeUnit::Month)),
    ("track", Dimension::Track),
    ("user", Dimension::User),
    ("country", Dimension::Country),
    ("device", Dimension::Device),
    ("platform", Dimension::Platform),
    ("app_version", Dimension::AppVersion),
    ("plan", Dimension::Plan),
    ("context", Dimension::Context),
    ("end_reason", Dimension::EndReason),
    ("test_id", Dimension::TestId),
];

impl Dimension {
    /// Every dimension.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.into_iter().map(|(_, dimension)| dimension)
    }

    /// Its name in queries and answers.
    pub fn name(self) -> &'static str {
        let mut named = NAMES.into_iter();
        named
            .find(|(_, it)| *it == self)
            .map_or("", |(name, _)| name)
    }

    /// The length of its time buckets, `None` for a dimension of text.
    pub fn time_unit(self) -> Option<TimeUnit> {
        match self {
            Self::Time(unit) => Some(unit),
            _ => None,
        }
    }

    /// Its value for `playback` at `at`: an attribute, `None` where no event carries it, or the start of the time bucket of `at`.
    pub fn value_of(
        self,
        playback: &Playback,
        at: Timestamp,
        calendar: &impl Calendar,
    ) -> Option<String> {
        let aggregate = &playback.aggregate;
        let of = &aggregate.dimensions;
        match self {
            Self::Time(unit) => Some(calendar.bucket(unit, at).start.to_string()),
            Self::Track => of.track_id.as_ref().map(ToString::to_string),
            Self::User => of.user_id.as_ref().map(ToString::to_string),
            Self::Country => of.country.clone(),
            Self::Device => of.device.clone(),
            Self::Platform => of.platform.clone(),
            Self::AppVersion => of.app_version.clone(),
            Self::Plan => of.plan.clone(),
            Self::Context => of.context.clone(),
            Self::EndReason => {
                let reason = aggregate.ending.map(|ending| ending.reason);
                reason.map(EndReason::as_str).map(str::to_owned)
            }
            Self::TestId => of.test_id.as_ref().map(ToString::to_string),
        }
    }
}
