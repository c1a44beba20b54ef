//! A condition on the result of a run: `p95 < 100ms`. Parsed before the run, so that a typing error cannot let a bad result pass.
//! Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The unit of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds; written as `us`, `ms` or `s`.
    Time,
    /// A count, without a unit.
    Count,
    /// Percent, `%`.
    Percent,
    /// Per second, `/s`.
    PerSecond,
}

/// The metrics and their units.
pub const METRICS: &[(&str, Unit)] = &[
    // Latency of requests.
    ("p50", Unit::Time),
    ("p90", Unit::Time),
    ("p95", Unit::Time),
    ("p99", Unit::Time),
    ("p999", Unit::Time),
    ("max", Unit::Time),
    // Latency of questions.
    ("read_p50", Unit::Time),
    ("read_p95", Unit::Time),
    ("read_p99", Unit::Time),
    // From ingest to store.
    ("lag_p50", Unit::Time),
    ("lag_p95", Unit::Time),
    ("lag_p99", Unit::Time),
    ("lag_max", Unit::Time),
    // From the last response to the last row.
    ("drain", Unit::Time),
    // How late the generator sent requests.
    ("late_p99", Unit::Time),
    ("requests", Unit::Count),
    // Requests that were not fully acknowledged.
    ("errors", Unit::Count),
    ("error_rate", Unit::Percent),
    // Questions without a successful response.
    ("read_errors", Unit::Count),
    // Acknowledged requests and facts.
    ("rate", Unit::PerSecond),
    ("facts_rate", Unit::PerSecond),
    // The differences of `proof::Check`.
    ("lost", Unit::Count),
    ("twice", Unit::Count),
    ("claimed", Unit::Count),
    ("different", Unit::Count),
];

/// One threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    text: String,
    metric: &'static str,
    unit: Unit,
    operator: Operator,
    /// In the unit of the metric; times in ms.
    limit: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Lt,
    Le,
    Eq,
    Ge,
    Gt,
}

const OPERATORS: [(&str, Operator); 5] = [
    ("<=", Operator::Le),
    (">=", Operator::Ge),
    ("==", Operator::Eq),
    ("<", Operator::Lt),
    (">", Operator::Gt),
];

impl Threshold {
    /// The name of its metric.
    pub fn metric(&self) -> &'static str {
        self.metric
    }

    /// The unit of its metric.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Whether a value meets it, times in ms. A value that was not measured does not.
    pub fn is_met(&self, value: Option<f64>) -> bool {
        let Some(value) = value else { return false };
        match self.operator {
            Operator::Lt => value < self.limit,
            Operator::Le => value <= self.limit,
            Operator::Eq => (value - self.limit).abs() < 1e-9,
            Operator::Ge => value >= self.limit,
            Operator::Gt => value > self.limit,
        }
    }
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = OPERATORS
            .iter()
            .find_map(|(sign, operator)| Some((text.split_once(sign)?, *operator)));
        let Some(((name, limit), operator)) = found else {
            return Err(format!(
                "threshold {text:?} has no comparison; expected METRIC, one of < <= == >= >, and a value"
            ));
        };
        let known = METRICS.iter().find(|(known, _)| *known == name.trim());
        let Some((metric, unit)) = known else {
            let names: Vec<_> = METRICS.iter().map(|(name, _)| *name).collect();
            return Err(format!(
                "unknown metric in threshold {text:?}; expected one of {}",
                names.join(", ")
            ));
        };
        let limit = parse_limit(limit.trim(), *unit)
            .ok_or_else(|| format!("threshold {text:?}: {metric} is {}", allowed(*unit)))?;
        Ok(Self {
            text: text.trim().to_owned(),
            metric,
            unit: *unit,
            operator,
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

fn parse_limit(text: &str, unit: Unit) -> Option<f64> {
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

    fn is_met(text: &str, value: f64) -> bool {
        text.parse::<Threshold>().unwrap().is_met(Some(value))
    }

    #[test]
    fn a_threshold_is_met_or_not_in_the_units_it_is_written_in() {
        assert!(is_met("p95 < 100ms", 99.9) && !is_met("p95 < 100ms", 100.0));
        assert!(is_met("p99 <= 0.5s", 500.0) && !is_met("p99<=0.5s", 500.1));
        assert!(is_met("errors == 0", 0.0) && !is_met("errors == 0", 1.0));
        assert!(is_met("rate >= 3500/s", 3_500.0) && !is_met("rate > 3500", 3_500.0));
        assert!(is_met("error_rate < 1%", 0.5) && !is_met("error_rate < 1%", 1.0));
    }

    #[test]
    fn a_value_that_was_not_measured_meets_no_threshold() {
        assert!(!"lag_p99 < 1s".parse::<Threshold>().unwrap().is_met(None));
    }

    #[test]
    fn an_invalid_threshold_is_refused_with_what_is_allowed() {
        for (text, expected) in [
            ("p42 < 1ms", "p999"),
            ("p95 is low", "comparison"),
            ("p95 < 100", "100ms"),
            ("errors < 1%", "without a unit"),
            ("rate > NaN", "/s"),
            ("p95 < -1ms", "100ms"),
        ] {
            let refused = text.parse::<Threshold>().unwrap_err();
            assert!(refused.contains(expected), "{text}: {refused}");
        }
    }
}
