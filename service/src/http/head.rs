//! How large the head of a request may be: its first line and its headers. hyper bounds what it buffers, above this limit, and
//! answers without a body; here a caller is told.

use std::sync::Arc;

use poem::{Endpoint, IntoResponse, Request, Response, Result};

use crate::problem::{Problem, ProblemKind};

/// What stands between the parts of a header line: `": "` and the end of the line.
const BETWEEN: usize = 4;

/// Calls `inner` if the head has at most `most` bytes, else answers 431.
pub(super) async fn checked<E>(inner: Arc<E>, request: Request, most: usize) -> Result<Response>
where
    E: Endpoint<Output = Response>,
{
    let bytes = bytes(&request);
    if bytes > most {
        return Ok(too_large(bytes, most).into_response());
    }
    inner.call(request).await
}

fn too_large(bytes: usize, most: usize) -> Problem {
    let detail = format!(
        "the first line and the headers have {bytes} bytes; at most {most} are taken (HTTP_MAX_HEADER_BYTES)"
    );
    Problem::new(ProblemKind::HeadersTooLarge, detail)
}

/// The head as HTTP/1.1 writes it.
fn bytes(request: &Request) -> usize {
    let uri = request.uri();
    let target = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
    let line = request.method().as_str().len() + target + " HTTP/1.1\r\n".len() + 1;
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len() + BETWEEN);
    line + headers.sum::<usize>() + "\r\n".len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_counted_as_it_is_written() {
        let head = "GET /events?limit=7 HTTP/1.1\r\nhost: a.example\r\nx-a: b\r\n\r\n";
        let request = Request::builder()
            .uri_str("/events?limit=7")
            .header("host", "a.example")
            .header("x-a", "b")
            .finish();
        assert_eq!(bytes(&request), head.len());
    }
}
