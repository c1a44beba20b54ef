//! The path of a record, as its diagram shows it:
//!
//! ```text
//! consume → decode → batch ─┬─▶ insert → dead letters ─┬─▶ record progress → commit
//!  (the consumer's thread)  └─▶ insert → dead letters ─┘   (in order, per partition)
//!                                (some batches in flight)
//! ```
//!
//! Everything between two stages is bounded; nothing is committed before it is stored (I4).

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
    batch::Limits,
    batch::column_pool::Spares,
    batch::dispatch::{InFlight, Intake, Place},
    commit::BatchId,
    commit::offsets::Offsets,
    commit::progress::Progress,
    config::Settings,
    consume::member::Member,
    consume::{ConsumeError, consume},
    dead_letters::refetch::Originals,
    dead_letters::{AppendError, DeadLetters},
    generation_watch::CourseWatch,
    insert::Events,
    insert::bisect::store_all_but_refused,
    metrics,
    status::Vitals,
};

/// The pipeline cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PipelineError {
    #[error(transparent)]
    Consume(#[from] ConsumeError),
    #[error("the producer of dead letters cannot be made: {0}")]
    Producer(#[from] KafkaError),
    #[error("the producer of dead letters is broken: {0}")]
    DeadLetters(#[from] AppendError),
    #[error("a batch's task ended: {0}")]
    Task(#[from] JoinError),
}

/// What is folded into, and as whom.
pub(crate) struct Target {
    pub(crate) generation: u32,
    /// The consumer group.
    pub(crate) group: String,
    /// The group whose work this one goes on with: it starts no earlier than that one came.
    pub(crate) predecessor: Option<String>,
    pub(crate) role: Role,
}

/// What a pipeline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It keeps the generation up to date that readers read, and sends dead letters.
    Live,
    /// It brings a generation up to date that nobody reads; it sends no dead letters, because the live one has (I9).
    Rebuild,
}

/// Folds the log into one generation.
pub(crate) struct Pipeline {
    settings: Settings,
    target: Target,
    store: Arc<Store>,
    progress: Progress,
    offsets: Arc<Offsets>,
    vitals: Arc<Vitals>,
}

/// Where batches end.
struct Store {
    events: Events,
    spares: Arc<Spares>,
    originals: Originals,
    /// None: they are left out.
    dead_letters: Option<DeadLetters>,
}

/// A batch of which every record is a row or a dead letter.
struct Stored {
    id: BatchId,
    _place: Place,
}

impl Pipeline {
    /// Builds the stages; nothing runs yet.
    ///
    /// # Errors
    /// A configuration that librdkafka refuses.
    pub(crate) fn build(
        settings: Settings,
        target: Target,
        offsets: Arc<Offsets>,
        vitals: Arc<Vitals>,
    ) -> Result<Self, PipelineError> {
        let (kafka, projector) = (&settings.kafka, &settings.projector);
        let read_model = generation_client(&settings.clickhouse, target.generation);
        let memory = projector.memory();
        let dead_letters =
            || DeadLetters::new(kafka, &settings.producer, memory, Arc::clone(&vitals));
        let store = Store {
            spares: Arc::new(Spares::new(memory.batch_room())),
            events: Events::new(
                read_model.clone(),
                projector.insert_timeout,
                Arc::clone(&vitals),
            ),
            originals: Originals::new(kafka, &target.group, Arc::clone(&vitals)),
            dead_letters: match target.role {
                Role::Live => Some(dead_letters()?),
                Role::Rebuild => None,
            },
        };
        Ok(Self {
            progress: Progress::new(read_model, Arc::clone(&vitals)),
            settings,
            target,
            store: Arc::new(store),
            offsets,
            vitals,
        })
    }

    /// Runs until told to stop and drained, or until it cannot go on.
    ///
    /// # Errors
    /// What keeps it from going on, or from draining in time.
    pub(crate) async fn run(self, stopping: CancellationToken) -> Result<(), PipelineError> {
        let (taken, batches) = mpsc::channel(self.settings.projector.in_flight);
        let consumed = consume(
            self.settings.kafka.clone(),
            self.settings.projector.memory(),
            self.target.group.clone(),
            self.member(taken, stopping.clone()),
            stopping,
        );
        tokio::select! {
            // It ends after what it took is stored and committed, or when the time for that is over.
            ended = consumed => Ok(ended?),
            Err(error) = self.store_all(batches) => Err(error),
        }
    }

    fn member(&self, taken: mpsc::Sender<InFlight>, stopping: CancellationToken) -> Member {
        let projector = &self.settings.projector;
        let limits = Limits::from(projector);
        let topic = self.settings.kafka.topic.clone();
        let consumed = metrics::consumed(&topic, &self.target.group);
        let offsets = Arc::clone(&self.offsets);
        let predecessor = self.target.predecessor.as_ref();
        let course = CourseWatch {
            clickhouse: self.settings.clickhouse.clone(),
            generation: self.target.generation,
        };
        Member {
            course: (self.target.role == Role::Live).then_some(course),
            stopping,
            predecessor: predecessor
                .map(|group| consumer_config(&self.settings.kafka, group, "ess-projector")),
            intake: Intake::new(
                limits,
                projector.in_flight,
                taken,
                offsets,
                Arc::clone(&self.store.spares),
                consumed,
            ),
            topic,
            offsets: Arc::clone(&self.offsets),
            progress: self.progress.clone(),
            vitals: Arc::clone(&self.vitals),
            runtime: Handle::current(),
            settle_within: settle_within(self.settings.shutdown.deadline),
            paused: false.into(),
        }
    }

    async fn store_all(&self, mut batches: mpsc::Receiver<InFlight>) -> Result<(), PipelineError> {
        let mut storing = JoinSet::new();
        loop {
            tokio::select! {
                Some(batch) = batches.recv() => {
                    storing.spawn(store(Arc::clone(&self.store), batch));
                }
                Some(stored) = storing.join_next() => {
                    let mut all = vec![stored??];
                    while let Some(stored) = storing.try_join_next() {
                        all.push(stored??);
                    }
                    self.acknowledge(all).await;
                }
                else => return Ok(()),
            }
        }
    }

    /// Says that these batches are stored: first in the read model, then to the consumer, which commits.
    async fn acknowledge(&self, stored: Vec<Stored>) {
        let ids: Vec<BatchId> = stored.iter().map(|stored| stored.id).collect();
        let watermarks = self.offsets.acknowledge(&ids);
        self.progress.record(&watermarks).await;
        self.offsets.recorded(&watermarks);
    }
}

/// Makes every record of a batch a row or a dead letter, however long it takes.
async fn store(store: Arc<Store>, taken: InFlight) -> Result<Stored, AppendError> {
    let InFlight { id, batch, place } = taken;
    let rows = store.events.of(&batch.rows);
    let refused = store_all_but_refused(&rows, batch.rows.len()).await;
    let refused = refused
        .into_iter()
        .map(|(index, refusal)| (batch.rows.position(index), refusal))
        .collect();
    store.spares.give(batch.rows);
    if let Some(dead_letters) = &store.dead_letters {
        let refused = store.originals.dead_letters(refused).await;
        dead_letters.append(&batch.dead_letters).await?;
        dead_letters.append(&refused).await?;
    }
    Ok(Stored { id, _place: place })
}

/// What is left of the drain deadline must do for leaving the group.
fn settle_within(deadline: Duration) -> Duration {
    deadline * 3 / 4
}
