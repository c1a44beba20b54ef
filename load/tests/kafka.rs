//! `ess-load players --kafka` against a real broker: the log contains every fact, under its key, in its order.

use std::collections::BTreeMap;
use std::process::{Command, Output};
use std::time::Duration;

use ess_load::simulate::{Simulator, SimulatorConfig};
use ess_parts::{Kafka, KafkaConfig, Scratch, fetch};
use ess_schema::decode::{KafkaRecord, decode_record};
use ess_schema::record::CONTENT_TYPE;
use ess_schema::{Event, Timestamp};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};

const START: &str = "2026-11-23T10:00:00Z";
const PLAYBACKS: u64 = 300;
const PARTITIONS: i32 = 3;

/// The broker of `KAFKA_BROKERS` (`cargo xtask test` sets it), or else one that ends with this test.
struct Broker {
    bootstrap: String,
    /// In the order in which they must be dropped.
    _own: Option<(Kafka, Scratch)>,
}

impl Broker {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests get the addresses of servers from the environment, as services do"
    )]
    fn start() -> Self {
        if let Some(bootstrap) = std::env::var("KAFKA_BROKERS")
            .ok()
            .filter(|set| !set.is_empty())
        {
            return Self {
                bootstrap,
                _own: None,
            };
        }
        let (parts, scratch) = (fetch().unwrap(), Scratch::new().unwrap());
        let kafka = Kafka::start(&parts, KafkaConfig::attached(scratch.path())).unwrap();
        let bootstrap = kafka.bootstrap();
        Self {
            bootstrap,
            _own: Some((kafka, scratch)),
        }
    }
}

fn players(brokers: &str, topic: &str) -> Output {
    let count = PLAYBACKS.to_string();
    Command::new(env!("CARGO_BIN_EXE_ess-load"))
        .args([
            "players",
            "--seed",
            "7",
            "--start",
            START,
            "--playbacks",
            &count,
        ])
        .args(["--kafka", brokers, "--topic", topic])
        .output()
        .unwrap()
}

fn client(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("group.id", "load-test");
    config.set("auto.offset.reset", "earliest");
    config
}

async fn create_topic(brokers: &str, topic: &str) {
    let admin: AdminClient<DefaultClientContext> = client(brokers).create().unwrap();
    let topic = NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(1));
    let created = admin.create_topics([&topic], &AdminOptions::new()).await;
    assert!(created.unwrap()[0].is_ok());
}

/// The next `count` records, by key, each playback's in the order of the log.
fn read(brokers: &str, topic: &str, count: usize) -> BTreeMap<String, Vec<Event>> {
    let consumer: BaseConsumer = client(brokers).create().unwrap();
    consumer.subscribe(&[topic]).unwrap();
    let mut found: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for _ in 0..count {
        let message = next(&consumer);
        let key = String::from_utf8(message.key().unwrap().to_vec()).unwrap();
        found.entry(key).or_default().push(event(&message));
    }
    found
}

/// Within 30 s; a poll that has joined the group instead returns nothing.
fn next(consumer: &BaseConsumer) -> BorrowedMessage<'_> {
    let mut polls = (0..300).map(|_| consumer.poll(Duration::from_millis(100)));
    polls.find_map(|polled| polled).unwrap().unwrap()
}

fn event(message: &BorrowedMessage<'_>) -> Event {
    let headers = message.headers().unwrap().iter();
    let headers: Vec<_> = headers
        .map(|header| (header.key.to_owned(), header.value.unwrap().to_vec()))
        .collect();
    let expected = ("content-type".to_owned(), CONTENT_TYPE.as_bytes().to_vec());
    assert_eq!(headers, [expected]);
    // No record carries an ingest time, so each takes this one.
    let timestamp = Timestamp::parse_rfc3339(START)
        .unwrap()
        .plus_millis(3_600_000);
    let record = KafkaRecord {
        payload: message.payload(),
        headers: headers.as_slice(),
        timestamp,
    };
    let event = decode_record(&record).unwrap();
    assert_eq!(event.ingest_time, timestamp);
    Event {
        ingest_time: event.occurred_at,
        ..event
    }
}

#[tokio::test]
async fn the_log_holds_every_fact_under_its_key_and_a_playbacks_in_their_order() {
    let broker = Broker::start();
    let topic = format!("load-{}", std::process::id());
    create_topic(&broker.bootstrap, &topic).await;
    let output = players(&broker.bootstrap, &topic);
    assert!(output.status.success(), "{output:?}");

    let config = SimulatorConfig::new(7, PLAYBACKS, Timestamp::parse_rfc3339(START).unwrap());
    let expected: BTreeMap<_, _> = Simulator::new(config)
        .map(|playback| (playback.id.to_string(), playback.facts))
        .collect();
    let count = expected.values().map(Vec::len).sum();
    assert!(read(&broker.bootstrap, &topic, count) == expected);

    let missing = players(&broker.bootstrap, &format!("{topic}-missing"));
    let said = String::from_utf8(missing.stderr).unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(
        said.contains("there is no such topic") || said.contains("Unknown topic"),
        "{said}"
    );
}
