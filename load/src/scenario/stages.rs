//! The level of a run over time: users, or requests per second. It changes linearly within a stage, as in k6's ramping executors.
//! Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::HumanDuration;

/// A stage: within its duration the level changes linearly to that of the stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// `0s` is a step.
    #[serde(rename = "for")]
    pub duration: HumanDuration,
    /// Users at its end, in the closed model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<f64>,
    /// Requests per second at its end, in the open model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
}

impl Stage {
    /// Users, or requests per second.
    pub fn level(&self) -> f64 {
        self.users.or(self.rate).unwrap_or_default()
    }
}

/// All stages.
#[derive(Debug, Clone)]
pub struct Stages(Vec<Piece>);

#[derive(Debug, Clone, Copy)]
struct Piece {
    /// Seconds.
    start_s: f64,
    duration_s: f64,
    from: f64,
    to: f64,
    /// Requests that are due before it.
    before: f64,
}

impl Stages {
    /// Begins at the level `start`, or at that of the first stage.
    pub fn new(start: Option<f64>, stages: &[Stage]) -> Self {
        let first = stages.first().map_or(0.0, Stage::level);
        let (mut start_s, mut from, mut before) = (0.0, start.unwrap_or(first), 0.0);
        let mut pieces = Vec::with_capacity(stages.len());
        for stage in stages {
            let (duration_s, to) = (stage.duration.0.as_secs_f64(), stage.level());
            pieces.push(Piece {
                start_s,
                duration_s,
                from,
                to,
                before,
            });
            before += duration_s * f64::midpoint(from, to);
            start_s += duration_s;
            from = to;
        }
        Self(pieces)
    }

    /// How long all stages take together.
    pub fn duration(&self) -> Duration {
        let seconds = self
            .0
            .last()
            .map_or(0.0, |last| last.start_s + last.duration_s);
        Duration::from_secs_f64(seconds)
    }

    /// The level at this time after the start. None after the last stage.
    pub fn level(&self, after: Duration) -> Option<f64> {
        let after = after.as_secs_f64();
        let piece = self.0.iter().find(|p| after < p.start_s + p.duration_s)?;
        let share = (after - piece.start_s) / piece.duration_s;
        Some(piece.from + (piece.to - piece.from) * share)
    }

    /// The highest level.
    pub fn max_level(&self) -> f64 {
        let levels = self.0.iter().flat_map(|piece| [piece.from, piece.to]);
        levels.fold(0.0, f64::max)
    }

    /// The total number of requests, where the level is requests per second.
    pub fn count(&self) -> u64 {
        let last = self.0.last();
        last.map_or(0.0, |p| {
            p.before + p.duration_s * f64::midpoint(p.from, p.to)
        }) as u64
    }

    /// When request `number`, from 0, is due after the start. None beyond the total.
    pub fn due(&self, number: u64) -> Option<Duration> {
        let number = number as f64;
        let end = |p: &Piece| p.before + p.duration_s * f64::midpoint(p.from, p.to);
        let piece = self.0.iter().find(|piece| number < end(piece))?;
        let seconds = piece.start_s + piece.seconds_until(number - piece.before);
        Some(Duration::from_secs_f64(seconds))
    }
}

impl Piece {
    /// After how many seconds of the piece `count` requests are due. The level is the slope of the count, so this solves a
    /// quadratic equation.
    fn seconds_until(self, count: f64) -> f64 {
        if count <= 0.0 {
            return 0.0;
        }
        let slope = (self.to - self.from) / self.duration_s;
        if slope.abs() < 1e-9 {
            return count / self.from;
        }
        // This form does not subtract nearly equal numbers.
        let root = (self.from * self.from + 2.0 * slope * count)
            .max(0.0)
            .sqrt();
        2.0 * count / (self.from + root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stages(start: Option<f64>, pieces: &[(u64, f64)]) -> Stages {
        let stage = |(seconds, level): &(u64, f64)| Stage {
            duration: HumanDuration::seconds(*seconds),
            users: None,
            rate: Some(*level),
        };
        Stages::new(start, &pieces.iter().map(stage).collect::<Vec<_>>())
    }

    #[test]
    fn a_constant_rate_is_evenly_spaced() {
        let stages = stages(None, &[(10, 400.0)]);
        assert_eq!(stages.count(), 4_000);
        assert_eq!(stages.due(0), Some(Duration::ZERO));
        assert_eq!(stages.due(1), Some(Duration::from_micros(2_500)));
        assert_eq!(stages.due(4_000), None);
        assert_eq!(stages.duration(), Duration::from_secs(10));
    }

    #[test]
    fn requests_on_a_ramp_come_closer_together_and_none_is_skipped_between_stages() {
        let stages = stages(Some(0.0), &[(10, 100.0), (0, 10.0), (10, 10.0)]);
        assert_eq!(stages.count(), 600);
        // A quarter of the ramp's 500 are due in its first half.
        let half = stages.due(125).unwrap().as_secs_f64();
        assert!((half - 5.0).abs() < 1e-6, "{half}");
        let after_the_step = stages.due(500).unwrap().as_secs_f64();
        assert!((after_the_step - 10.0).abs() < 1e-6, "{after_the_step}");
        let due: Vec<_> = (0..600).map(|n| stages.due(n).unwrap()).collect();
        assert!(due.is_sorted());
    }

    #[test]
    fn the_level_changes_linearly_and_ends() {
        let stages = stages(Some(1.0), &[(60, 1_500.0), (90, 2_500.0)]);
        let at = |seconds| stages.level(Duration::from_secs(seconds));
        assert_eq!(at(0), Some(1.0));
        assert_eq!(at(60), Some(1_500.0));
        assert_eq!(at(105), Some(2_000.0));
        assert_eq!(at(150), None);
        assert!((stages.max_level() - 2_500.0).abs() < 1e-9);
    }
}
