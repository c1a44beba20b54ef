//! The dimensions of a report, each one declaration. Parser, SQL, JSON, OpenAPI document, examples and messages follow from it. The
//! SQL here is data, so that everything about a dimension stands in one place; `sql` makes statements of it.

use super::declare::declare;

/// A dimension of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Dimension {
    /// The time bucket of the first event.
    Time(TimeBucket),
    /// An attribute.
    Attribute(Attribute),
}

/// The declaration of a time bucket.
#[derive(Debug)]
pub(crate) struct TimeBucketDeclaration {
    /// Its name in questions and answers.
    pub(crate) name: &'static str,
    /// What it is, for the OpenAPI document.
    pub(crate) description: &'static str,
    /// The SQL of the start of the bucket that contains `{time}`, by the clocks of `{timezone:String}`.
    pub(crate) start: &'static str,
    /// The SQL function that adds a number of buckets to a time.
    pub(crate) add: &'static str,
    /// A time in ms that no bucket is shorter than.
    pub(crate) min_ms: i64,
}

/// The declaration of an attribute.
#[derive(Debug)]
pub(crate) struct AttributeDeclaration {
    /// Its name as a dimension and as a field of filters.
    pub(crate) name: &'static str,
    /// What it is, for the OpenAPI document.
    pub(crate) description: &'static str,
    /// Its name in the parameter `of` of GET /stats/top. An attribute without one is a field of filters only.
    pub(crate) plural: Option<&'static str>,
    /// Its column in `playbacks`, which filters accept as a name, too. Empty where no event carries a value.
    pub(crate) column: &'static str,
    /// An example of a value.
    pub(crate) example: &'static str,
}

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

declare! {
    /// A length of time, by the clocks of a time zone.
    TimeBucket: TimeBucketDeclaration;

    /// The start of the minute in which the first event occurred.
    Minute {
        name: "minute",
        start: "toStartOfMinute({time}, {timezone:String})",
        add: "addMinutes",
        min_ms: 60_000,
    }
    /// The start of the hour in which the first event occurred.
    Hour {
        name: "hour",
        start: "toStartOfHour({time}, {timezone:String})",
        add: "addHours",
        min_ms: HOUR_MS,
    }
    /// The start of the day on which the first event occurred.
    Day {
        name: "day",
        start: "toStartOfDay({time}, {timezone:String})",
        add: "addDays",
        min_ms: 22 * HOUR_MS,
    }
    /// The start, on Monday, of the week in which the first event occurred.
    Week {
        name: "week",
        start: "toDateTime(toStartOfWeek({time}, 1, {timezone:String}), {timezone:String})",
        add: "addWeeks",
        min_ms: 6 * DAY_MS,
    }
    /// The start of the month in which the first event occurred.
    Month {
        name: "month",
        start: "toDateTime(toStartOfMonth({time}, {timezone:String}), {timezone:String})",
        add: "addMonths",
        min_ms: 27 * DAY_MS,
    }
}

declare! {
    /// An attribute of playbacks, a text.
    Attribute: AttributeDeclaration;

    /// The track; null where unknown.
    Track {
        name: "track",
        plural: Some("tracks"),
        column: "track_id",
        example: "track-3",
    }
    /// The user; null where unknown.
    User {
        name: "user",
        plural: Some("users"),
        column: "user_id",
        example: "user-7",
    }
    /// The country, ISO 3166-1 alpha-2; null where unknown.
    Country {
        name: "country",
        plural: Some("countries"),
        column: "country",
        example: "DE",
    }
    /// The device; null where unknown.
    Device {
        name: "device",
        plural: Some("devices"),
        column: "device",
        example: "phone",
    }
    /// The platform; null where unknown.
    Platform {
        name: "platform",
        plural: Some("platforms"),
        column: "platform",
        example: "ios",
    }
    /// The version of the app; null where unknown.
    AppVersion {
        name: "app_version",
        plural: Some("app_versions"),
        column: "app_version",
        example: "7.2.1",
    }
    /// The plan of the user; null where unknown.
    Plan {
        name: "plan",
        plural: Some("plans"),
        column: "plan",
        example: "premium",
    }
    /// What the track was played from, such as a playlist; null where unknown.
    Context {
        name: "context",
        plural: Some("contexts"),
        column: "context",
        example: "playlist",
    }
    /// How the playback ended: completed, skipped or stopped; null where no end is known.
    EndReason {
        name: "end_reason",
        plural: Some("end_reasons"),
        column: "end_reason",
        example: "completed",
    }
    /// The test run; null outside of tests.
    TestId {
        name: "test_id",
        plural: Some("test_ids"),
        column: "test_id",
        example: "load-2026-11-23",
    }
    /// The playback.
    Playback {
        name: "playback",
        plural: None,
        column: "playback_id",
        example: "playback-42",
    }
}

impl Attribute {
    /// Its column in `playbacks`.
    pub(crate) const fn column(self) -> &'static str {
        self.declaration().column
    }

    /// Its name in the parameter `of` of GET /stats/top; empty if it is no dimension.
    pub(crate) fn plural(self) -> &'static str {
        self.declaration().plural.unwrap_or_default()
    }

    /// Those that are dimensions.
    pub(crate) fn dimensions() -> impl Iterator<Item = Self> + Clone {
        let all = Self::ALL.into_iter();
        all.filter(|attribute| attribute.declaration().plural.is_some())
    }
}

impl Dimension {
    /// Every dimension, in the order of answers.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let times = TimeBucket::ALL.into_iter().map(Self::Time);
        times.chain(Attribute::dimensions().map(Self::Attribute))
    }

    /// Its name in questions and answers.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Time(bucket) => bucket.name(),
            Self::Attribute(attribute) => attribute.name(),
        }
    }

    /// The name of every dimension, in the order of answers.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        Self::all().map(Self::name)
    }

    /// The dimension of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|dimension| dimension.name() == name)
    }
}
