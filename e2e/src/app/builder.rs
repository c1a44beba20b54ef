//! Builds and starts a [`TestApp`]: unique names first, then topics and tables, then the processes.

use std::collections::BTreeMap;
use std::sync::Arc;

use ess_parts::Scratch;
use tokio::task::spawn_blocking;

use super::TestApp;
use crate::{Parts, Service, Topic, unique};

/// Few, so that a topic is created fast; more than one, so that no test relies on a total order.
const PARTITIONS: &str = "4";

/// The services to start, their servers and settings.
#[must_use]
pub struct Builder {
    parts: Option<Arc<Parts>>,
    environment: BTreeMap<String, String>,
    started: [bool; 3],
}

impl Default for Builder {
    /// All three services, on the shared servers.
    fn default() -> Self {
        Self {
            parts: None,
            environment: BTreeMap::new(),
            started: [true; 3],
        }
    }
}

impl Builder {
    /// On these servers instead of the shared ones.
    pub fn parts(mut self, parts: Arc<Parts>) -> Self {
        self.parts = Some(parts);
        self
    }

    /// With a configuration key of any service.
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.environment.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Without the command-api; it can be started later.
    pub fn without_command_api(mut self) -> Self {
        self.started[0] = false;
        self
    }

    /// Without the projector; it can be started later. Topics and tables exist.
    pub fn without_projector(mut self) -> Self {
        self.started[1] = false;
        self
    }

    /// Without the query-api; it can be started later.
    pub fn without_query_api(mut self) -> Self {
        self.started[2] = false;
        self
    }

    /// Creates topics and tables (`projector init`), then starts the services and waits until they are ready.
    ///
    /// # Panics
    /// With the tail of a log, when a service does not become ready.
    pub async fn start(self) -> TestApp {
        let started = self.started;
        let app = spawn_blocking(move || self.build()).await.unwrap();
        app.init().await;
        let services = app.services();
        let selected = || services.iter().zip(started).filter(|(_, start)| *start);
        for (service, _) in selected() {
            service.spawn();
        }
        for (service, _) in selected() {
            service.wait_until_ready().await;
        }
        app
    }

    fn build(self) -> TestApp {
        let parts = self.parts.unwrap_or_else(Parts::shared);
        let name = unique("t");
        let mut environment: BTreeMap<String, String> = [
            ("KAFKA_BROKERS", parts.brokers()),
            ("KAFKA_TOPIC", &name),
            ("KAFKA_PARTITIONS", PARTITIONS),
            ("CLICKHOUSE_URL", parts.clickhouse_url()),
            (
                "CLICKHOUSE_DATABASE",
                &format!("ess_{}", name.replace('-', "_")),
            ),
            ("PROJECTOR_GROUP", &format!("{name}-projector")),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        environment.extend(self.environment);
        let logs = Scratch::new().unwrap_or_else(|error| panic!("{error}"));
        let service = |name, key| Service::new(name, key, &environment, logs.path());
        let query_api = service("query-api", "QUERY_API_ADDR");
        // The command-api redirects reads there.
        environment.insert(
            "QUERY_API_URL".to_owned(),
            query_api.http().base().to_owned(),
        );
        let service = |name, key| Service::new(name, key, &environment, logs.path());
        TestApp {
            command_api: service("command-api", "COMMAND_API_ADDR"),
            projector: service("projector", "PROJECTOR_ADDR"),
            query_api,
            topic: Topic::new(parts.brokers(), name.clone()),
            dead_letters: Topic::new(parts.brokers(), format!("{name}.dead-letters")),
            parts,
            environment,
            logs,
        }
    }
}
