//! One ESS of a test's own on parts that others use, too: topic, databases and consumer group bear a name that nobody
//! else has. They stay behind when it ends, because the parts are thrown away.

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
    /// Appends.
    pub command_api: Service,
    /// Folds.
    pub projector: Service,
    /// Answers.
    pub query_api: Service,
    /// The topic that is the log.
    pub topic: Topic,
    /// The topic of the messages that cannot be read.
    pub dead_letters: Topic,
    parts: Arc<Parts>,
    environment: BTreeMap<String, String>,
    logs: Scratch,
}

impl TestApp {
    /// The one that all tests of this process share: nobody may stop or overload a part of it, and nobody may count
    /// what others append.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<TestApp> = OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// One of the caller's own, all three services.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// One of the caller's own, made to measure.
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

    /// A projector of the same group that knows one schema change more, not started.
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

    /// `projector init`: creates what topics and tables are missing.
    ///
    /// # Panics
    /// With its output, when it fails.
    pub async fn init(&self) {
        self.projector_does("init").await;
    }

    /// `projector rollup`: makes the rows of playbacks again that lack stored events.
    ///
    /// # Panics
    /// With its output, when it fails.
    pub async fn roll_up(&self) {
        self.projector_does("rollup").await;
    }

    async fn projector_does(&self, operation: &str) {
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

    /// The value of a configuration key that every service of it gets.
    ///
    /// # Panics
    /// When neither the builder nor this crate sets it.
    pub fn setting(&self, key: &str) -> &str {
        &self.environment[key]
    }

    /// The control database; generation N lies in `<this>_gN`.
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

    /// Appends one command that is in order.
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

    /// The offsets that the projector has committed, by partition.
    pub async fn committed_offsets(&self) -> BTreeMap<u16, u64> {
        self.committed_offsets_of(&self.projector).await
    }

    /// The offsets that this projector's group has committed for the active generation, by partition.
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
    /// What a failed test needs to be understood; the processes end as their handles are dropped.
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
