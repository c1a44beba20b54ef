//! The insert ceiling: sends the recorded inserts of the projector again into other tables, by a client that does nothing else.
//! Never encodes anything while the clock runs.

use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::error::{Error, Result};
use crate::recorder::{Recorded, Sent};

/// Recorded inserts, addressed to another generation.
pub(crate) struct Ceiling {
    url: String,
    inserts: Vec<Sent>,
    in_flight: usize,
    http: reqwest::Client,
}

impl Ceiling {
    /// Readdresses inserts from the database `recorded_in` to `generation`.
    ///
    /// # Errors
    /// An insert whose address does not contain its database.
    pub(crate) fn new(
        recorded: &Recorded,
        clickhouse_url: &str,
        (recorded_in, generation): (&str, &str),
    ) -> Result<Self> {
        let readdressed = |insert: &Sent| {
            let address = insert.address.replace(recorded_in, generation);
            if address == insert.address {
                return Err(Error::message(format!(
                    "the address {address} of an insert does not contain its database {recorded_in}"
                )));
            }
            Ok(Sent {
                address,
                ..insert.clone()
            })
        };
        Ok(Self {
            url: clickhouse_url.to_owned(),
            inserts: recorded
                .sent
                .iter()
                .map(readdressed)
                .collect::<Result<_>>()?,
            in_flight: recorded.in_flight,
            http: reqwest::Client::new(),
        })
    }

    /// Sends all inserts with the concurrency of the projector.
    ///
    /// # Errors
    /// An insert that ClickHouse rejects.
    pub(crate) async fn send(&self) -> Result<()> {
        stream::iter(&self.inserts)
            .map(|insert| self.send_one(insert))
            .buffer_unordered(self.in_flight)
            .try_collect()
            .await
    }

    async fn send_one(&self, insert: &Sent) -> Result<()> {
        let request = self.http.post(format!("{}{}", self.url, insert.address));
        let request = request.headers(insert.headers.clone());
        let answer = request.body(insert.body.clone()).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if status.is_success() {
            return Ok(());
        }
        Err(Error::message(format!(
            "ClickHouse rejected an insert with {status}: {text}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(address: &str) -> Recorded {
        let insert = Sent {
            address: address.to_owned(),
            headers: poem::http::HeaderMap::new(),
            body: bytes::Bytes::from_static(b"rows"),
        };
        let mut recorded = Recorded::default();
        recorded.sent.push(insert);
        recorded
    }

    #[test]
    fn recorded_inserts_are_readdressed_to_another_generation() {
        let to = ("bench_recorded_g1", "bench_ceiling_2_g1");
        let sent = recorded("/?database=bench_recorded_g1&query=INSERT");
        let ceiling = Ceiling::new(&sent, "http://c", to).unwrap();
        let expected = "/?database=bench_ceiling_2_g1&query=INSERT";
        assert_eq!(ceiling.inserts[0].address, expected);
        assert!(Ceiling::new(&recorded("/?query=INSERT"), "http://c", to).is_err());
    }
}
