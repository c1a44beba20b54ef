//! When each fact is due. An open-loop schedule: it follows from the rate and the begin alone, so that a slow answer
//! delays nothing but itself, and is counted with what it delays (no coordinated omission).

use std::time::Duration;

use tokio::time::Instant;

/// When facts are due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    begin: Instant,
    /// Facts a second; none for as fast as possible.
    rate: Option<f64>,
}

impl Schedule {
    pub(crate) fn new(begin: Instant, rate: Option<f64>) -> Self {
        Self { begin, rate }
    }

    /// When fact number `number`, from 0, is due; none when nothing but the receiver sets the pace.
    pub(crate) fn due(&self, number: u64) -> Option<Instant> {
        let seconds = number as f64 / self.rate?;
        Some(self.begin + Duration::from_secs_f64(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_due_at_the_rate_whatever_happened_to_those_before() {
        let begin = Instant::now();
        let schedule = Schedule::new(begin, Some(400.0));
        assert_eq!(schedule.due(0), Some(begin));
        assert_eq!(schedule.due(1), Some(begin + Duration::from_micros(2_500)));
        assert_eq!(schedule.due(4_000), Some(begin + Duration::from_secs(10)));
        assert_eq!(Schedule::new(begin, None).due(7), None);
    }
}
