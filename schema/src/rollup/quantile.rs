//! Exact quantiles of whole numbers.

/// The quantile at `level` (0 to 1) by linear interpolation of the order statistics around (n − 1) × level: definition 7 of Hyndman
/// and Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50 (1996), which R uses by default and ClickHouse
/// calls `quantileExactInclusive`. `None` without values.
pub fn quantile(values: impl IntoIterator<Item = u64>, level: f64) -> Option<f64> {
    let mut sorted: Vec<u64> = values.into_iter().collect();
    sorted.sort_unstable();
    let last = sorted.len().checked_sub(1)?;
    let rank = last as f64 * level;
    let below = (rank.floor() as usize).min(last);
    let above = (below + 1).min(last);
    let (low, high) = (sorted[below] as f64, sorted[above] as f64);
    Some(low + (rank - below as f64) * (high - low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_values_there_is_none_and_a_single_value_is_every_quantile() {
        assert_eq!(quantile([], 0.5), None);
        for level in [0.0, 0.5, 0.95, 1.0] {
            assert_eq!(quantile([7], level), Some(7.0));
        }
    }

    #[test]
    fn the_median_of_an_odd_number_is_the_middle_one() {
        assert_eq!(quantile([30, 10, 20], 0.5), Some(20.0));
    }

    #[test]
    fn the_median_of_an_even_number_lies_half_way_between_the_middle_two() {
        assert_eq!(quantile([40, 10, 20, 31], 0.5), Some(25.5));
    }

    #[test]
    fn a_quantile_between_two_values_is_interpolated() {
        // (5 − 1) × 0.95 = 3.8: between the fourth and the fifth.
        let p95 = quantile([10, 20, 30, 40, 100], 0.95).unwrap();
        assert!((p95 - 88.0).abs() < 1e-9, "{p95}");
        assert_eq!(quantile([10, 20, 30, 40, 100], 0.25), Some(20.0));
        assert_eq!(quantile([10, 20, 30, 40, 100], 1.0), Some(100.0));
    }

    #[test]
    fn a_value_counts_as_often_as_it_occurs() {
        assert_eq!(quantile([5, 5, 5, 9], 0.5), Some(5.0));
    }
}
