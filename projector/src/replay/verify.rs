//! Whether a rebuilt generation may take the place of the active one. Live traffic makes differences that are gone at the next
//! look; what is still there after several is believed, told, and keeps the generation from being promoted.

use ess_service::clickhouse::generation as generation_client;
use tokio::time::sleep;

use super::{
    error::ReplayError,
    identities::{self, Verdict},
    rebuild::{LOOK_EVERY, Rebuild, held_of},
};
use crate::{log, operation::say};

const LOOKS_BEFORE_BELIEVING: usize = 5;

impl Rebuild<'_> {
    /// Holds the generation against the active one.
    pub(crate) async fn verify(&self, accept_differences: bool) -> Result<(), ReplayError> {
        let mut verdict = self.compare().await?;
        for _ in 1..LOOKS_BEFORE_BELIEVING {
            if verdict.differences.is_empty() {
                break;
            }
            sleep(LOOK_EVERY).await;
            verdict = self.compare().await?;
        }
        let Verdict {
            events,
            differences,
        } = verdict;
        if differences.is_empty() {
            say(&match events {
                0 => "the active generation is empty: nothing could be compared".to_owned(),
                _ => format!("verified: {events} events, the same in both generations"),
            });
            return Ok(());
        }
        say(&identities::table(&differences));
        if accept_differences {
            say("the differences are accepted, as asked");
            return Ok(());
        }
        Err(ReplayError::Differs {
            generation: self.generation,
            partitions: differences.len(),
        })
    }

    /// Compares both generations from where the log begins to where both have come.
    async fn compare(&self) -> Result<Verdict, ReplayError> {
        let bounds = log::bounds(&self.settings.kafka).await?;
        let (active, rebuilt) = (
            self.held(self.active).await?,
            self.held(self.generation).await?,
        );
        let ranges = bounds.iter().map(|(partition, at)| {
            let both = held_of(&active, *partition).min(held_of(&rebuilt, *partition));
            (*partition, at.low..both)
        });
        let client = |generation| generation_client(&self.settings.clickhouse, generation);
        let clients = [&client(self.active), &client(self.generation)];
        Ok(identities::compare(clients, &ranges.collect()).await?)
    }
}
