//! What the playbacks of a report are grouped by.

/// A dimension of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Dimension {
    /// The time bucket that the first event lies in.
    Time(TimeBucket),
    /// An attribute.
    Attribute(Attribute),
}

/// A length of time, as clocks of a time zone cut it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TimeBucket {
    Minute,
    Hour,
    Day,
    /// From Monday on.
    Week,
    Month,
}

/// An attribute of a playback that is a text; empty text in the read model means that nobody told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Attribute {
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
    /// Only a filter: which state it is in depends on when that is asked.
    Playback,
}

impl TimeBucket {
    const ALL: [Self; 5] = [Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month];

    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

impl Attribute {
    /// Those that playbacks can be grouped by.
    pub(crate) const GROUPS: [Self; 10] = [
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

    /// Its name as a dimension.
    pub(crate) const fn name(self) -> &'static str {
        match self {
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
            Self::Playback => "playback",
        }
    }

    /// Its column in `playbacks`.
    pub(crate) const fn column(self) -> &'static str {
        match self {
            Self::Track => "track_id",
            Self::User => "user_id",
            Self::Playback => "playback_id",
            other => other.name(),
        }
    }

    /// How a ranking of its values is asked for.
    pub(crate) const fn plural(self) -> &'static str {
        match self {
            Self::Track => "tracks",
            Self::User => "users",
            Self::Country => "countries",
            Self::Device => "devices",
            Self::Platform => "platforms",
            Self::AppVersion => "app_versions",
            Self::Plan => "plans",
            Self::Context => "contexts",
            Self::EndReason => "end_reasons",
            Self::TestId => "test_ids",
            Self::Playback => "playbacks",
        }
    }
}

impl Dimension {
    /// All of them.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let times = TimeBucket::ALL.into_iter().map(Self::Time);
        times.chain(Attribute::GROUPS.into_iter().map(Self::Attribute))
    }

    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Time(bucket) => bucket.name(),
            Self::Attribute(text) => text.name(),
        }
    }

    /// The dimension of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|dimension| dimension.name() == name)
    }

    /// Every name.
    pub(crate) fn names() -> String {
        Self::all().map(Self::name).collect::<Vec<_>>().join(", ")
    }
}
