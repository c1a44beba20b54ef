//! The path of a record:
//!
//! ```text
//! consume → decode → batch ─┬─▶ insert → dead letters ─┬─▶ record progress → commit
//!  (the consumer's thread)  └─▶ insert → dead letters ─┘   (in order, per partition)
//!                                (batches in flight)
//! ```
//!
//! Every queue between two stages is bounded. An offset must never be committed before its record is stored (I4).

use std::{sync::Arc, time::Duration};

use ess_service::{clickhouse::generation_client, kafka::consumer_config};
use rdkafka::error::KafkaError;
use tokio::{
    runtime::Handle,
    sync::mpsc,
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;

use crate::{
    batch::{
        Limits,
        accumulator::{InFlightBatch, InFlightPermit, RecordAccumulator},
        column_pool::ColumnPool,
    },
    commit::{BatchId, progress::ProgressTable, shared::SharedOffsets},
    config::Settings,
    consume::{ConsumeError, consume, member::GroupMember},
    dead_letters::{AppendError, DeadLetters, refetch::RecordRefetcher},
    generation_watch::GenerationWatch,
    insert::{EventsTable, bisect::store_all_but_refused},
    metrics,
    status::PipelineStatus,
};

/// The pipeline cannot continue.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PipelineError {
    #[error(transparent)]
    Consume(#[from] ConsumeError),
    #[error("cannot create the producer of dead letters: {0}")]
    Producer(#[from] KafkaError),
    #[error("the producer of dead letters failed: {0}")]
    DeadLetters(#[from] AppendError),
    #[error("a task that stores a batch ended: {0}")]
    Task(#[from] JoinError),
}

/// The generation that a pipeline writes to, and its consumer group.
pub(crate) struct PipelineTarget {
    pub(crate) generation: u32,
    pub(crate) group: String,
    /// The group whose work this one continues: consumption starts no earlier than that group's offsets.
    pub(crate) previous_group: Option<String>,
    pub(crate) role: Role,
}

/// The purpose of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Keeps the active generation up to date and sends dead letters.
    Live,
    /// Brings a generation up to date that has no readers. It sends no dead letters: the live pipeline has sent them (I9).
    Rebuild,
}

/// Folds the log into one generation.
pub(crate) struct Pipeline {
    settings: Settings,
    target: PipelineTarget,
    store: Arc<BatchStore>,
    progress: ProgressTable,
    offsets: Arc<SharedOffsets>,
    status: Arc<PipelineStatus>,
}

/// Stores batches.
struct BatchStore {
    events: EventsTable,
    columns: Arc<ColumnPool>,
    refetcher: RecordRefetcher,
    /// None in a rebuild, which drops dead letters.
    dead_letters: Option<DeadLetters>,
}

/// A batch of which every record is a row or a dead letter.
struct StoredBatch {
    id: BatchId,
    _permit: InFlightPermit,
}

impl Pipeline {
    /// Builds the stages without starting them.
    ///
    /// # Errors
    /// A configuration that librdkafka refuses.
    pub(crate) fn build(
        settings: Settings,
        target: PipelineTarget,
        offsets: Arc<SharedOffsets>,
        status: Arc<PipelineStatus>,
    ) -> Result<Self, PipelineError> {
        let (kafka, projector) = (&settings.kafka, &settings.projector);
        let client = generation_client(&settings.clickhouse, target.generation);
        let memory = projector.memory();
        let dead_letters =
            || DeadLetters::new(kafka, &settings.producer, memory, Arc::clone(&status));
        let store = BatchStore {
            events: EventsTable::new(
                client.clone(),
                projector.insert_timeout,
                Arc::clone(&status),
            ),
            columns: Arc::new(ColumnPool::new(memory.batch_capacity())),
            refetcher: RecordRefetcher::new(kafka, &target.group, Arc::clone(&status)),
            dead_letters: match target.role {
                Role::Live => Some(dead_letters()?),
                Role::Rebuild => None,
            },
        };
        Ok(Self {
            progress: ProgressTable::new(client, Arc::clone(&status)),
            settings,
            target,
            store: Arc::new(store),
            offsets,
            status,
        })
    }

    /// Runs until it is stopped and drained, or until it fails.
    ///
    /// # Errors
    /// A failure of a stage, or a drain that timed out.
    pub(crate) async fn run(self, stopping: CancellationToken) -> Result<(), PipelineError> {
        let (batch_tx, batch_rx) = mpsc::channel(self.settings.projector.in_flight);
        let consumed = consume(
            self.settings.kafka.clone(),
            self.settings.projector.memory(),
            self.target.group.clone(),
            self.group_member(batch_tx, stopping.clone()),
            stopping,
        );
        tokio::select! {
            // Ends when all consumed records are stored and committed, or when the drain times out.
            ended = consumed => Ok(ended?),
            Err(error) = self.store_all(batch_rx) => Err(error),
        }
    }

    fn group_member(
        &self,
        batches: mpsc::Sender<InFlightBatch>,
        stopping: CancellationToken,
    ) -> GroupMember {
        let (kafka, projector) = (&self.settings.kafka, &self.settings.projector);
        let previous_group = self.target.previous_group.as_ref();
        let generation_watch = GenerationWatch {
            clickhouse: self.settings.clickhouse.clone(),
            generation: self.target.generation,
        };
        GroupMember {
            topic: kafka.topic.clone(),
            previous_group: previous_group
                .map(|group| consumer_config(kafka, group, "ess-projector")),
            accumulator: RecordAccumulator::new(
                Limits::from(projector),
                batches,
                Arc::clone(&self.offsets),
                Arc::clone(&self.store.columns),
                metrics::consumed(&kafka.topic, &self.target.group),
            ),
            offsets: Arc::clone(&self.offsets),
            progress: self.progress.clone(),
            status: Arc::clone(&self.status),
            runtime: Handle::current(),
            drain_timeout: drain_timeout(self.settings.shutdown.deadline),
            paused: false.into(),
            generation_watch: (self.target.role == Role::Live).then_some(generation_watch),
            stopping,
        }
    }

    async fn store_all(
        &self,
        mut batches: mpsc::Receiver<InFlightBatch>,
    ) -> Result<(), PipelineError> {
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                Some(batch) = batches.recv() => {
                    tasks.spawn(store_batch(Arc::clone(&self.store), batch));
                }
                Some(stored) = tasks.join_next() => {
                    let mut all = vec![stored??];
                    while let Some(stored) = tasks.try_join_next() {
                        all.push(stored??);
                    }
                    self.record(all).await;
                }
                else => return Ok(()),
            }
        }
    }

    /// Records the progress of stored batches, first in the read model, then in the offset tracker, whose offsets the consumer
    /// commits.
    async fn record(&self, stored: Vec<StoredBatch>) {
        let ids: Vec<BatchId> = stored.iter().map(|stored| stored.id).collect();
        let watermarks = self.offsets.mark_stored(&ids);
        self.progress.record(&watermarks).await;
        self.offsets.mark_recorded(&watermarks);
    }
}

/// Makes every record of a batch a row or a dead letter; retries until both servers acknowledge them.
async fn store_batch(
    store: Arc<BatchStore>,
    in_flight: InFlightBatch,
) -> Result<StoredBatch, AppendError> {
    let InFlightBatch { id, batch, permit } = in_flight;
    let insert = |range| store.events.insert(&batch.rows, range);
    let refused = store_all_but_refused(batch.rows.len(), insert).await;
    let refused = refused
        .into_iter()
        .map(|(index, reason)| (batch.rows.position(index), reason))
        .collect();
    store.columns.release(batch.rows);
    if let Some(dead_letters) = &store.dead_letters {
        let refused = store.refetcher.dead_letters(refused).await;
        dead_letters.append(&batch.dead_letters).await?;
        dead_letters.append(&refused).await?;
    }
    Ok(StoredBatch {
        id,
        _permit: permit,
    })
}

/// The rest of the drain deadline is for leaving the group.
fn drain_timeout(deadline: Duration) -> Duration {
    deadline * 3 / 4
}
