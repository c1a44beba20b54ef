//! One connection: HTTP/1.1, or HTTP/2 by prior knowledge, for as long as its caller sends whole heads in time.

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

use super::crowded;
use crate::config::HttpLimits;

/// What poem answers with.
type PoemBody = http_body_util::combinators::BoxBody<bytes::Bytes, std::io::Error>;

/// hyper gives up on a head larger than this many times the limit, without saying what the limit is.
const SLACK: usize = 2;
/// hyper wants at least 8 KiB; reading bodies in pieces much smaller than this costs more than the memory saves.
const LEAST_BUFFER: usize = 64 * 1024;
/// Requests at once on one HTTP/2 connection.
const MOST_STREAMS: u32 = 256;

/// How connections end from our side.
#[derive(Debug, Clone)]
pub(super) struct Ends {
    /// After the request under way.
    pub(super) stopping: CancellationToken,
    /// At once.
    pub(super) cut: CancellationToken,
}

/// What every connection is served with.
pub(super) struct Served<E> {
    endpoint: Arc<E>,
    builder: Builder<TokioExecutor>,
    addr: LocalAddr,
    limits: HttpLimits,
    ends: Ends,
}

impl<E: Endpoint + 'static> Served<E> {
    pub(super) fn new(endpoint: E, addr: SocketAddr, limits: HttpLimits, ends: Ends) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_buf_size((limits.max_header_bytes * SLACK).max(LEAST_BUFFER));
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MOST_STREAMS)
            .max_header_list_size(
                u32::try_from(limits.max_header_bytes * SLACK).unwrap_or(u32::MAX),
            )
            .keep_alive_interval(limits.header_timeout)
            .keep_alive_timeout(limits.header_timeout);
        Self {
            endpoint: Arc::new(endpoint),
            builder,
            addr: LocalAddr(addr.into()),
            limits,
            ends,
        }
    }

    /// Serves one connection to its end.
    pub(super) async fn connection(&self, stream: TcpStream, peer: SocketAddr) {
        // The first head is timed here: hyper's clock starts only when it knows which HTTP is spoken.
        let begun = Arc::new(Notify::new());
        let service = service_fn(|request: Request<Incoming>| {
            begun.notify_one();
            answer(Arc::clone(&self.endpoint), request, self.addr.clone(), peer)
        });
        let io = TokioIo::new(stream);
        let mut connection = pin!(self.builder.serve_connection(io, service));
        let mut first_head = pin!(timeout(self.limits.header_timeout, begun.notified()));
        let (mut waits, mut stops) = (true, false);
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    let is_slow = |error: &hyper::Error| error.is_timeout();
                    if ended.is_err_and(|error| error.downcast_ref().is_some_and(is_slow)) {
                        crowded::count_slow();
                    }
                    return;
                }
                begun = first_head.as_mut(), if waits => {
                    if begun.is_err() {
                        return crowded::count_slow();
                    }
                    waits = false;
                }
                () = self.ends.stopping.cancelled(), if !stops => {
                    connection.as_mut().graceful_shutdown();
                    stops = true;
                }
                () = self.ends.cut.cancelled() => return,
            }
        }
    }
}

async fn answer(
    endpoint: Arc<impl Endpoint>,
    request: Request<Incoming>,
    local: LocalAddr,
    peer: SocketAddr,
) -> Result<Response<PoemBody>, Infallible> {
    let request = (request, local, RemoteAddr(peer.into()), Scheme::HTTP);
    Ok(endpoint.get_response(request.into()).await.into())
}
