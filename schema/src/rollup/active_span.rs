//! When playbacks are active, and how many are active at the same time.

use crate::playback::Playback;
use crate::time::Timestamp;

/// The span in which a playback is active: from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveSpan {
    /// The first instant.
    pub first: Timestamp,
    /// The last instant.
    pub last: Timestamp,
}

impl ActiveSpan {
    /// The span from the playback's first event to its last.
    pub fn of(playback: &Playback) -> Self {
        Self {
            first: playback.aggregate.first_event_at,
            last: playback.aggregate.last_event_at,
        }
    }
}

/// The maximum number of spans that contain one instant.
pub fn peak_concurrent(spans: impl IntoIterator<Item = ActiveSpan>) -> u64 {
    // At one instant, ends are applied before starts: −1 sorts before 1.
    let mut steps: Vec<(i64, i64)> = spans
        .into_iter()
        .flat_map(|ActiveSpan { first, last }| [(first.as_millis(), 1), (last.as_millis() + 1, -1)])
        .collect();
    steps.sort_unstable();
    let mut active: i64 = 0;
    let mut peak = 0;
    for (_, step) in steps {
        active += step;
        peak = peak.max(active);
    }
    peak.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peak(spans: &[(i64, i64)]) -> u64 {
        peak_concurrent(spans.iter().map(|&(first, last)| ActiveSpan {
            first: Timestamp::from_millis(first).unwrap(),
            last: Timestamp::from_millis(last).unwrap(),
        }))
    }

    #[test]
    fn without_spans_the_peak_is_zero_and_a_single_event_is_one() {
        assert_eq!(peak(&[]), 0);
        assert_eq!(peak(&[(5, 5)]), 1);
    }

    #[test]
    fn a_span_that_ends_when_another_starts_overlaps_it() {
        assert_eq!(peak(&[(0, 10), (10, 20)]), 2);
        assert_eq!(peak(&[(0, 10), (11, 20)]), 1);
    }

    #[test]
    fn the_peak_counts_spans_at_one_instant_not_all_that_overlap() {
        assert_eq!(peak(&[(0, 100), (10, 20), (30, 40), (35, 50), (60, 70)]), 3);
    }
}
