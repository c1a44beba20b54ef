//! Where a page of a report begins: past the row whose sort values a caller carries. Unknown values come last, as they are sorted.

use super::{Scope, kind};
use crate::{
    question::{KeyValue, Report, SortKey},
    sql::tabular::Kind,
};

/// Names of bound values: as many as a report can have sort keys, which are its columns.
const NAMES: [&str; 19] = [
    "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "k9", "k10", "k11", "k12", "k13", "k14",
    "k15", "k16", "k17", "k18",
];

/// The HAVING of a page that does not begin at the top.
pub(super) fn after(report: &Report, scope: &mut Scope) -> String {
    let Some(start) = &report.start else {
        return String::new();
    };
    let (mut alternatives, mut equal) = (Vec::new(), Vec::new());
    for ((key, value), name) in report.sort.iter().zip(&start.0).zip(NAMES) {
        let Some(at) = report.position(key.by) else {
            continue;
        };
        let (beyond, same) = compared(*key, value, at, name, scope);
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

/// The conditions that a row lies beyond a value in one key, if any does, and that it has the same value.
fn compared(
    key: SortKey,
    value: &KeyValue,
    at: usize,
    name: &'static str,
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
            scope.bind(name, *number);
            format!("{{{name}:Int64}}")
        }
        KeyValue::Number(bits) => {
            scope.bind(name, bits.cast_signed());
            format!("reinterpretAsFloat64({{{name}:Int64}})")
        }
        KeyValue::Text(text) => {
            scope.bind(name, text.as_str());
            format!("{{{name}:String}}")
        }
    };
    (
        Some(format!("({unknown} OR c{at} {sign} {bound})")),
        format!("(NOT {unknown} AND c{at} = {bound})"),
    )
}
