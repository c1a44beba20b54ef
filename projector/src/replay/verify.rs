//! Whether a generation may take the place of the active one. Live traffic makes differences that are gone at the next look;
//! what is still there after several is believed, told, and keeps the generation from being promoted.

use std::fmt::Write as _;

use ess_service::clickhouse::generation_client;
use tokio::time::sleep;

use super::{
    error::ReplayError,
    identities::{self, Verdict},
    rebuild::{LOOK_EVERY, Rebuild, held_of},
    sample::{Deviation, Sample},
};
use crate::{command::say, kafka};

/// Looks at the events, as far as both generations hold the log.
const LOOKS_AT_EVENTS: usize = 5;
/// Looks at a playback, of which one generation may always know an event more: it is enough that they agree once.
const LOOKS_AT_A_PLAYBACK: usize = 25;
/// Values that are told.
const TOLD: usize = 20;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Which events there are.
    Events,
    /// Also what was made of them.
    Aggregates,
}

impl Rebuild<'_> {
    /// Holds the generation against the active one.
    pub(crate) async fn verify(
        &self,
        scope: Scope,
        accept_differences: bool,
    ) -> Result<(), ReplayError> {
        let partitions = self.verify_events().await?;
        let values = match scope {
            Scope::Events => 0,
            Scope::Aggregates => self.verify_aggregates().await?,
        };
        if partitions + values == 0 {
            return Ok(());
        }
        if accept_differences {
            say("the differences are accepted, as asked");
            return Ok(());
        }
        Err(ReplayError::Differs {
            generation: self.generation,
            partitions,
            values,
        })
    }

    /// Tells in how many partitions the events differ.
    async fn verify_events(&self) -> Result<usize, ReplayError> {
        let mut verdict = self.compare_events().await?;
        for _ in 1..LOOKS_AT_EVENTS {
            if verdict.differences.is_empty() {
                break;
            }
            sleep(LOOK_EVERY).await;
            verdict = self.compare_events().await?;
        }
        let Verdict {
            events,
            differences,
        } = verdict;
        say(&match (events, differences.len()) {
            (0, 0) => "the active generation is empty: nothing could be compared".to_owned(),
            (_, 0) => format!("verified: {events} events, the same in both generations"),
            _ => identities::table(&differences),
        });
        Ok(differences.len())
    }

    /// Compares both generations from where the log begins to where both have come.
    async fn compare_events(&self) -> Result<Verdict, ReplayError> {
        let bounds = kafka::bounds(&self.settings.kafka).await?;
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

    /// Tells how many values of the sampled playbacks differ.
    async fn verify_aggregates(&self) -> Result<usize, ReplayError> {
        let bounds = kafka::bounds(&self.settings.kafka).await?;
        if bounds.values().any(|at| at.low > 0) {
            say("the log has lost its beginning, aggregates made of it cannot be compared");
            return Ok(0);
        }
        let client = |generation| generation_client(&self.settings.clickhouse, generation);
        let generations = [&client(self.active), &client(self.generation)];
        let sample = Sample::choose(generations).await?;
        let (playbacks, mut deviations) = sample.compare().await?;
        for _ in 1..LOOKS_AT_A_PLAYBACK {
            if deviations.is_empty() {
                break;
            }
            sleep(LOOK_EVERY).await;
            deviations = sample.compare_again(&deviations).await?;
        }
        say(&if deviations.is_empty() {
            format!(
                "verified: the aggregates of {playbacks} playbacks, the same in both generations"
            )
        } else {
            told(&deviations)
        });
        Ok(deviations.len())
    }
}

fn told(deviations: &[Deviation]) -> String {
    let mut text = String::new();
    for deviation in deviations.iter().take(TOLD) {
        let [active, rebuilt] = &deviation.values;
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "playback {}, column {}:\n  active:  {active}\n  rebuilt: {rebuilt}",
            deviation.playback, deviation.column
        );
    }
    if deviations.len() > TOLD {
        let _ = writeln!(text, "and {} more", deviations.len() - TOLD);
    }
    text
}
