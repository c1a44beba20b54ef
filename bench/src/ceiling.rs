//! The insert ceiling: what the projector sent, sent again byte for byte into tables of its own by a client that does nothing
//! else. Nothing is encoded while the clock runs.

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
    /// Addresses what was recorded for the database `recorded_in` to the database `generation`.
    ///
    /// # Errors
    /// An insert that does not name its database in its address.
    pub(crate) fn new(
        recorded: &Recorded,
        clickhouse_url: &str,
        (recorded_in, generation): (&str, &str),
    ) -> Result<Self> {
        let readdressed = |insert: &Sent| {
            let address = insert.address.replace(recorded_in, generation);
            if address == insert.address {
                return Err(Error::message(format!(
                    "an insert does not name its database {recorded_in} in its address {address}: it cannot be sent to another"
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

    /// Sends everything, as many at once as the projector did, and waits for every answer.
    ///
    /// # Errors
    /// An insert that ClickHouse refuses.
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
            "ClickHouse refused an insert with {status}: {text}"
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
    fn what_was_recorded_for_one_generation_goes_to_another_and_never_back() {
        let to = ("bench_recorded_g1", "bench_ceiling_2_g1");
        let sent = recorded("/?database=bench_recorded_g1&query=INSERT");
        let ceiling = Ceiling::new(&sent, "http://c", to).unwrap();
        let expected = "/?database=bench_ceiling_2_g1&query=INSERT";
        assert_eq!(ceiling.inserts[0].address, expected);
        assert!(Ceiling::new(&recorded("/?query=INSERT"), "http://c", to).is_err());
    }
}
