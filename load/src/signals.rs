//! SIGINT and SIGTERM: the first stops a run in order, each further one skips a wait.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

/// Listens for SIGINT (Ctrl-C) and SIGTERM.
#[derive(Debug)]
pub(crate) struct Signals {
    came: watch::Receiver<u32>,
    listening: AbortHandle,
}

impl Signals {
    /// Cancels `stop` at the first signal, and counts all of them.
    ///
    /// # Errors
    /// When the process cannot listen for signals.
    pub(crate) fn listen(stop: CancellationToken) -> io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (count, came) = watch::channel(0);
        let listening = tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                // Counted first: a task that the stop wakes waits for the next signal.
                count.send_modify(|came| *came += 1);
                stop.cancel();
            }
        });
        Ok(Self {
            came,
            listening: listening.abort_handle(),
        })
    }

    /// Whether a signal came.
    pub(crate) fn came(&self) -> bool {
        *self.came.borrow() > 0
    }

    /// Waits for the next signal after the call.
    pub(crate) fn another(&self) -> impl Future<Output = ()> + use<> {
        let mut came = self.came.clone();
        came.mark_unchanged();
        async move {
            // The sender is gone at the end of the run.
            if came.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
