//! The listening socket. Each connection is a task, up to a limit. At shutdown, requests in flight may finish within a
//! deadline; then their connections are cut off, which is an error.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use poem::Endpoint;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    HttpConfig, HttpLimits,
    connection::{ConnectionHandler, Shutdown},
    connection_limit, open_files,
};

/// Maximum number of connections beyond the limit that get a 503 at the same time; more are closed without a response.
const MAX_REJECTIONS: usize = 64;
/// Pause after an error of accept, such as too many open files.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);
/// Open files that a service needs besides its connections.
const OTHER_FILES: u64 = 256;

/// The service cannot listen on the address.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {addr}: {source}")]
pub struct BindError {
    addr: SocketAddr,
    source: io::Error,
}

/// A bound address that is not served yet.
#[derive(Debug)]
pub struct HttpListener {
    listener: TcpListener,
    addr: SocketAddr,
    limits: HttpLimits,
}

/// Binds the configured address, so that a port in use is an error at startup.
///
/// # Errors
/// The address, and the error of the system.
pub async fn bind(config: &HttpConfig) -> Result<HttpListener, BindError> {
    let cannot_listen = |source| BindError {
        addr: config.addr,
        source,
    };
    let listener = TcpListener::bind(config.addr)
        .await
        .map_err(cannot_listen)?;
    let addr = listener.local_addr().map_err(cannot_listen)?;
    Ok(HttpListener {
        listener,
        addr,
        limits: config.limits,
    })
}

impl HttpListener {
    /// The bound address; its port is the one that the system chose if the configured one is 0.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves until `stopping`, then lets requests in flight finish within `drain_timeout`.
    ///
    /// # Errors
    /// When requests were cut off.
    pub async fn serve(
        self,
        endpoint: impl Endpoint + 'static,
        stopping: CancellationToken,
        drain_timeout: Duration,
    ) -> io::Result<()> {
        connection_limit::describe();
        self.check_nofile_limit();
        let shutdown = Shutdown {
            stopping: stopping.clone(),
            cut_off: CancellationToken::new(),
        };
        let cut_off = shutdown.cut_off.clone();
        let handler = Arc::new(ConnectionHandler::new(
            endpoint,
            self.addr,
            self.limits,
            shutdown,
        ));
        let tasks = TaskTracker::new();
        let accept = self.accept(&handler, &tasks);
        stopping.run_until_cancelled(accept).await;
        // New connections are refused from here on, so that a load balancer notices at once.
        drop(self.listener);
        tasks.close();
        if timeout(drain_timeout, tasks.wait()).await.is_ok() {
            return Ok(());
        }
        cut_off.cancel();
        tasks.wait().await;
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "requests in flight were cut off at the drain deadline",
        ))
    }

    /// Accepts connections forever.
    async fn accept<E: Endpoint + 'static>(
        &self,
        handler: &Arc<ConnectionHandler<E>>,
        tasks: &TaskTracker,
    ) {
        let max_connections = self.limits.max_connections;
        let permits = Arc::new(Semaphore::new(max_connections));
        let rejections = Arc::new(Semaphore::new(MAX_REJECTIONS));
        loop {
            let Some((stream, peer)) = self.next().await else {
                continue;
            };
            // Responses are written in one piece; Nagle's algorithm would only delay them.
            let _ = stream.set_nodelay(true);
            if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
                let handler = Arc::clone(handler);
                tasks.spawn(async move {
                    handler.serve(stream, peer).await;
                    drop(permit);
                });
                continue;
            }
            connection_limit::count_over_limit();
            if let Ok(permit) = Arc::clone(&rejections).try_acquire_owned() {
                tasks.spawn(async move {
                    connection_limit::reject(stream, max_connections).await;
                    drop(permit);
                });
            }
        }
    }

    /// The next connection; none after an error, which concerns one connection or is transient.
    async fn next(&self) -> Option<(TcpStream, SocketAddr)> {
        match self.listener.accept().await {
            Ok(accepted) => Some(accepted),
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => None,
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                sleep(ACCEPT_BACKOFF).await;
                None
            }
        }
    }

    fn check_nofile_limit(&self) {
        let max_connections = self.limits.max_connections as u64;
        let needed = max_connections + OTHER_FILES;
        if let Some(limit) = open_files::raise_nofile_limit()
            && limit < needed
        {
            tracing::warn!(
                "this process may open {limit} files, but HTTP_MAX_CONNECTIONS={max_connections} needs {needed}; \
                 raise the limit (ulimit -n, LimitNOFILE=) or lower HTTP_MAX_CONNECTIONS"
            );
        }
    }
}
