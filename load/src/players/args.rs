//! The options of `ess-load players`, and what they make of a run.

use clap::Parser;
use ess_schema::{TestId, Timestamp};
use reqwest::Url;

use crate::clock::hour_before;
use crate::facts::shape::Shape;
use crate::simulate::SimulatorConfig;

/// A request's limit at the command-api (DESIGN §5).
const MOST_ITEMS: usize = 10_000;
const MOST_LANES: usize = 4_096;

/// Simulate players.
#[derive(Debug, Parser)]
#[command(args_override_self = true)]
pub(crate) struct Args {
    /// How many playbacks.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) playbacks: u64,
    /// What all chance comes from: the same seed and start give the same facts, byte for byte.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// When the first playback begins (RFC 3339). By default 59 minutes ago, cut to the minute, so that every fact lies
    /// within the last hour.
    #[arg(long, value_name = "RFC3339", value_parser = Timestamp::parse_rfc3339)]
    pub(crate) start: Option<Timestamp>,
    /// Events a second, whatever the answers do; by default as fast as the receiver takes them.
    #[arg(long, value_name = "EVENTS_PER_S", value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// Marks every event as one of this test.
    #[arg(long, value_name = "ID")]
    pub(crate) test_id: Option<TestId>,
    /// The command-api to send to.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8000", value_parser = http_url)]
    pub(crate) url: Url,
    /// How events are written.
    #[arg(long, value_enum, default_value_t = Shape::Command)]
    pub(crate) shape: Shape,
    /// Send straight into Kafka instead: bootstrap servers.
    #[arg(long, value_name = "BROKERS", conflicts_with_all = ["url", "shape"])]
    pub(crate) kafka: Option<String>,
    /// The topic in Kafka.
    #[arg(long, default_value = "playback-events", requires = "kafka")]
    pub(crate) topic: String,
    /// Events a request, at most; several are sent as NDJSON. By default 1, into Kafka 500.
    #[arg(long, value_name = "K", value_parser = |text: &str| count(text, MOST_ITEMS))]
    batch: Option<usize>,
    /// Requests under way at once. By default 32, into Kafka 8.
    #[arg(long, value_name = "C", value_parser = |text: &str| count(text, MOST_LANES))]
    concurrency: Option<usize>,
}

impl Args {
    /// Events a request.
    pub(crate) fn batch(&self) -> usize {
        let default = if self.kafka.is_some() { 500 } else { 1 };
        self.batch.unwrap_or(default)
    }

    /// Requests under way, and so lanes.
    pub(crate) fn concurrency(&self) -> usize {
        let default = if self.kafka.is_some() { 8 } else { 32 };
        self.concurrency.unwrap_or(default)
    }

    /// What is simulated, `now` being the time on the clock.
    pub(crate) fn simulator(&self, now: Timestamp) -> SimulatorConfig {
        let start = self.start.unwrap_or_else(|| hour_before(now));
        SimulatorConfig {
            test_id: self.test_id.clone(),
            ..SimulatorConfig::new(self.seed, self.playbacks, start)
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "is not a number".to_owned())?;
    let is_possible = (0.001..=10_000_000.0).contains(&rate);
    let refused = || "must lie between 0.001 and 10,000,000 events a second".to_owned();
    is_possible.then_some(rate).ok_or_else(refused)
}

fn http_url(text: &str) -> Result<Url, String> {
    let url: Url = text
        .parse()
        .map_err(|error| format!("is no URL: {error}"))?;
    match (url.scheme(), url.query(), url.fragment()) {
        ("http", None, None) => Ok(url),
        ("http", ..) => Err("must end with the path".to_owned()),
        _ => Err("must begin with http://".to_owned()),
    }
}

/// At least one, and no more than `most`.
fn count(text: &str, most: usize) -> Result<usize, String> {
    let refused = || format!("must be a whole number from 1 to {most}");
    let count = text.parse().ok().filter(|count| (1..=most).contains(count));
    count.ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::Simulator;

    fn args(line: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(line.split(' '))
    }

    #[test]
    fn by_default_every_fact_lies_within_the_last_hour() {
        let args = args("players --playbacks 2000").unwrap();
        let now = Timestamp::parse_rfc3339("2026-11-23T10:17:59.999Z").unwrap();
        let config = args.simulator(now);
        assert_eq!(config.start.to_string(), "2026-11-23T09:18:00.000Z");
        let facts = Simulator::new(config).flat_map(|playback| playback.facts);
        let hour_ago = now.plus_millis(-3_600_000);
        for event in facts {
            assert!((hour_ago..=now).contains(&event.occurred_at), "{event:?}");
        }
    }

    #[test]
    fn a_batch_is_as_large_as_the_way_bears_unless_told() {
        let http = args("players").unwrap();
        assert_eq!((http.batch(), http.concurrency()), (1, 32));
        let kafka = args("players --kafka 127.0.0.1:9092").unwrap();
        assert_eq!((kafka.batch(), kafka.concurrency()), (500, 8));
        let told = args("players --batch 20 --concurrency 3").unwrap();
        assert_eq!((told.batch(), told.concurrency()), (20, 3));
    }

    #[test]
    fn options_that_make_no_sense_are_refused() {
        for options in [
            "--rate 0",
            "--rate -1",
            "--rate NaN",
            "--batch 0",
            "--batch 10001",
            "--concurrency 0",
            "--start yesterday",
            "--url https://127.0.0.1",
            "--url http://127.0.0.1?a=b",
            "--topic t",
            "--kafka 127.0.0.1:9092 --url http://127.0.0.1:8000",
            "--kafka 127.0.0.1:9092 --shape mixed",
            "--test-id \u{7}",
        ] {
            let line = format!("players {options}");
            assert!(args(&line).is_err(), "{options}");
        }
    }
}
