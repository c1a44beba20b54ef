//! Reads counters from the text of `/metrics` (Prometheus' exposition format 0.0.4).

/// The sum of a counter or a histogram's `…_count` over all labels; 0 if it is absent.
pub(crate) fn sum(text: &str, name: &str) -> u64 {
    let samples = text.lines().filter_map(|line| line.rsplit_once(' '));
    let named = samples.filter(|(series, _)| series.split('{').next() == Some(name));
    named
        .filter_map(|(_, value)| value.parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# HELP taken records taken from the log
# TYPE taken counter
taken{topic=\"a b\",group=\"g\"} 41
taken{topic=\"c\",group=\"g\"} 1
taken_total 7

# TYPE insert_seconds histogram
insert_seconds_bucket{le=\"0.5\"} 3
insert_seconds_count 4
";

    #[test]
    fn a_sum_has_all_labels_of_one_name_only() {
        assert_eq!(sum(TEXT, "taken"), 42);
        assert_eq!(sum(TEXT, "insert_seconds_count"), 4);
        assert_eq!(sum(TEXT, "absent"), 0);
    }
}
