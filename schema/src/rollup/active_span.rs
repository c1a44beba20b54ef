//! How many playbacks there were at once.

use crate::playback::Playback;
use crate::time::Timestamp;

/// When a playback is there: from the first of these instants to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveSpan {
    /// The first instant.
    pub first: Timestamp,
    /// The last instant.
    pub last: Timestamp,
}

impl ActiveSpan {
    /// From the playback's first event to its last.
    pub fn of(playback: &Playback) -> Self {
        Self {
            first: playback.aggregate.first_event_at,
            last: playback.aggregate.last_event_at,
        }
    }
}

/// The most that are there at one instant.
pub fn peak_concurrent(presences: impl IntoIterator<Item = ActiveSpan>) -> u64 {
    // At one instant those that left before it go first: −1 sorts before 1.
    let mut steps: Vec<(i64, i64)> = presences
        .into_iter()
        .flat_map(|ActiveSpan { first, last }| [(first.as_millis(), 1), (last.as_millis() + 1, -1)])
        .collect();
    steps.sort_unstable();
    let mut there: i64 = 0;
    let mut peak = 0;
    for (_, step) in steps {
        there += step;
        peak = peak.max(there);
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
    fn nobody_there_is_none_and_a_single_event_is_one() {
        assert_eq!(peak(&[]), 0);
        assert_eq!(peak(&[(5, 5)]), 1);
    }

    #[test]
    fn who_leaves_at_the_instant_another_comes_is_there_with_it() {
        assert_eq!(peak(&[(0, 10), (10, 20)]), 2);
        assert_eq!(peak(&[(0, 10), (11, 20)]), 1);
    }

    #[test]
    fn the_peak_is_no_count_of_those_who_ever_met() {
        assert_eq!(peak(&[(0, 100), (10, 20), (30, 40), (35, 50), (60, 70)]), 3);
    }
}
