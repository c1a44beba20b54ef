//! Parameters that are numbers within bounds.

use poem_openapi::registry::MetaSchema;

use super::{Parameter, excerpt};
use crate::question::Refusal;

macro_rules! bounded_number {
    ($($(#[$doc:meta])* $name:ident = $min:literal to $max:literal, default $default:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) struct $name(pub(crate) u16);

        impl Default for $name {
            fn default() -> Self {
                Self($default)
            }
        }

        impl Parameter for $name {
            fn schema() -> MetaSchema {
                MetaSchema {
                    minimum: Some(f64::from($min)),
                    maximum: Some(f64::from($max)),
                    default: Some($default.into()),
                    ..MetaSchema::new_with_format("integer", "int32")
                }
            }

            fn read(text: &str) -> Result<Self, Refusal> {
                let refusal = |detail: String| Refusal {
                    detail,
                    allowed: concat!("an integer from ", $min, " to ", $max).to_owned(),
                };
                let number: i64 = text
                    .parse()
                    .map_err(|_| refusal(format!("{:?} is not an integer", excerpt(text))))?;
                u16::try_from(number)
                    .ok()
                    .filter(|number| ($min..=$max).contains(number))
                    .map(Self)
                    .ok_or_else(|| refusal(format!("{number} is out of range")))
            }
        }
    )*};
}

bounded_number! {
    /// The maximum number of events, playbacks or rows on a page; the default is the predecessor's.
    Limit = 1 to 1000, default 10;
    /// The maximum number of rows on a page of a report.
    ReportLimit = 1 to 10000, default 100;
    /// How many of the newest events to skip; a cursor has no such bound.
    Offset = 0 to 10000, default 0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_bounded() {
        assert_eq!(Limit::read("1000"), Ok(Limit(1_000)));
        assert_eq!(Offset::read("0"), Ok(Offset(0)));
        for bad in [
            "0",
            "1001",
            "-1",
            "1.5",
            "",
            "abc",
            "99999999999999999999",
            "65537",
        ] {
            let refusal = Limit::read(bad).unwrap_err();
            assert_eq!(refusal.allowed, "an integer from 1 to 1000", "{bad}");
        }
        assert!(Offset::read("10001").is_err());
    }
}
