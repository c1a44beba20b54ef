//! Parameters that are one of a few words.

use poem_openapi::registry::MetaSchema;

use super::{Parameter, Refusal};

macro_rules! one_of {
    ($($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $choice:ident = $word:literal,)+ })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum $name {
            $($(#[$about])* $choice,)+
        }

        impl Parameter for $name {
            fn schema() -> MetaSchema {
                MetaSchema {
                    enum_items: vec![$($word.into()),+],
                    ..MetaSchema::new("string")
                }
            }

            fn read(text: &str) -> Result<Self, Refusal> {
                match text {
                    $($word => Ok(Self::$choice),)+
                    _ => Err(Refusal {
                        detail: "is none of the words allowed".to_owned(),
                        allowed: [$($word),+].join(", "),
                    }),
                }
            }
        }
    )*};
}

one_of! {
    /// What the lag is told by.
    LagBy {
        /// A row for each test run.
        TestId = "test_id",
    }

    /// Spans of time of equal length, counted from 1970 in UTC.
    LagBucket {
        /// 1 s.
        Second = "second",
        /// 60 s.
        Minute = "minute",
        /// 60 min.
        Hour = "hour",
        /// 24 h.
        Day = "day",
    }
}

impl LagBucket {
    /// Its length in ms.
    pub(crate) const fn millis(self) -> i64 {
        match self {
            Self::Second => 1_000,
            Self::Minute => 60 * 1_000,
            Self::Hour => 60 * 60 * 1_000,
            Self::Day => 24 * 60 * 60 * 1_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_none_is_told_those_there_are() {
        assert_eq!(LagBucket::read("hour"), Ok(LagBucket::Hour));
        for bad in ["", "Hour", "hours", "3600"] {
            let refusal = LagBucket::read(bad).unwrap_err();
            assert_eq!(refusal.allowed, "second, minute, hour, day", "{bad}");
        }
        assert_eq!(LagBy::read("test_id"), Ok(LagBy::TestId));
    }
}
