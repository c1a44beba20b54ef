//! By what playbacks are told apart.

use super::{Calendar, TimeUnit};
use crate::event::EndReason;
use crate::playback::Playback;
use crate::time::Timestamp;

/// Something that playbacks are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "named as the playback's fields they come from")]
pub enum Dimension {
    /// A bucket of time.
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

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 15] = [
        Self::Time(TimeUnit::Minute),
        Self::Time(TimeUnit::Hour),
        Self::Time(TimeUnit::Day),
        Self::Time(TimeUnit::Week),
        Self::Time(TimeUnit::Month),
        Self::Track,
        Self::User,
        Self::Country,
        Self::Device,
        Self::Platform,
        Self::AppVersion,
        Self::Plan,
        Self::Context,
        Self::EndReason,
        Self::TestId,
    ];

    /// As it is asked for and answered.
    pub fn name(self) -> &'static str {
        match self {
            Self::Time(TimeUnit::Minute) => "minute",
            Self::Time(TimeUnit::Hour) => "hour",
            Self::Time(TimeUnit::Day) => "day",
            Self::Time(TimeUnit::Week) => "week",
            Self::Time(TimeUnit::Month) => "month",
            Self::Track => "track",
            Self::User => "user",
            Self::Country => "country",
            Self::Device => "device",
            Self::Platform => "platform",
            Self::AppVersion => "app_version",
            Self::Plan => "plan",
            Self::Context => "context",
            Self::EndReason => "end_reason",
            Self::TestId => "test_id",
        }
    }

    /// The time buckets it tells apart, if it does.
    pub fn time_unit(self) -> Option<TimeUnit> {
        match self {
            Self::Time(unit) => Some(unit),
            _ => None,
        }
    }

    /// What it is of this playback at an instant: an attribute, none where no event carried it, or when the time bucket of `at`
    /// begins.
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
