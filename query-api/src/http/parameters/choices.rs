//! Parameters that are one of a few words.

use poem_openapi::registry::MetaSchema;

use super::Parameter;
use crate::question::{LagBucket, LagBy, Refusal};

macro_rules! one_of {
    ($($name:ident,)+) => {$(
        impl Parameter for $name {
            fn schema() -> MetaSchema {
                MetaSchema {
                    enum_items: Self::ALL.map(|choice| choice.name().into()).to_vec(),
                    ..MetaSchema::new("string")
                }
            }

            fn read(text: &str) -> Result<Self, Refusal> {
                let found = Self::ALL.into_iter().find(|choice| choice.name() == text);
                found.ok_or_else(|| Refusal {
                    detail: "is none of the words allowed".to_owned(),
                    allowed: Self::ALL.map(Self::name).join(", "),
                })
            }
        }
    )+};
}

one_of! { LagBy, LagBucket, }

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
