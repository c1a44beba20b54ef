//! The results by name and number of clients, with all rounds, and ratios between them.

use serde::Serialize;

use crate::http::latencies::Latencies;
use crate::median::median;

/// The rounds of one measurement.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    pub(super) name: String,
    pub(super) clients: u64,
    pub(super) rounds: Vec<Latencies>,
}

impl Measured {
    /// The median of its rounds.
    pub(super) fn median(&self, value: impl Fn(&Latencies) -> f64) -> Option<f64> {
        median(self.rounds.iter().map(value))
    }
}

/// All measurements, in the order of their first round.
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

    /// The median of the measurement with this name.
    pub(super) fn median(
        &self,
        name: &str,
        clients: u64,
        value: impl Fn(&Latencies) -> f64,
    ) -> Option<f64> {
        self.of(name, clients)?.median(value)
    }

    /// The median of the ratios of each round, whose sides were measured right after each other.
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
        assert_eq!(results.median("thing", 1, |round| round.p99), Some(16.0));
        assert_eq!(results.median("thing", 8, |round| round.p99), None);
    }
}
