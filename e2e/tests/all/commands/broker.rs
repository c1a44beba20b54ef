//! A broker that tests may stop: one for all of them, lent to one at a time, because each takes seconds to start.

use std::sync::Arc;

use ess_e2e::Parts;
use ess_parts::Kafka;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use tokio::task::spawn_blocking;

use super::{TestApp, command_api_alone, progress};

/// The broker, until it is dropped.
pub(super) struct Broker(MutexGuard<'static, Arc<Parts>>);

impl Broker {
    /// Waits until nobody else has it. It runs, whatever the test before left behind.
    pub(super) async fn lent() -> Self {
        static ONLY: OnceCell<Mutex<Arc<Parts>>> = OnceCell::const_new();
        let started = ONLY.get_or_init(async || {
            let parts = spawn_blocking(Parts::start).await.unwrap();
            Mutex::new(Arc::new(parts))
        });
        let broker = Self(started.await.lock().await);
        let port = broker.0.brokers().rsplit_once(':').unwrap().1;
        let port = port.parse().unwrap();
        if !spawn_blocking(move || Kafka::answers(port)).await.unwrap() {
            broker.restart().await;
        }
        broker
    }

    /// A command-api alone on it, to which the broker has answered once.
    pub(super) async fn command_api(&self, settings: &[(&str, &str)]) -> TestApp {
        let builder = command_api_alone().parts(Arc::clone(&self.0));
        let set = settings.iter();
        let builder = set.fold(builder, |builder, (key, value)| builder.env(key, value));
        let app = builder.start().await;
        app.append(&progress("first")).await;
        app
    }

    /// Ends it as a crash would (SIGKILL).
    pub(super) async fn kill(&self) {
        self.act(Kafka::kill).await;
    }

    /// Starts it again on the same data; it answers then.
    pub(super) async fn restart(&self) {
        self.act(Kafka::restart).await;
    }

    /// Stops it where it is (SIGSTOP), as a long pause of its process or machine would.
    pub(super) async fn freeze(&self) {
        self.signal(Signal::SIGSTOP).await;
    }

    /// Lets it go on.
    pub(super) async fn thaw(&self) {
        self.signal(Signal::SIGCONT).await;
    }

    async fn signal(&self, signal: Signal) {
        self.act(move |kafka| {
            kill(Pid::from_raw(kafka.pid()), signal).unwrap();
            Ok(())
        })
        .await;
    }

    async fn act(&self, act: impl FnOnce(&mut Kafka) -> ess_parts::Result<()> + Send + 'static) {
        let parts = Arc::clone(&self.0);
        let done = spawn_blocking(move || parts.kafka(act));
        done.await
            .unwrap()
            .unwrap_or_else(|error| panic!("{error}"));
    }
}

impl Drop for Broker {
    /// A test that fails must not leave it frozen: nobody could even kill and restart it in time.
    fn drop(&mut self) {
        let pid = self.0.kafka(|kafka| kafka.pid());
        // Of one that was killed, nothing is left to go on.
        let _ = kill(Pid::from_raw(pid), Signal::SIGCONT);
    }
}
