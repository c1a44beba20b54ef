//! The start of a report's page: after the row whose sort values the cursor carries. Nulls come last, as in the order.

use super::{Scope, kind};
use crate::{
    question::{KeyValue, Report, SortKey},
    sql::tabular::Kind,
};

/// The HAVING of every page but the first.
pub(super) fn after(report: &Report, scope: &mut Scope) -> String {
    let Some(start) = &report.start else {
        return String::new();
    };
    let (mut alternatives, mut equal) = (Vec::new(), Vec::new());
    for (number, (key, value)) in report.sort.iter().zip(&start.0).enumerate() {
        let Some(at) = report.position(key.by) else {
            continue;
        };
        let (beyond, same) = compared(*key, value, at, format!("k{number}"), scope);
        let alternative: Vec<_> = equal.iter().cloned().chain(beyond).collect();
        if alternative.len() > equal.len() {
            alternatives.push(format!("({})", alternative.join(" AND ")));
        }
        equal.push(same);
    }
    if alternatives.is_empty() {
        return "HAVING 0\n".to_owned();
    }
    format!("HAVING {}\n", alternatives.join("\n    OR "))
}

/// Two conditions on one sort key: that a row comes after the value, if any can, and that it has the same value.
fn compared(
    key: SortKey,
    value: &KeyValue,
    at: usize,
    name: String,
    scope: &mut Scope,
) -> (Option<String>, String) {
    let sign = if key.descending { '<' } else { '>' };
    let is_text = kind(key.by) == Kind::Text;
    let unknown = if is_text {
        format!("empty(c{at})")
    } else {
        format!("isNull(c{at})")
    };
    let bound = match value {
        KeyValue::Unknown => return (None, unknown),
        KeyValue::Integer(number) => {
            let parameter = format!("{{{name}:Int64}}");
            scope.bind(name, *number);
            parameter
        }
        KeyValue::Number(bits) => {
            let parameter = format!("reinterpretAsFloat64({{{name}:Int64}})");
            scope.bind(name, bits.cast_signed());
            parameter
        }
        KeyValue::Text(text) => {
            let parameter = format!("{{{name}:String}}");
            scope.bind(name, text.as_str());
            parameter
        }
    };
    (
        Some(format!("({unknown} OR c{at} {sign} {bound})")),
        format!("(NOT {unknown} AND c{at} = {bound})"),
    )
}
