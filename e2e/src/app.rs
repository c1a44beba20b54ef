//! An ESS for one test on servers that tests share: topic, databases and consumer group have unique names. They are not
//! removed at the end, because the servers' data are.

mod builder;

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;

use ess_parts::Scratch;
use ess_schema::Position;
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

pub use self::builder::Builder;
use crate::binary::NEXT_PROJECTOR;
use crate::{Answer, Http, Parts, Service, Topic};

/// A running ESS.
pub struct TestApp {
    /// The write side.
    pub command_api: Service,
    /// The projector.
    pub projector: Service,
    /// The read side.
    pub query_api: Service,
    /// The topic of the events.
    pub topic: Topic,
    /// The topic of the dead letters.
    pub dead_letters: Topic,
    parts: Arc<Parts>,
    environment: BTreeMap<String, String>,
    logs: Scratch,
}

impl TestApp {
    /// The instance that all tests of this process share: no test may stop or overload it, or count the events of other
    /// tests.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<TestApp> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// An instance for the caller alone, with all three services.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// An instance for the caller alone, with chosen services, servers and settings.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A further projector of the same group, not started.
    pub fn another_projector(&self) -> Service {
        self.projector_with(&[])
    }

    /// A projector with other settings than [`TestApp::projector`], not started.
    pub fn projector_with(&self, settings: &[(&str, &str)]) -> Service {
        let mut environment = self.environment.clone();
        let settings = settings.iter();
        environment.extend(settings.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        self.projector_built_as("projector", &environment)
    }

    /// A projector of the same group that has one more schema change, not started.
    pub fn next_projector(&self) -> Service {
        self.projector_built_as(NEXT_PROJECTOR, &self.environment)
    }

    fn projector_built_as(
        &self,
        name: &'static str,
        environment: &BTreeMap<String, String>,
    ) -> Service {
        Service::new(name, "PROJECTOR_ADDR", environment, self.logs.path())
    }

    /// `projector init`: creates the topics and tables that are missing.
    ///
    /// # Panics
    /// With its output, when it fails.
    pub async fn init(&self) {
        self.run_projector("init").await;
    }

    /// `projector rollup`: rewrites the rows of playbacks that lack stored events.
    ///
    /// # Panics
    /// With its output, when it fails.
    pub async fn roll_up(&self) {
        self.run_projector("rollup").await;
    }

    async fn run_projector(&self, operation: &str) {
        let mut command = self.projector.command();
        command.arg(operation).stdin(Stdio::null());
        let output = spawn_blocking(move || command.output());
        let output = output.await.unwrap().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "projector {operation} failed: {text}"
        );
    }

    /// The servers it runs on.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The value of a configuration key that all its services get.
    ///
    /// # Panics
    /// When neither the builder nor this crate sets it.
    pub fn setting(&self, key: &str) -> &str {
        &self.environment[key]
    }

    /// The control database; generation N is in `<this>_gN`.
    pub fn control_database(&self) -> &str {
        self.setting("CLICKHOUSE_DATABASE")
    }

    /// A client of the command-api.
    pub fn commands(&self) -> &Http {
        self.command_api.http()
    }

    /// A client of the query-api.
    pub fn queries(&self) -> &Http {
        self.query_api.http()
    }

    /// `POST /commands` with one command.
    pub async fn post_command(&self, command: &Value) -> Answer {
        self.post("/commands", "application/json", command.to_string())
            .await
    }

    /// `POST path` at the command-api.
    pub async fn post(&self, path: &str, content_type: &str, body: impl Into<String>) -> Answer {
        self.commands().post(path, content_type, body).await
    }

    /// Appends one valid command.
    ///
    /// # Panics
    /// With the answer, when it is not 202.
    pub async fn append(&self, command: &Value) -> Position {
        let answer = self.post_command(command).await.expect_status(202);
        answer.positions()[0]
    }

    /// `GET path` at the query-api.
    pub async fn get(&self, path: &str) -> Answer {
        self.queries().get(path).await
    }

    /// The projector's committed offsets, by partition.
    pub async fn committed_offsets(&self) -> BTreeMap<u16, u64> {
        self.committed_offsets_of(&self.projector).await
    }

    /// The committed offsets of this projector's group for the active generation, by partition.
    pub async fn committed_offsets_of(&self, projector: &Service) -> BTreeMap<u16, u64> {
        let (group, generation) = (
            projector.setting("PROJECTOR_GROUP"),
            self.generation().await,
        );
        self.topic
            .committed_offsets(&format!("{group}-g{generation}"))
            .await
    }

    /// The consumer group of the projector, for the active generation.
    pub async fn group(&self) -> String {
        let group = self.projector.setting("PROJECTOR_GROUP");
        format!("{group}-g{}", self.generation().await)
    }

    fn services(&self) -> [&Service; 3] {
        [&self.command_api, &self.projector, &self.query_api]
    }
}

impl Drop for TestApp {
    /// Prints the logs of a failed test; the processes end as their handles are dropped.
    #[expect(
        clippy::print_stderr,
        reason = "the test harness shows it with the failure"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            for service in self.services() {
                eprintln!("{}\n", service.log_tail());
            }
        }
    }
}
