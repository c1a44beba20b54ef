//! A broker that tests may stop. All tests share one, because it takes seconds to start; one test uses it at a time.

use std::sync::Arc;

use ess_e2e::Parts;
use ess_parts::Kafka;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::sync::{Mutex, MutexGuard, OnceCell};
use tokio::task::spawn_blocking;

use super::{TestApp, command_api_alone, progress};

/// Exclusive use of the broker, until dropped.
pub(super) struct Broker(MutexGuard<'static, Arc<Parts>>);

impl Broker {
    /// Waits for exclusive use, and restarts the broker if the previous test left it stopped.
    pub(super) async fn acquire() -> Self {
        static SHARED: OnceCell<Mutex<Arc<Parts>>> = OnceCell::const_new();
        let started = SHARED.get_or_init(async || {
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

    /// A command-api that uses this broker and has appended its first event.
    pub(super) async fn command_api(&self, settings: &[(&str, &str)]) -> TestApp {
        let builder = command_api_alone().parts(Arc::clone(&self.0));
        let set = settings.iter();
        let builder = set.fold(builder, |builder, (key, value)| builder.env(key, value));
        let app = builder.start().await;
        app.append(&progress("first")).await;
        app
    }

    /// Kills it, as in a crash (SIGKILL).
    pub(super) async fn kill(&self) {
        self.act(Kafka::kill).await;
    }

    /// Starts it again with the same data, and waits until it answers.
    pub(super) async fn restart(&self) {
        self.act(Kafka::restart).await;
    }

    /// Pauses it (SIGSTOP), as in a long pause of its process or machine.
    pub(super) async fn freeze(&self) {
        self.signal(Signal::SIGSTOP).await;
    }

    /// Resumes it (SIGCONT).
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
    /// Resumes it after a failed test: a frozen broker could not be restarted in time.
    fn drop(&mut self) {
        let pid = self.0.kafka(|kafka| kafka.pid());
        // Fails if the broker was killed.
        let _ = kill(Pid::from_raw(pid), Signal::SIGCONT);
    }
}
