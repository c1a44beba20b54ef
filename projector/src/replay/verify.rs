//! Compares a generation with the active one before it is promoted. Live traffic makes differences that are gone a moment later;
//! one that remains after several comparisons is reported and prevents the promotion.

use ess_service::clickhouse::generation_client;
use tokio::time::sleep;

use super::{
    error::ReplayError,
    identities::{self, EventComparison},
    rebuild::{POLL_INTERVAL, Rebuild, offset_of, projected_offsets},
    sample::{Difference, Sample},
};
use crate::{command::print, kafka};

/// Comparisons of the events, up to the offset that both generations have.
const MAX_EVENT_COMPARISONS: usize = 5;
/// Comparisons of a playback. One generation may always have one more event, so one match is enough.
const MAX_PLAYBACK_COMPARISONS: usize = 25;
/// Differences in the report.
const MAX_REPORTED: usize = 20;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The events only.
    Events,
    /// The events, and the aggregates of a sample of playbacks.
    Aggregates,
}

impl Rebuild<'_> {
    /// Compares the generation with the active one.
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
            print("the differences are accepted (--accept-differences)");
            return Ok(());
        }
        Err(ReplayError::Differs {
            generation: self.generation,
            partitions,
            values,
        })
    }

    /// Returns the number of partitions whose events differ.
    async fn verify_events(&self) -> Result<usize, ReplayError> {
        let mut comparison = self.compare_events().await?;
        for _ in 1..MAX_EVENT_COMPARISONS {
            if comparison.differences.is_empty() {
                break;
            }
            sleep(POLL_INTERVAL).await;
            comparison = self.compare_events().await?;
        }
        let EventComparison {
            events,
            differences,
        } = comparison;
        print(&match (events, differences.len()) {
            (0, 0) => "the active generation is empty, nothing to compare".to_owned(),
            (_, 0) => format!("verified: both generations have the same {events} events"),
            _ => identities::table(&differences),
        });
        Ok(differences.len())
    }

    /// Compares both generations from the low watermark to the offset that both have.
    async fn compare_events(&self) -> Result<EventComparison, ReplayError> {
        let bounds = kafka::bounds(&self.settings.kafka).await?;
        let (active, rebuilt) = (
            projected_offsets(self.settings, self.active).await?,
            projected_offsets(self.settings, self.generation).await?,
        );
        let ranges = bounds.iter().map(|(partition, at)| {
            let both = offset_of(&active, *partition).min(offset_of(&rebuilt, *partition));
            (*partition, at.low..both)
        });
        let client = |generation| generation_client(&self.settings.clickhouse, generation);
        let clients = [&client(self.active), &client(self.generation)];
        Ok(identities::compare(clients, &ranges.collect()).await?)
    }

    /// Returns the number of values that differ in the sampled playbacks.
    async fn verify_aggregates(&self) -> Result<usize, ReplayError> {
        let bounds = kafka::bounds(&self.settings.kafka).await?;
        if bounds.values().any(|at| at.low > 0) {
            print("Kafka has deleted the beginning of the log, so aggregates cannot be compared");
            return Ok(0);
        }
        let client = |generation| generation_client(&self.settings.clickhouse, generation);
        let generations = [&client(self.active), &client(self.generation)];
        let sample = Sample::choose(generations).await?;
        let (playbacks, mut differences) = sample.compare().await?;
        for _ in 1..MAX_PLAYBACK_COMPARISONS {
            if differences.is_empty() {
                break;
            }
            sleep(POLL_INTERVAL).await;
            differences = sample.compare_again(&differences).await?;
        }
        print(&if differences.is_empty() {
            format!("verified: both generations have the same aggregates of {playbacks} playbacks")
        } else {
            report(&differences)
        });
        Ok(differences.len())
    }
}

fn report(differences: &[Difference]) -> String {
    let reported = differences.iter().take(MAX_REPORTED).map(|difference| {
        let (playback, column) = (&difference.playback, &difference.column);
        let [active, rebuilt] = &difference.values;
        format!("playback {playback}, column {column}:\n  active:  {active}\n  rebuilt: {rebuilt}")
    });
    let more = differences.len().saturating_sub(MAX_REPORTED);
    let more = (more > 0).then(|| format!("and {more} more"));
    reported.chain(more).collect::<Vec<_>>().join("\n")
}
