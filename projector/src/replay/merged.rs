//! The SQL that reads a column of aggregate states, derived from the column's type. Pure.

/// The SQL of a column's merged value; none when the column is no aggregate state.
pub(super) fn merged(column: &str, kind: &str) -> Option<String> {
    let (list, suffix) = match kind.strip_prefix("SimpleAggregateFunction(") {
        Some(list) => (list, ""),
        None => (kind.strip_prefix("AggregateFunction(")?, "Merge"),
    };
    let function = first_argument(without_version(list));
    let (name, parameters) = match function.find('(') {
        Some(at) => function.split_at(at),
        None => (function, ""),
    };
    let value = format!("{name}{suffix}{parameters}(`{column}`)");
    Some(if matches!(name, "groupUniqArray" | "groupArray") {
        // The order of a set's elements is not defined, and events arrive in any order.
        format!("arraySort({value})")
    } else {
        value
    })
}

/// A type whose format has changed has the format's version before the function.
fn without_version(list: &str) -> &str {
    match list.split_once(", ") {
        Some((version, rest)) if version.chars().all(|c| c.is_ascii_digit()) => rest,
        _ => list,
    }
}

/// The text up to the first comma outside of parentheses, or to the end of the list.
fn first_argument(list: &str) -> &str {
    let mut depth = 0_i32;
    let end = list.find(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth < 0 || (depth == 0 && c == ',')
    });
    &list[..end.unwrap_or(list.len())]
}

#[cfg(test)]
mod tests {
    use super::merged;

    #[test]
    fn each_type_of_state_has_its_merge_function() {
        for (kind, expected) in [
            ("AggregateFunction(min, String)", "minMerge(`c`)"),
            (
                "AggregateFunction(groupUniqArray, Tuple(a String, b Nullable(UInt64)))",
                "arraySort(groupUniqArrayMerge(`c`))",
            ),
            (
                "SimpleAggregateFunction(maxMap, Map(UInt64, UInt64))",
                "maxMap(`c`)",
            ),
            (
                "AggregateFunction(quantiles(0.5, 0.9), UInt64)",
                "quantilesMerge(0.5, 0.9)(`c`)",
            ),
            (
                "AggregateFunction(1, sumMap, Array(UInt8), Array(UInt8))",
                "sumMapMerge(`c`)",
            ),
            ("AggregateFunction(count)", "countMerge(`c`)"),
        ] {
            assert_eq!(merged("c", kind).as_deref(), Some(expected), "{kind}");
        }
        assert_eq!(merged("playback_id", "String"), None);
    }
}
