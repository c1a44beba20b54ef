//! Serves one connection with HTTP/1.1, or HTTP/2 with prior knowledge, as long as the client sends complete heads in time.

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc};

use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use poem::{
    Endpoint,
    http::uri::Scheme,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{net::TcpStream, sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{HttpLimits, connection_limit};

/// The body of responses of poem.
type PoemBody = http_body_util::combinators::BoxBody<bytes::Bytes, std::io::Error>;

/// hyper buffers a head up to this multiple of the limit, and rejects a larger one without naming the limit.
const HEAD_BUFFER_FACTOR: usize = 2;
/// hyper needs at least 8 KiB; reading bodies in much smaller pieces than this costs more than the memory saves.
const MIN_BUFFER: usize = 64 * 1024;
/// Maximum number of concurrent requests on an HTTP/2 connection.
const MAX_STREAMS: u32 = 256;

/// How the service ends connections.
#[derive(Debug, Clone)]
pub(super) struct Shutdown {
    /// Ends them after the request in flight.
    pub(super) stopping: CancellationToken,
    /// Ends them at once.
    pub(super) cut_off: CancellationToken,
}

/// What all connections of a listener share.
pub(super) struct ConnectionHandler<E> {
    endpoint: Arc<E>,
    builder: Builder<TokioExecutor>,
    addr: LocalAddr,
    limits: HttpLimits,
    shutdown: Shutdown,
}

impl<E: Endpoint + 'static> ConnectionHandler<E> {
    pub(super) fn new(
        endpoint: E,
        addr: SocketAddr,
        limits: HttpLimits,
        shutdown: Shutdown,
    ) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_buf_size((limits.max_header_bytes * HEAD_BUFFER_FACTOR).max(MIN_BUFFER));
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(
                u32::try_from(limits.max_header_bytes * HEAD_BUFFER_FACTOR).unwrap_or(u32::MAX),
            )
            .keep_alive_interval(limits.header_timeout)
            .keep_alive_timeout(limits.header_timeout);
        Self {
            endpoint: Arc::new(endpoint),
            builder,
            addr: LocalAddr(addr.into()),
            limits,
            shutdown,
        }
    }

    /// Serves one connection until it ends.
    pub(super) async fn serve(&self, stream: TcpStream, peer: SocketAddr) {
        // The first head is timed here, because hyper starts its timeout only after it has detected the version of HTTP.
        let head_received = Arc::new(Notify::new());
        let service = service_fn(|request: Request<Incoming>| {
            head_received.notify_one();
            respond(Arc::clone(&self.endpoint), request, self.addr.clone(), peer)
        });
        let io = TokioIo::new(stream);
        let mut connection = pin!(self.builder.serve_connection(io, service));
        let mut first_head = pin!(timeout(
            self.limits.header_timeout,
            head_received.notified()
        ));
        let (mut waits_for_head, mut is_stopping) = (true, false);
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    let is_slow = |error: &hyper::Error| error.is_timeout();
                    if ended.is_err_and(|error| error.downcast_ref().is_some_and(is_slow)) {
                        connection_limit::count_slow();
                    }
                    return;
                }
                received = first_head.as_mut(), if waits_for_head => {
                    if received.is_err() {
                        return connection_limit::count_slow();
                    }
                    waits_for_head = false;
                }
                () = self.shutdown.stopping.cancelled(), if !is_stopping => {
                    connection.as_mut().graceful_shutdown();
                    is_stopping = true;
                }
                () = self.shutdown.cut_off.cancelled() => return,
            }
        }
    }
}

async fn respond(
    endpoint: Arc<impl Endpoint>,
    request: Request<Incoming>,
    local: LocalAddr,
    peer: SocketAddr,
) -> Result<Response<PoemBody>, Infallible> {
    let request = (request, local, RemoteAddr(peer.into()), Scheme::HTTP);
    Ok(endpoint.get_response(request.into()).await.into())
}
