//! Medians and quantiles. With few rounds the median is the only figure that one disturbed round does not change; a mean or a
//! deviation would suggest more precision than there is.

/// The median; the mean of the middle two of an even number; `None` without values.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted.len().checked_sub(1)? / 2, sorted.len() / 2);
    Some(f64::midpoint(sorted[low], sorted[high]))
}

/// The value at `level` (0 to 1) of sorted values, rounded down like ClickHouse's `quantileExact`; the default without values.
pub(crate) fn quantile<T: Copy + Default>(sorted: &[T], level: f64) -> T {
    let index = (level * sorted.len() as f64) as usize;
    let last = sorted.len().saturating_sub(1);
    sorted.get(index.min(last)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_disturbed_round_does_not_change_the_median() {
        assert_eq!(median([302.0, 9.0, 300.0]), Some(300.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([7.0]), Some(7.0));
        assert_eq!(median([]), None);
    }
}
