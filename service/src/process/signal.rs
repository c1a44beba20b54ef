//! SIGTERM and SIGINT: the first signal starts the drain, the second abandons it.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub(super) fn cancel_on_signal(
    stopping: CancellationToken,
    abandoned: CancellationToken,
) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        for (token, meaning) in [(stopping, "draining"), (abandoned, "abandoning the drain")] {
            let name = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            tracing::info!("{name}: {meaning}");
            token.cancel();
        }
    });
    Ok(())
}
