//! The two ways a run ends early: somebody asks for it, or it gives up. Either way it ends in order, with its summary.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

/// Listens for SIGINT (Ctrl-C) and SIGTERM.
#[derive(Debug)]
pub(crate) struct Signals(AbortHandle);

impl Signals {
    /// Cancels `stop` at the first signal.
    ///
    /// # Errors
    /// When the process cannot listen for signals.
    pub(crate) fn listen(stop: CancellationToken) -> io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let listening = tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            stop.cancel();
        });
        Ok(Self(listening.abort_handle()))
    }

    /// Whether one came.
    pub(crate) fn came(&self) -> bool {
        self.0.is_finished()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.0.abort();
    }
}
