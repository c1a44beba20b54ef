//! The Kafka and the ClickHouse of the services: those of `KAFKA_BROKERS` and `CLICKHOUSE_URL` (`cargo xtask test` sets
//! both), else a pair that ends with this process.

use std::env;
use std::sync::{Arc, Mutex, OnceLock};

use ess_parts::{ClickHouse, ClickHouseConfig, Kafka, KafkaConfig, Scratch, fetch};

/// A Kafka and a ClickHouse.
#[derive(Debug)]
pub struct Parts {
    brokers: String,
    clickhouse_url: String,
    own: Option<Own>,
}

/// Declared in drop order: the folder last.
#[derive(Debug)]
struct Own {
    kafka: Mutex<Kafka>,
    clickhouse: Mutex<ClickHouse>,
    _scratch: Scratch,
}

impl Parts {
    /// The pair that all tests of this process share. No test may stop it.
    pub fn shared() -> Arc<Self> {
        static SHARED: OnceLock<Arc<Parts>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| Arc::new(Self::given().unwrap_or_else(Self::start)));
        Arc::clone(shared)
    }

    /// A pair for the caller alone, which may be killed and restarted. Blocks for some seconds, and takes 700 MB of
    /// memory: only for faults of the servers.
    ///
    /// # Panics
    /// When a server does not start.
    pub fn start() -> Self {
        let downloads = fetch().expect("the servers' binaries");
        let scratch = Scratch::new().expect("a temporary folder");
        let kafka = Kafka::start(&downloads, KafkaConfig::attached(scratch.path()))
            .unwrap_or_else(|error| panic!("{error}"));
        let config = ClickHouseConfig::attached(scratch.path()).with_query_log();
        let clickhouse =
            ClickHouse::start(&downloads, config).unwrap_or_else(|error| panic!("{error}"));
        Self {
            brokers: kafka.bootstrap(),
            clickhouse_url: clickhouse.http_url(),
            own: Some(Own {
                kafka: Mutex::new(kafka),
                clickhouse: Mutex::new(clickhouse),
                _scratch: scratch,
            }),
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "tests get the servers' addresses as the services do: from the environment"
    )]
    fn given() -> Option<Self> {
        let set = |key| env::var(key).ok().filter(|value| !value.is_empty());
        match (set("KAFKA_BROKERS"), set("CLICKHOUSE_URL")) {
            (Some(brokers), Some(clickhouse_url)) => Some(Self {
                brokers,
                clickhouse_url,
                own: None,
            }),
            (None, None) => None,
            _ => panic!("set both KAFKA_BROKERS and CLICKHOUSE_URL, or neither"),
        }
    }

    /// Bootstrap servers.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Base URL of ClickHouse's HTTP interface.
    pub fn clickhouse_url(&self) -> &str {
        &self.clickhouse_url
    }

    /// Calls `act` with the broker, for example `Kafka::kill`; blocks.
    ///
    /// # Panics
    /// When the broker is not from [`Parts::start`].
    pub fn kafka<T>(&self, act: impl FnOnce(&mut Kafka) -> T) -> T {
        act(&mut self.own().kafka.lock().unwrap())
    }

    /// Calls `act` with the ClickHouse server, for example `ClickHouse::restart`; blocks.
    ///
    /// # Panics
    /// When the server is not from [`Parts::start`].
    pub fn clickhouse<T>(&self, act: impl FnOnce(&mut ClickHouse) -> T) -> T {
        act(&mut self.own().clickhouse.lock().unwrap())
    }

    fn own(&self) -> &Own {
        self.own
            .as_ref()
            .expect("shared servers must not be stopped: use Parts::start()")
    }
}
