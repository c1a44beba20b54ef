//! The options of `ess-load players`, and the run that they describe.

use clap::Parser;
use ess_schema::{TestId, Timestamp};
use reqwest::Url;

use crate::clock::hour_before;
use crate::scenario::Body;
use crate::schedule::Pace;
use crate::simulate::SimulatorConfig;

/// The command-api's limit of items per request (DESIGN §5).
const MAX_ITEMS: usize = 10_000;
const MAX_CONCURRENCY: usize = 4_096;

/// Simulate players that listen to tracks, and send their facts.
#[derive(Debug, Parser)]
#[command(args_override_self = true)]
pub(crate) struct PlayersArgs {
    /// Number of playbacks.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) playbacks: u64,
    /// Seed of the simulation: the same seed and start give the same facts, byte for byte.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// When the first playback begins (RFC 3339). By default 59 minutes ago, truncated to the minute, so that every fact
    /// happened within the last hour.
    #[arg(long, value_name = "RFC3339", value_parser = Timestamp::parse_rfc3339)]
    pub(crate) start: Option<Timestamp>,
    /// Events per second, however long responses take. By default as fast as the receiver accepts them.
    #[arg(long, value_name = "EVENTS_PER_S", value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// Test id of every event.
    #[arg(long, value_name = "ID")]
    pub(crate) test_id: Option<TestId>,
    /// URL of the command-api.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8000", value_parser = http_url)]
    pub(crate) url: Url,
    /// Format of the events.
    #[arg(long, value_enum, default_value_t = Body::Command)]
    shape: Body,
    /// Send straight into Kafka instead, by these bootstrap servers.
    #[arg(long, value_name = "BROKERS", conflicts_with_all = ["url", "shape"])]
    pub(crate) kafka: Option<String>,
    /// Topic in Kafka.
    #[arg(long, default_value = "playback-events", requires = "kafka")]
    pub(crate) topic: String,
    /// Maximum number of events per request; several are sent as NDJSON. By default 1, into Kafka 500.
    #[arg(long, value_name = "K", value_parser = |text: &str| count(text, MAX_ITEMS))]
    batch: Option<usize>,
    /// Maximum number of requests in flight. By default 32, into Kafka 8.
    #[arg(long, value_name = "C", value_parser = |text: &str| count(text, MAX_CONCURRENCY))]
    concurrency: Option<usize>,
}

impl PlayersArgs {
    /// How events are written: Kafka takes CloudEvents.
    pub(crate) fn body(&self) -> Body {
        match self.kafka {
            Some(_) => Body::Cloudevent,
            None => self.shape,
        }
    }

    /// When events are due.
    pub(crate) fn pace(&self) -> Pace {
        self.rate.map_or(Pace::Unlimited, Pace::Rate)
    }

    /// The maximum number of events per request.
    pub(crate) fn batch(&self) -> usize {
        let default = if self.kafka.is_some() { 500 } else { 1 };
        self.batch.unwrap_or(default)
    }

    /// The maximum number of requests in flight.
    pub(crate) fn concurrency(&self) -> usize {
        let default = if self.kafka.is_some() { 8 } else { 32 };
        self.concurrency.unwrap_or(default)
    }

    /// The simulation, where the time is `now`.
    pub(crate) fn simulator(&self, now: Timestamp) -> SimulatorConfig {
        let start = self.start.unwrap_or_else(|| hour_before(now));
        SimulatorConfig {
            test_id: self.test_id.clone(),
            ..SimulatorConfig::new(self.seed, self.playbacks, start)
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    let is_possible = (0.001..=10_000_000.0).contains(&rate);
    let refused = || "expected 0.001 to 10000000 events per second".to_owned();
    is_possible.then_some(rate).ok_or_else(refused)
}

fn http_url(text: &str) -> Result<Url, String> {
    let url: Url = text
        .parse()
        .map_err(|error| format!("not a URL: {error}"))?;
    match (url.scheme(), url.query(), url.fragment()) {
        ("http", None, None) => Ok(url),
        ("http", ..) => Err("expected no query and no fragment".to_owned()),
        _ => Err("expected http://HOST:PORT".to_owned()),
    }
}

/// A number from 1 to `max`.
fn count(text: &str, max: usize) -> Result<usize, String> {
    let refused = || format!("expected a whole number from 1 to {max}");
    let count = text.parse().ok().filter(|count| (1..=max).contains(count));
    count.ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::Simulator;

    fn args(line: &str) -> Result<PlayersArgs, clap::Error> {
        PlayersArgs::try_parse_from(line.split(' '))
    }

    #[test]
    fn by_default_every_fact_happened_within_the_last_hour() {
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
    fn batch_and_concurrency_have_defaults_for_http_and_kafka() {
        let http = args("players").unwrap();
        assert_eq!((http.batch(), http.concurrency()), (1, 32));
        let kafka = args("players --kafka 127.0.0.1:9092").unwrap();
        assert_eq!((kafka.batch(), kafka.concurrency()), (500, 8));
        let given = args("players --batch 20 --concurrency 3").unwrap();
        assert_eq!((given.batch(), given.concurrency()), (20, 3));
    }

    #[test]
    fn invalid_options_are_refused() {
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
            "--shape untyped",
            "--test-id \u{7}",
        ] {
            let line = format!("players {options}");
            assert!(args(&line).is_err(), "{options}");
        }
    }
}
