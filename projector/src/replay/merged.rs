//! How a column of merging states is read, by its type alone. Pure.

/// The SQL of a column's merged value; none: it is no state.
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
        // A set has no order of its own, nor have events that arrive in any.
        format!("arraySort({value})")
    } else {
        value
    })
}

/// A state whose format has changed once bears the format's version before its function.
fn without_version(list: &str) -> &str {
    match list.split_once(", ") {
        Some((version, rest)) if version.chars().all(|c| c.is_ascii_digit()) => rest,
        _ => list,
    }
}

/// Up to the first comma that is not inside brackets, or to the end of the list.
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
    fn each_kind_of_state_is_merged_in_its_own_way() {
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
