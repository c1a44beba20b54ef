//! Parameters that are lists: of metrics, dimensions and filters, and an order.

use poem_openapi::registry::MetaSchema;

use super::{Parameter, excerpt};
use crate::question::{Dimension, Filter, Metric, Refusal, filter, joined};

/// The maximum length of a list, in bytes: enough for all metrics, and well below the limit of a request's head.
const MAX_BYTES: usize = 4_096;

/// Metrics, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metrics(pub(crate) Vec<Metric>);

/// Dimensions, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Dimensions(pub(crate) Vec<Dimension>);

/// Conditions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Filters(pub(crate) Vec<Filter>);

/// Names of columns, each with whether it is descending.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Order(pub(crate) Vec<(String, bool)>);

/// A list of distinct known names, separated by commas; `what` is the kind of the names in words.
fn names<T: PartialEq>(
    text: &str,
    what: &str,
    known: impl Fn(&str) -> Option<T>,
    allowed: impl Fn() -> String,
) -> Result<Vec<T>, Refusal> {
    let refusal = |detail: String| Refusal {
        detail,
        allowed: allowed(),
    };
    let mut found = Vec::new();
    for name in text.split(',').map(str::trim) {
        let value =
            known(name).ok_or_else(|| refusal(format!("unknown {what} {:?}", excerpt(name))))?;
        if found.contains(&value) {
            return Err(refusal(format!("{what} {name} more than once")));
        }
        found.push(value);
    }
    Ok(found)
}

fn list_of(names: impl Iterator<Item = &'static str>, example: &str) -> MetaSchema {
    let all: Vec<_> = names.collect();
    let one = format!("({})", all.join("|"));
    MetaSchema {
        pattern: Some(format!("^{one}(,{one})*$")),
        max_length: Some(MAX_BYTES),
        example: Some(example.into()),
        ..MetaSchema::new("string")
    }
}

impl Parameter for Metrics {
    fn schema() -> MetaSchema {
        list_of(Metric::names(), "plays,unique_listeners")
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        let allowed = || format!("one of {}, each at most once", joined(Metric::names()));
        names(text, "metric", Metric::from_name, allowed).map(Self)
    }
}

impl Parameter for Dimensions {
    fn schema() -> MetaSchema {
        list_of(Dimension::names(), "day,country")
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        let allowed = || format!("one of {}, each at most once", joined(Dimension::names()));
        names(text, "dimension", Dimension::from_name, allowed).map(Self)
    }
}

impl Parameter for Filters {
    fn schema() -> MetaSchema {
        MetaSchema {
            min_length: Some(1),
            max_length: Some(MAX_BYTES),
            example: Some("country==DE;played_ms>=30000".into()),
            ..MetaSchema::new("string")
        }
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        if text.len() > MAX_BYTES {
            return Err(Refusal {
                detail: format!("{} bytes long", text.len()),
                allowed: format!("at most {MAX_BYTES} bytes"),
            });
        }
        filter::read(text).map(Self)
    }
}

impl Parameter for Order {
    fn schema() -> MetaSchema {
        MetaSchema {
            pattern: Some("^-?[a-z_0-9]+(,-?[a-z_0-9]+)*$".to_owned()),
            max_length: Some(MAX_BYTES),
            example: Some("-plays,day".into()),
            ..MetaSchema::new("string")
        }
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        let key = |name: &str| {
            let name = name.trim();
            let (name, descending) = name
                .strip_prefix('-')
                .map_or((name, false), |name| (name, true));
            let is_name = !name.is_empty()
                && name
                    .bytes()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
            is_name.then(|| (name.to_owned(), descending))
        };
        names(text, "sort key", key, || {
            "requested metrics and dimensions, separated by commas, each with - before it for descending order".to_owned()
        })
        .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_hold_known_names_each_once() {
        assert_eq!(
            Metrics::read("plays, streams"),
            Ok(Metrics(vec![Metric::Plays, Metric::Streams]))
        );
        for (bad, detail) in [
            ("plays,likes", "unknown metric \"likes\""),
            ("plays,plays", "metric plays more than once"),
            ("", "unknown metric \"\""),
        ] {
            let refusal = Metrics::read(bad).unwrap_err();
            assert_eq!(refusal.detail, detail);
            assert!(refusal.allowed.contains("peak_concurrent"));
        }
        assert!(Dimensions::read("day,country,test_id").is_ok());
        assert!(Dimensions::read("playback").is_err());
    }

    #[test]
    fn an_order_has_directions() {
        let order = Order::read("-plays,day").unwrap().0;
        assert_eq!(
            order,
            [("plays".to_owned(), true), ("day".to_owned(), false)]
        );
        for bad in ["", "-", "plays;", "a b", "plays,,day"] {
            assert!(Order::read(bad).is_err(), "{bad}");
        }
    }
}
