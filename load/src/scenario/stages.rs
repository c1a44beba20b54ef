//! How many users there are, or how many requests are due a second, at any moment: from stage to stage the level goes in a
//! straight line, as k6's ramping executors have it. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Span;

/// A piece of the way: within `lasts` the level goes to this one, in a straight line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// How long it takes; `0s` is a step.
    #[serde(rename = "for")]
    pub lasts: Span,
    /// Users at its end, in the closed model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<f64>,
    /// Requests a second at its end, in the open model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
}

impl Stage {
    /// Users or requests a second.
    pub fn level(&self) -> f64 {
        self.users.or(self.rate).unwrap_or_default()
    }
}

/// The whole way.
#[derive(Debug, Clone)]
pub struct Stages(Vec<Piece>);

#[derive(Debug, Clone, Copy)]
struct Piece {
    /// Seconds.
    begins: f64,
    lasts: f64,
    from: f64,
    to: f64,
    /// Requests due before it.
    before: f64,
}

impl Stages {
    /// From `start`, else from the first stage's own level.
    pub fn new(start: Option<f64>, stages: &[Stage]) -> Self {
        let first = stages.first().map_or(0.0, Stage::level);
        let (mut begins, mut from, mut before) = (0.0, start.unwrap_or(first), 0.0);
        let mut pieces = Vec::with_capacity(stages.len());
        for stage in stages {
            let (lasts, to) = (stage.lasts.0.as_secs_f64(), stage.level());
            pieces.push(Piece {
                begins,
                lasts,
                from,
                to,
                before,
            });
            before += lasts * f64::midpoint(from, to);
            begins += lasts;
            from = to;
        }
        Self(pieces)
    }

    /// How long it takes.
    pub fn lasts(&self) -> Duration {
        let seconds = self.0.last().map_or(0.0, |last| last.begins + last.lasts);
        Duration::from_secs_f64(seconds)
    }

    /// The level so long after the begin; none once it is over.
    pub fn level(&self, after: Duration) -> Option<f64> {
        let after = after.as_secs_f64();
        let piece = self.0.iter().find(|p| after < p.begins + p.lasts)?;
        let share = (after - piece.begins) / piece.lasts;
        Some(piece.from + (piece.to - piece.from) * share)
    }

    /// The highest level.
    pub fn most(&self) -> f64 {
        let levels = self.0.iter().flat_map(|piece| [piece.from, piece.to]);
        levels.fold(0.0, f64::max)
    }

    /// How many requests are due in all, the level being requests a second.
    pub fn count(&self) -> u64 {
        let last = self.0.last();
        last.map_or(0.0, |p| p.before + p.lasts * f64::midpoint(p.from, p.to)) as u64
    }

    /// When request `number`, from 0, is due after the begin; none when it never is.
    pub fn due(&self, number: u64) -> Option<Duration> {
        let number = number as f64;
        let end = |p: &Piece| p.before + p.lasts * f64::midpoint(p.from, p.to);
        let piece = self.0.iter().find(|piece| number < end(piece))?;
        let seconds = piece.begins + piece.seconds_until(number - piece.before);
        Some(Duration::from_secs_f64(seconds))
    }
}

impl Piece {
    /// When so many requests were due since it began: the level is the slope of that count, so it is a quadratic equation.
    fn seconds_until(self, count: f64) -> f64 {
        if count <= 0.0 {
            return 0.0;
        }
        let slope = (self.to - self.from) / self.lasts;
        if slope.abs() < 1e-9 {
            return count / self.from;
        }
        // The form that does not subtract nearly equal numbers.
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
            lasts: Span::seconds(*seconds),
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
        assert_eq!(stages.lasts(), Duration::from_secs(10));
    }

    #[test]
    fn on_a_ramp_requests_come_closer_together_and_none_is_lost_between_stages() {
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
    fn the_level_goes_in_a_straight_line_and_ends() {
        let stages = stages(Some(1.0), &[(60, 1_500.0), (90, 2_500.0)]);
        let at = |seconds| stages.level(Duration::from_secs(seconds));
        assert_eq!(at(0), Some(1.0));
        assert_eq!(at(60), Some(1_500.0));
        assert_eq!(at(105), Some(2_000.0));
        assert_eq!(at(150), None);
        assert!((stages.most() - 2_500.0).abs() < 1e-9);
    }
}
