//! The bare SQL of a query: the requests that the query-api sends to ClickHouse for it, recorded byte for byte and sent again by the
//! benchmark's client. Values are replaced, so that each is a new query for ClickHouse.

use ess_load::http::{HttpClient, HttpRequest};
use futures::future::try_join_all;
use hyper::Method;

use crate::error::{Error, Result};
use crate::http::client::send;
use crate::recorder::{Recorded, Recorder, Sent};

/// Names of the query-api's background queries.
const BY_ITSELF: [&str; 2] = ["progress", "conflict"];

/// The recorded requests of one query.
pub(super) struct Bare {
    sent: Recorded,
    path: String,
}

/// A text in a request, and its replacement.
pub(super) type Replacement = (String, String);

impl Bare {
    /// Sends GET `path` to a query-api whose ClickHouse is `recorder`.
    ///
    /// # Errors
    /// No response, or one without a query to ClickHouse.
    pub(super) async fn record(recorder: &Recorder, api_url: &str, path: &str) -> Result<Self> {
        recorder.take();
        send(&HttpClient::new(api_url), &HttpRequest::get(path)).await?;
        let sent = recorder.take();
        if sent.sent.is_empty() {
            return Err(Error::message(format!(
                "{path} sends no query to ClickHouse"
            )));
        }
        Ok(Self {
            sent,
            path: path.to_owned(),
        })
    }

    /// The requests, with these values replaced.
    ///
    /// # Errors
    /// If no request contains the values, so that the query would be the same.
    pub(super) fn requests(&self, replacements: &[Replacement]) -> Result<Vec<HttpRequest>> {
        let sent: Vec<HttpRequest> = self.sent.sent.iter().map(to_request).collect();
        let mut requests = sent.clone();
        for (old, new) in replacements {
            for request in &mut requests {
                replace(request, old, new);
            }
        }
        let is_same = |(request, sent): (&HttpRequest, &HttpRequest)| {
            request.path == sent.path && request.body == sent.body
        };
        if !replacements.is_empty() && requests.iter().zip(&sent).all(is_same) {
            let path = &self.path;
            return Err(Error::message(format!(
                "the queries of {path} contain none of {replacements:?}"
            )));
        }
        Ok(requests)
    }

    /// Sends such requests as the query-api did: concurrently if it did so, else one after the other.
    ///
    /// # Errors
    /// A request that fails.
    pub(super) async fn send(
        &self,
        clickhouse: &HttpClient,
        requests: &[HttpRequest],
    ) -> Result<()> {
        if self.sent.in_flight > 1 {
            try_join_all(requests.iter().map(|request| send(clickhouse, request))).await?;
            return Ok(());
        }
        for request in requests {
            send(clickhouse, request).await?;
        }
        Ok(())
    }
}

fn to_request(sent: &Sent) -> HttpRequest {
    HttpRequest {
        method: Method::POST,
        path: sent.address.clone(),
        headers: sent.headers.clone(),
        body: sent.body.clone(),
    }
}

/// Replaces a value in the path and, if it is text, in the body.
pub(super) fn replace(request: &mut HttpRequest, old: &str, new: &str) {
    request.path = request.path.replace(old, new);
    if let Ok(text) = std::str::from_utf8(&request.body) {
        request.body = text.replace(old, new).into();
    }
}

/// Whether this address is of a query for a client: the query-api names each of its queries.
pub(super) fn is_client_query(address: &str) -> bool {
    let name = address
        .split(['?', '&'])
        .find_map(|pair| pair.strip_prefix("log_comment="));
    name.is_some_and(|name| !BY_ITSELF.iter().any(|own| name.contains(own)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(address: &str, body: &'static str) -> Bare {
        let mut sent = Recorded::default();
        sent.sent.push(Sent {
            address: address.to_owned(),
            headers: hyper::HeaderMap::new(),
            body: bytes::Bytes::from_static(body.as_bytes()),
        });
        Bare {
            sent,
            path: "/stats/top".to_owned(),
        }
    }

    #[test]
    fn background_queries_are_not_client_queries() {
        assert!(is_client_query(
            "/?database=g1&log_comment=report&param_from=1"
        ));
        for own in [
            "/?log_comment=progress",
            "/?log_comment=conflicting_identities",
            "/?query=SELECT+1",
        ] {
            assert!(!is_client_query(own), "{own}");
        }
    }

    #[test]
    fn values_are_replaced_or_the_query_is_rejected() {
        let replacements = [("1795".to_owned(), "1796".to_owned())];
        let requests = bare("/?a=1795", "name=to 1795")
            .requests(&replacements)
            .unwrap();
        assert_eq!(
            (&*requests[0].path, &requests[0].body[..]),
            ("/?a=1796", &b"name=to 1796"[..])
        );
        assert!(bare("/?a=7", "7").requests(&replacements).is_err());
        assert!(bare("/?a=7", "7").requests(&[]).is_ok());
    }
}
