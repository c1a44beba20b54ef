//! What must be true of a result: `p95 < 100ms`. Read at the start, so that a misspelt one never lets a bad result pass. Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What a value is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds; may be given as `us`, `ms` or `s`.
    Time,
    /// A count, without a unit.
    Count,
    /// A share in percent, `%`.
    Percent,
    /// A second, `/s`.
    PerSecond,
}

/// Everything that can be asked for, and what it means.
pub const METRICS: &[(&str, Unit, &str)] = &[
    ("p50", Unit::Time, "latency of requests"),
    ("p90", Unit::Time, "latency of requests"),
    ("p95", Unit::Time, "latency of requests"),
    ("p99", Unit::Time, "latency of requests"),
    ("p999", Unit::Time, "latency of requests"),
    ("max", Unit::Time, "latency of requests"),
    ("read_p50", Unit::Time, "latency of questions"),
    ("read_p95", Unit::Time, "latency of questions"),
    ("read_p99", Unit::Time, "latency of questions"),
    ("lag_p50", Unit::Time, "from ingest to store"),
    ("lag_p95", Unit::Time, "from ingest to store"),
    ("lag_p99", Unit::Time, "from ingest to store"),
    ("lag_max", Unit::Time, "from ingest to store"),
    ("drain", Unit::Time, "from the last answer to the last row"),
    ("late_p99", Unit::Time, "how late the generator itself was"),
    ("requests", Unit::Count, "sent"),
    ("errors", Unit::Count, "requests not fully acknowledged"),
    ("error_rate", Unit::Percent, "of requests"),
    ("read_errors", Unit::Count, "questions not answered"),
    ("rate", Unit::PerSecond, "acknowledged requests"),
    ("facts_rate", Unit::PerSecond, "acknowledged facts"),
    ("lost", Unit::Count, "acknowledged, not in the read model"),
    ("twice", Unit::Count, "in the read model more than once"),
    (
        "claimed",
        Unit::Count,
        "in the read model, never acknowledged",
    ),
    (
        "different",
        Unit::Count,
        "playbacks that are not what was sent",
    ),
];

/// One threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    text: String,
    metric: &'static str,
    unit: Unit,
    comparison: Comparison,
    /// In the unit of the metric; times in ms.
    limit: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    Greater,
}

const COMPARISONS: [(&str, Comparison); 5] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

impl Threshold {
    /// What it is about.
    pub fn metric(&self) -> &'static str {
        self.metric
    }

    /// What its metric is measured in.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Whether it is true of a value, times in ms. A value that is not known never is.
    pub fn holds(&self, value: Option<f64>) -> bool {
        let Some(value) = value else { return false };
        match self.comparison {
            Comparison::Less => value < self.limit,
            Comparison::AtMost => value <= self.limit,
            Comparison::Equal => (value - self.limit).abs() < 1e-9,
            Comparison::AtLeast => value >= self.limit,
            Comparison::Greater => value > self.limit,
        }
    }
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = COMPARISONS
            .iter()
            .find_map(|(sign, comparison)| Some((text.split_once(sign)?, *comparison)));
        let Some(((name, limit), comparison)) = found else {
            return Err(format!(
                "threshold {text:?} has no comparison: give METRIC and one of < <= == >= > and a value"
            ));
        };
        let known = METRICS.iter().find(|(known, ..)| *known == name.trim());
        let Some((metric, unit, _)) = known else {
            let names: Vec<_> = METRICS.iter().map(|(name, ..)| *name).collect();
            return Err(format!(
                "threshold {text:?} names no known metric; allowed: {}",
                names.join(", ")
            ));
        };
        let limit = read_limit(limit.trim(), *unit)
            .ok_or_else(|| format!("threshold {text:?}: give {metric} as {}", allowed(*unit)))?;
        Ok(Self {
            text: text.trim().to_owned(),
            metric,
            unit: *unit,
            comparison,
            limit,
        })
    }
}

fn allowed(unit: Unit) -> &'static str {
    match unit {
        Unit::Time => "a number with us, ms or s, such as 100ms",
        Unit::Count => "a number without a unit",
        Unit::Percent => "a number with %",
        Unit::PerSecond => "a number with or without /s",
    }
}

fn read_limit(text: &str, unit: Unit) -> Option<f64> {
    let units: &[(&str, f64)] = match unit {
        Unit::Time => &[("us", 0.001), ("ms", 1.0), ("s", 1_000.0)],
        Unit::Count => &[("", 1.0)],
        Unit::Percent => &[("%", 1.0)],
        Unit::PerSecond => &[("/s", 1.0), ("", 1.0)],
    };
    units.iter().find_map(|(suffix, factor)| {
        let number: f64 = text.strip_suffix(suffix)?.trim_end().parse().ok()?;
        (number.is_finite() && number >= 0.0).then_some(number * factor)
    })
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str, value: f64) -> bool {
        text.parse::<Threshold>().unwrap().holds(Some(value))
    }

    #[test]
    fn a_threshold_holds_or_not_in_the_units_it_was_given_in() {
        assert!(holds("p95 < 100ms", 99.9) && !holds("p95 < 100ms", 100.0));
        assert!(holds("p99 <= 0.5s", 500.0) && !holds("p99<=0.5s", 500.1));
        assert!(holds("errors == 0", 0.0) && !holds("errors == 0", 1.0));
        assert!(holds("rate >= 3500/s", 3_500.0) && !holds("rate > 3500", 3_500.0));
        assert!(holds("error_rate < 1%", 0.5) && !holds("error_rate < 1%", 1.0));
    }

    #[test]
    fn what_was_not_measured_holds_no_threshold() {
        assert!(!"lag_p99 < 1s".parse::<Threshold>().unwrap().holds(None));
    }

    #[test]
    fn a_threshold_that_means_nothing_is_refused_with_what_is_allowed() {
        for (text, told) in [
            ("p42 < 1ms", "p999"),
            ("p95 is low", "comparison"),
            ("p95 < 100", "100ms"),
            ("errors < 1%", "without a unit"),
            ("rate > NaN", "/s"),
            ("p95 < -1ms", "100ms"),
        ] {
            let refused = text.parse::<Threshold>().unwrap_err();
            assert!(refused.contains(told), "{text}: {refused}");
        }
    }
}
