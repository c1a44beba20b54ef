//! What was measured, by what it is called and how many clients asked, round by round; and ratios of two of them.

use serde::Serialize;

use crate::http::latencies::Latencies;
use crate::median::median;

/// One thing that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    pub(super) name: String,
    pub(super) clients: u64,
    pub(super) rounds: Vec<Latencies>,
}

impl Measured {
    /// The middle of its rounds.
    pub(super) fn middle(&self, value: impl Fn(&Latencies) -> f64) -> Option<f64> {
        median(self.rounds.iter().map(value))
    }
}

/// Everything that was measured, in the order in which it was measured first.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Results(pub(super) Vec<Measured>);

impl Results {
    /// Adds a round.
    pub(super) fn add(&mut self, name: &str, clients: u64, latencies: Latencies) {
        let found = self
            .0
            .iter_mut()
            .find(|known| known.name == name && known.clients == clients);
        match found {
            Some(known) => known.rounds.push(latencies),
            None => self.0.push(Measured {
                name: name.to_owned(),
                clients,
                rounds: vec![latencies],
            }),
        }
    }

    /// The middle of what was measured under this name.
    pub(super) fn middle(
        &self,
        name: &str,
        clients: u64,
        value: impl Fn(&Latencies) -> f64,
    ) -> Option<f64> {
        self.of(name, clients)?.middle(value)
    }

    /// The middle of the ratios of each round: both sides of one were measured right after each other.
    pub(super) fn ratio(
        &self,
        (name, clients): (&str, u64),
        (to, to_clients): (&str, u64),
        value: impl Fn(&Latencies) -> f64,
    ) -> Option<f64> {
        let (thing, yardstick) = (self.of(name, clients)?, self.of(to, to_clients)?);
        let rounds = thing.rounds.iter().zip(&yardstick.rounds);
        median(rounds.map(|(thing, yardstick)| value(thing) / value(yardstick)))
    }

    fn of(&self, name: &str, clients: u64) -> Option<&Measured> {
        let mut all = self.0.iter();
        all.find(|known| known.name == name && known.clients == clients)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(p50: f64) -> Latencies {
        Latencies {
            requests: 1,
            p50,
            p99: 2.0 * p50,
            rate: 1.0,
            cost: None,
        }
    }

    #[test]
    fn a_ratio_is_of_the_same_round() {
        let mut results = Results::default();
        for (thing, yardstick) in [(4.0, 2.0), (90.0, 30.0), (8.0, 2.0)] {
            results.add("thing", 1, round(thing));
            results.add("yardstick", 8, round(yardstick));
        }
        let ratio = results.ratio(("thing", 1), ("yardstick", 8), |round| round.p50);
        assert_eq!(ratio, Some(3.0));
        assert_eq!(results.middle("thing", 1, |round| round.p99), Some(16.0));
        assert_eq!(results.middle("thing", 8, |round| round.p99), None);
    }
}
