//! A duration in the notation `1m30s`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct HumanDuration(pub Duration);

impl HumanDuration {
    /// A number of seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = humantime::format_duration(self.0).to_string();
        f.write_str(&text.replace(' ', ""))
    }
}

impl Serialize for HumanDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed = humantime::parse_duration(&text);
        let refused = |_| {
            de::Error::custom(format!(
                "{text:?} is not a duration; expected, for example, 1m30s"
            ))
        };
        parsed.map(Self).map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_formatted_as_it_is_parsed() {
        let duration: HumanDuration = serde_json::from_str(r#""1m30s""#).unwrap();
        assert_eq!(duration, HumanDuration::seconds(90));
        assert_eq!(serde_json::to_string(&duration).unwrap(), r#""1m30s""#);
        let refused = serde_json::from_str::<HumanDuration>(r#""soon""#).unwrap_err();
        assert!(refused.to_string().contains("1m30s"), "{refused}");
    }
}
