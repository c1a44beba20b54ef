//! Filters of a report, such as `country==DE;track in t1,t2;played_ms>=30000`. Playbacks must meet all of them.

use crate::question::{
    dimension::Attribute,
    refusal::{Refusal, joined},
};

/// The maximum number of filters of one question.
const MAX_FILTERS: usize = 20;
/// The maximum number of values of one `in`.
const MAX_VALUES: usize = 100;
/// The maximum length of a value, in characters.
const MAX_VALUE_CHARS: usize = 512;

/// A condition that playbacks must meet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Filter {
    /// The attribute is one of the values, or none of them. The empty text is an unknown value.
    Attribute {
        attribute: Attribute,
        is_in: bool,
        values: Vec<String>,
    },
    /// The comparison holds. It never holds for an unknown number.
    Number {
        column: &'static str,
        comparison: &'static str,
        value: i64,
    },
}

/// The columns of `playbacks` that are number fields.
const NUMBERS: [&str; 12] = [
    "played_ms",
    "unique_ms",
    "startup_ms",
    "stalled_ms",
    "paused_ms",
    "track_duration_ms",
    "max_position_ms",
    "event_count",
    "pause_count",
    "stall_count",
    "seek_count",
    "failure_count",
];

/// No operator comes before a longer one that begins with it.
const COMPARISONS: [&str; 6] = ["==", "!=", "<=", ">=", "<", ">"];

/// Reads filters joined by `;`.
///
/// # Errors
/// The first invalid filter, and what is allowed.
pub(crate) fn read(text: &str) -> Result<Vec<Filter>, Refusal> {
    let parts = split(text, ';').ok_or_else(|| refusal("unterminated JSON string"))?;
    if parts.len() > MAX_FILTERS {
        return Err(refusal(&format!(
            "{} filters, at most {MAX_FILTERS} are allowed",
            parts.len()
        )));
    }
    parts.into_iter().map(condition).collect()
}

fn refusal(detail: &str) -> Refusal {
    Refusal {
        detail: detail.to_owned(),
        allowed: format!(
            "filters joined by ;, each a text field ({}) with ==, != or in, or a number field ({}) with ==, !=, <, <=, > or >=; \
             for example country==DE;track in t1,t2;played_ms>=30000. null is an unknown text. A text that contains ; , or \" is \
             written as a JSON string",
            joined(Attribute::names()),
            NUMBERS.join(", "),
        ),
    }
}

fn condition(text: &str) -> Result<Filter, Refusal> {
    let text = text.trim();
    let shown: String = text.chars().take(60).collect();
    let name_end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(name_end);
    let rest = rest.trim_start();
    let (operator, values) =
        operator(rest).ok_or_else(|| refusal(&format!("no operator in {shown:?}")))?;
    let number = NUMBERS.into_iter().find(|number| *number == name);
    let field = Attribute::ALL
        .into_iter()
        .find(|field| field.name() == name || field.column() == name);
    match (field, number) {
        (Some(field), _) => of_text(field, operator, values, &shown),
        (None, Some(column)) => of_number(column, operator, values, &shown),
        (None, None) => Err(refusal(&format!("unknown field {name:?} in {shown:?}"))),
    }
}

fn operator(text: &str) -> Option<(&'static str, &str)> {
    let list = text
        .strip_prefix("in")
        .filter(|rest| rest.starts_with([' ', '\t', '"']))
        .map(|rest| ("in", rest));
    list.or_else(|| {
        COMPARISONS
            .into_iter()
            .find_map(|operator| Some((operator, text.strip_prefix(operator)?)))
    })
}

fn of_text(
    attribute: Attribute,
    operator: &str,
    values: &str,
    shown: &str,
) -> Result<Filter, Refusal> {
    let is_in = match operator {
        "==" | "in" => true,
        "!=" => false,
        _ => {
            let detail = format!("operator {operator} for a text in {shown:?}");
            return Err(refusal(&detail));
        }
    };
    let values = split(values, ',').unwrap_or_default();
    if values.len() > MAX_VALUES || (operator != "in" && values.len() > 1) {
        let detail = format!("{} values in {shown:?}", values.len());
        return Err(refusal(&detail));
    }
    let values = values.into_iter().map(|text| value(text, shown));
    Ok(Filter::Attribute {
        attribute,
        is_in,
        values: values.collect::<Result<_, _>>()?,
    })
}

/// A bare text, a JSON string, or `null` for unknown.
fn value(text: &str, shown: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let value = if text.starts_with('"') {
        serde_json::from_str(text)
            .map_err(|_| refusal(&format!("invalid JSON string in {shown:?}")))?
    } else if text == "null" {
        return Ok(String::new());
    } else {
        text.to_owned()
    };
    if value.is_empty()
        || value.chars().count() > MAX_VALUE_CHARS
        || value.contains(char::is_control)
    {
        let detail =
            format!("a value in {shown:?} is not 1 to {MAX_VALUE_CHARS} visible characters");
        return Err(refusal(&detail));
    }
    Ok(value)
}

fn of_number(
    column: &'static str,
    operator: &'static str,
    value: &str,
    shown: &str,
) -> Result<Filter, Refusal> {
    let value = value.trim().parse::<i64>().ok().filter(|value| *value >= 0);
    let comparison = match operator {
        "in" => None,
        "==" => Some("="),
        other => Some(other),
    };
    match (comparison, value) {
        (Some(comparison), Some(value)) => Ok(Filter::Number {
            column,
            comparison,
            value,
        }),
        (None, _) => Err(refusal(&format!("a list of numbers in {shown:?}"))),
        (_, None) => Err(refusal(&format!("no integer of at least 0 in {shown:?}"))),
    }
}

/// Splits at `at` outside of JSON strings; `None` if a string is not terminated.
fn split(text: &str, at: char) -> Option<Vec<&str>> {
    let (mut parts, mut begin, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (position, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if c == at && !quoted => {
                parts.push(&text[begin..position]);
                begin = position + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    (!quoted).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(attribute: Attribute, is_in: bool, values: &[&str]) -> Filter {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Filter::Attribute {
            attribute,
            is_in,
            values,
        }
    }

    #[test]
    fn filters_are_read_with_their_values() {
        let filters = read(r#"country==DE; track in t1, "a;b,\"c" ;plan!=null;played_ms>=30000"#);
        let number = Filter::Number {
            column: "played_ms",
            comparison: ">=",
            value: 30_000,
        };
        let expected = vec![
            text(Attribute::Country, true, &["DE"]),
            text(Attribute::Track, true, &["t1", "a;b,\"c"]),
            text(Attribute::Plan, false, &[""]),
            number,
        ];
        assert_eq!(filters, Ok(expected));
        assert_eq!(
            read("user_id==in"),
            Ok(vec![text(Attribute::User, true, &["in"])])
        );
    }

    #[test]
    fn an_invalid_filter_is_refused_with_the_reason() {
        for (bad, reason) in [
            ("", "no operator"),
            ("country", "no operator"),
            ("colour==red", "unknown field \"colour\""),
            ("country<DE", "operator < for a text"),
            ("country==DE,AT", "2 values"),
            ("country==", "not 1 to 512 visible characters"),
            ("country==\"DE", "unterminated JSON string"),
            ("country==\"DE\"x", "invalid JSON string"),
            ("played_ms>=x", "no integer"),
            ("played_ms>=-1", "no integer"),
            ("played_ms in 1,2", "a list of numbers"),
            ("country==a\0b", "visible characters"),
        ] {
            let refusal = read(bad).unwrap_err();
            assert!(refusal.detail.contains(reason), "{bad}: {}", refusal.detail);
        }
        let long = format!("track=={}", "x".repeat(5_000));
        assert!(read(&long).unwrap_err().detail.len() < 300);
        assert!(read(&["plan==a"; 21].join(";")).is_err());
    }
}
