//! The bare SQL of a question: what the query-api sent to ClickHouse for it, kept byte for byte and sent again by the client that
//! everything is measured with. The question's own values are exchanged in it, so that ClickHouse has not answered it before.

use futures::future::try_join_all;
use hyper::Method;

use crate::error::{Error, Result};
use crate::http::client::{Ask, Connection};
use crate::recorder::{Recorded, Recorder, Sent};

/// What the query-api asks by itself, whoever asks it something or not.
const BY_ITSELF: [&str; 2] = ["progress", "conflict"];

/// What was sent for one question.
pub(super) struct Bare {
    sent: Recorded,
    question: String,
}

/// Text in an address, and what stands in its place.
pub(super) type Exchanged = (String, String);

impl Bare {
    /// Asks a query-api, whose ClickHouse is `recorder`, for `path`.
    ///
    /// # Errors
    /// No answer, or one without a question to ClickHouse.
    pub(super) async fn record(recorder: &Recorder, api_url: &str, path: &str) -> Result<Self> {
        recorder.take();
        Connection::to(api_url).send(&Ask::get(path)).await?;
        let sent = recorder.take();
        if sent.sent.is_empty() {
            return Err(Error::message(format!(
                "ClickHouse was not asked for {path}"
            )));
        }
        Ok(Self {
            sent,
            question: path.to_owned(),
        })
    }

    /// The requests, with these values exchanged.
    ///
    /// # Errors
    /// A value that stands nowhere in them: then it would be the same question again.
    pub(super) fn asks(&self, exchanged: &[Exchanged]) -> Result<Vec<Ask>> {
        let sent: Vec<Ask> = self.sent.sent.iter().map(ask).collect();
        let mut asks = sent.clone();
        for (old, new) in exchanged {
            for ask in &mut asks {
                exchange(ask, old, new);
            }
        }
        let is_same = |(ask, sent): (&Ask, &Ask)| ask.path == sent.path && ask.body == sent.body;
        if !exchanged.is_empty() && asks.iter().zip(&sent).all(is_same) {
            let question = &self.question;
            return Err(Error::message(format!(
                "what ClickHouse was asked for {question} names none of {exchanged:?}: it cannot be asked anew"
            )));
        }
        Ok(asks)
    }

    /// Sends such requests as the query-api did: side by side where it did so, else one after the other. There is a connection
    /// for each.
    ///
    /// # Errors
    /// A request that fails.
    pub(super) async fn send(&self, connections: &mut [Connection], asks: &[Ask]) -> Result<()> {
        let pairs = connections.iter_mut().zip(asks);
        if self.sent.in_flight > 1 {
            try_join_all(pairs.map(|(connection, ask)| connection.send(ask))).await?;
            return Ok(());
        }
        for (connection, ask) in pairs {
            connection.send(ask).await?;
        }
        Ok(())
    }

    /// How many requests it is.
    pub(super) fn statements(&self) -> usize {
        self.sent.sent.len()
    }
}

fn ask(sent: &Sent) -> Ask {
    Ask {
        method: Method::POST,
        path: sent.address.clone(),
        headers: sent.headers.clone(),
        body: sent.body.clone(),
    }
}

/// Exchanges a value wherever it stands: parameters are part of the address or of the body, which is text then.
pub(super) fn exchange(ask: &mut Ask, old: &str, new: &str) {
    ask.path = ask.path.replace(old, new);
    if let Ok(text) = std::str::from_utf8(&ask.body) {
        ask.body = text.replace(old, new).into();
    }
}

/// Whether a request to this address asks what somebody wanted to know: the query-api names each of its queries.
pub(super) fn is_question(address: &str) -> bool {
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
            question: "/stats/top".to_owned(),
        }
    }

    #[test]
    fn only_what_somebody_asked_is_a_question() {
        assert!(is_question("/?database=g1&log_comment=report&param_from=1"));
        for own in [
            "/?log_comment=progress",
            "/?log_comment=conflicting_identities",
            "/?query=SELECT+1",
        ] {
            assert!(!is_question(own), "{own}");
        }
    }

    #[test]
    fn a_question_is_asked_anew_or_not_at_all() {
        let exchanged = [("1795".to_owned(), "1796".to_owned())];
        let asks = bare("/?a=1795", "name=to 1795").asks(&exchanged).unwrap();
        assert_eq!(
            (&*asks[0].path, &asks[0].body[..]),
            ("/?a=1796", &b"name=to 1796"[..])
        );
        assert!(bare("/?a=7", "7").asks(&exchanged).is_err());
        assert!(bare("/?a=7", "7").asks(&[]).is_ok());
    }
}
