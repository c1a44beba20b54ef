//! The listening socket: each connection becomes a task, at most so many at once; and how that ends: requests under way are
//! finished within the time there is, the rest is cut off and told of.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use poem::Endpoint;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    connection::{Ends, Served},
    crowded,
};
use crate::config::{HttpConfig, HttpLimits};

/// How many of those that find no place are told so at once; more are only hung up on.
const MOST_TOLD: usize = 64;
/// How long accepting rests when the system has no more file handles or memory.
const REST: Duration = Duration::from_millis(50);
/// File handles a service needs beside its connections.
const OTHER_FILES: u64 = 256;

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {addr}: {source}")]
pub struct BindError {
    addr: SocketAddr,
    source: io::Error,
}

/// A bound address, not yet served.
#[derive(Debug)]
pub struct HttpListener {
    listener: TcpListener,
    addr: SocketAddr,
    limits: HttpLimits,
}

/// Binds the configured address, so that a taken port is an error of the start.
///
/// # Errors
/// The address and why it cannot be had.
pub async fn bind(config: &HttpConfig) -> Result<HttpListener, BindError> {
    let refused = |source| BindError {
        addr: config.addr,
        source,
    };
    let listener = TcpListener::bind(config.addr).await.map_err(refused)?;
    let addr = listener.local_addr().map_err(refused)?;
    Ok(HttpListener {
        listener,
        addr,
        limits: config.limits,
    })
}

impl HttpListener {
    /// The address bound, with the port the system chose if the configured one was 0.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves until `stopping`, then lets requests in flight finish for at most `drain`.
    ///
    /// # Errors
    /// When requests had to be cut off.
    pub async fn serve(
        self,
        endpoint: impl Endpoint + 'static,
        stopping: CancellationToken,
        drain: Duration,
    ) -> io::Result<()> {
        crowded::describe();
        self.warn_of_few_files();
        let ends = Ends {
            stopping: stopping.clone(),
            cut: CancellationToken::new(),
        };
        let served = Arc::new(Served::new(endpoint, self.addr, self.limits, ends.clone()));
        let tasks = TaskTracker::new();
        let accept = self.accept(&served, &tasks);
        stopping.run_until_cancelled(accept).await;
        // Nobody else connects from here on: a balancer sees at once that this one is gone.
        drop(self.listener);
        tasks.close();
        if timeout(drain, tasks.wait()).await.is_ok() {
            return Ok(());
        }
        ends.cut.cancel();
        tasks.wait().await;
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "cut off requests still in flight at the drain deadline",
        ))
    }

    /// Accepts for ever.
    async fn accept<E: Endpoint + 'static>(&self, served: &Arc<Served<E>>, tasks: &TaskTracker) {
        let places = Arc::new(Semaphore::new(self.limits.max_connections));
        let told = Arc::new(Semaphore::new(MOST_TOLD));
        loop {
            let Some((stream, peer)) = self.next().await else {
                continue;
            };
            // What is answered is written whole: nothing is gained by waiting for more of it.
            let _ = stream.set_nodelay(true);
            if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                let served = Arc::clone(served);
                tasks.spawn(async move {
                    served.connection(stream, peer).await;
                    drop(place);
                });
                continue;
            }
            crowded::count();
            if let Ok(turn) = Arc::clone(&told).try_acquire_owned() {
                let most = self.limits.max_connections;
                tasks.spawn(async move {
                    crowded::tell(stream, most).await;
                    drop(turn);
                });
            }
        }
    }

    /// The next connection; none when one could not be accepted, which concerns only that one, or passes.
    async fn next(&self) -> Option<(TcpStream, SocketAddr)> {
        match self.listener.accept().await {
            Ok(accepted) => Some(accepted),
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => None,
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                sleep(REST).await;
                None
            }
        }
    }

    fn warn_of_few_files(&self) {
        let most = self.limits.max_connections as u64;
        if let Some(files) = crate::process::file_limit()
            && files < most + OTHER_FILES
        {
            tracing::warn!(
                "the system allows this process {files} open files, fewer than HTTP_MAX_CONNECTIONS={most} and {OTHER_FILES} more need; raise the limit (ulimit -n, LimitNOFILE=) or lower HTTP_MAX_CONNECTIONS"
            );
        }
    }
}
