//! Limits the size of a request line and its headers. hyper has a higher limit and rejects larger heads without a body;
//! this limit gives a problem that names it.

use std::sync::Arc;

use poem::{Endpoint, IntoResponse, Request, Response, Result};

use crate::problem::{Problem, ProblemKind};

/// Bytes of the separators in a header line: `": "` and the line end.
const SEPARATORS: usize = 4;

/// Calls `inner` if the head has at most `max_bytes`, otherwise responds with 431.
pub(super) async fn checked<E>(
    inner: Arc<E>,
    request: Request,
    max_bytes: usize,
) -> Result<Response>
where
    E: Endpoint<Output = Response>,
{
    let bytes = bytes(&request);
    if bytes > max_bytes {
        return Ok(too_large(bytes, max_bytes).into_response());
    }
    inner.call(request).await
}

fn too_large(bytes: usize, max_bytes: usize) -> Problem {
    let detail = format!(
        "request line and headers have {bytes} bytes; the maximum is {max_bytes} (HTTP_MAX_HEADER_BYTES)"
    );
    Problem::new(ProblemKind::HeadersTooLarge, detail)
}

/// The size of the head as HTTP/1.1 writes it.
fn bytes(request: &Request) -> usize {
    let uri = request.uri();
    let target = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
    let line = request.method().as_str().len() + target + " HTTP/1.1\r\n".len() + 1;
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + SEPARATORS);
    line + headers.sum::<usize>() + "\r\n".len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_head_is_that_of_its_http_1_text() {
        let head = "GET /events?limit=7 HTTP/1.1\r\nhost: a.example\r\nx-a: b\r\n\r\n";
        let request = Request::builder()
            .uri_str("/events?limit=7")
            .header("host", "a.example")
            .header("x-a", "b")
            .finish();
        assert_eq!(bytes(&request), head.len());
    }
}
