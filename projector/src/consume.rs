//! The consumer's thread: takes records from the log into batches, serves the group, commits. When everything behind it is
//! full, it pauses its partitions and goes on serving the group, so that it keeps them (I10). It never waits for a row
//! except when partitions go.

pub(crate) mod member;

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use ess_service::{config::KafkaConfig, kafka::consumer_config};
use rdkafka::{
    consumer::{BaseConsumer, CommitMode, Consumer as _},
    error::KafkaError,
};
use tokio::{sync::oneshot, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{batch::Due, consume::member::Member, memory::Memory, status::Bounds};

/// Records taken between two looks at the batch.
const BURST: usize = 512;
/// Longest wait for a record, so that commits, stops and pauses are not kept waiting.
const IDLE: Duration = Duration::from_millis(100);
/// How long a full batch blocks the thread before the partitions are paused: pausing throws away what was fetched ahead, so
/// it is for a read model in trouble, not for one that is busy. Far below `max.poll.interval.ms`, 5 min.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between two commits.
const COMMIT_EVERY: Duration = Duration::from_millis(200);
/// Between two looks for a topic that is not there.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long a partition may take to tell its bounds while nothing is taken.
const WATERMARKS_WITHIN: Duration = Duration::from_secs(1);
const METADATA_WITHIN: Duration = Duration::from_secs(5);
/// More cannot be named by a position.
const MOST_PARTITIONS: usize = 1 << 16;

/// The consumer cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConsumeError {
    #[error("the consumer's thread cannot be started: {0}")]
    Thread(#[from] io::Error),
    #[error("the log cannot be consumed: {0}")]
    Kafka(#[from] KafkaError),
    #[error("topic {0} has {1} partitions; {MOST_PARTITIONS} at most can be told apart")]
    TooManyPartitions(String, usize),
    #[error(
        "the time for settling passed with records taken but not stored; their offsets are not committed, the next start takes them again"
    )]
    Unsettled,
    #[error("the consumer's thread panicked")]
    Panicked,
}

/// Consumes until told to stop, then settles and leaves the group. The future ends when the thread does.
pub(crate) async fn consume(
    kafka: KafkaConfig,
    memory: Memory,
    group: String,
    member: Member,
    stopping: CancellationToken,
) -> Result<(), ConsumeError> {
    let (ending, ended) = oneshot::channel();
    thread::Builder::new()
        .name("consumer".to_owned())
        .spawn(move || {
            let consumed =
                Consumer::new(&kafka, memory, &group, member, stopping).and_then(Consumer::run);
            let _ = ending.send(consumed);
        })?;
    ended.await.unwrap_or(Err(ConsumeError::Panicked))
}

struct Consumer {
    client: BaseConsumer<Member>,
    stopping: CancellationToken,
    /// How long the next poll may wait for a record.
    wait: Duration,
    committed: Instant,
    /// Which of the paused partitions was asked for its bounds last.
    looks: usize,
}

impl Consumer {
    fn new(
        kafka: &KafkaConfig,
        memory: Memory,
        group: &str,
        member: Member,
        stopping: CancellationToken,
    ) -> Result<Self, ConsumeError> {
        let mut config = consumer_config(kafka, group, "ess-projector");
        memory.bound_fetching(&mut config);
        config
            // High watermarks and the brokers' state, for lag and readiness.
            .set("statistics.interval.ms", "1000")
            // A projector that was killed is replaced this much later: the shortest that a broker accepts by default
            // (group.min.session.timeout.ms). Heartbeats come from a thread of their own, so that load delays none.
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "1500");
        Ok(Self {
            client: config.create_with_context(member)?,
            stopping,
            wait: IDLE,
            committed: Instant::now(),
            looks: 0,
        })
    }

    fn run(mut self) -> Result<(), ConsumeError> {
        if !self.wait_for_topic()? {
            return Ok(());
        }
        self.client.subscribe(&[&self.member().topic])?;
        while !self.stopping.is_cancelled() {
            self.turn()?;
        }
        self.leave()
    }

    /// Waits until the topic is there; it is never created here. False: told to stop.
    fn wait_for_topic(&self) -> Result<bool, ConsumeError> {
        let topic = self.member().topic.as_str();
        while !self.stopping.is_cancelled() {
            let problem = match self.partitions_of(topic) {
                Ok(Some(count)) if count > MOST_PARTITIONS => {
                    return Err(ConsumeError::TooManyPartitions(topic.to_owned(), count));
                }
                Ok(Some(_)) => return Ok(true),
                Ok(None) => format!("topic {topic} does not exist; `projector init` creates it"),
                Err(error) => format!("no broker of the log answers: {error}"),
            };
            tracing::warn!("waiting for the log: {problem}");
            self.member().vitals.log(Some(problem));
            self.within(LOOK_AGAIN, std::future::pending());
        }
        Ok(false)
    }

    fn partitions_of(&self, topic: &str) -> Result<Option<usize>, KafkaError> {
        let metadata = self.client.fetch_metadata(Some(topic), METADATA_WITHIN)?;
        let found = metadata.topics().iter().find(|known| known.name() == topic);
        let count = found.filter(|known| known.error().is_none());
        Ok(count
            .map(|known| known.partitions().len())
            .filter(|count| *count > 0))
    }

    /// Waits for `done`, at most `time` and no longer than until told to stop. True: it is done.
    fn within(&self, time: Duration, done: impl Future<Output = ()>) -> bool {
        self.member().runtime.block_on(async {
            tokio::select! {
                () = done => true,
                () = sleep(time) => false,
                () = self.stopping.cancelled() => false,
            }
        })
    }

    fn turn(&mut self) -> Result<(), ConsumeError> {
        self.member().vitals.polled(Instant::now());
        let dry = self.take_burst()?;
        let due = self.member().intake.due(dry);
        self.wait = match due {
            Due::Empty => IDLE,
            Due::In(left) if dry => left.min(IDLE),
            Due::In(_) => Duration::ZERO,
            // With no room for it the batch is filled further; with nothing to fill it with, room is waited for.
            Due::Now if self.member().intake.try_hand_on() || !dry => Duration::ZERO,
            Due::Now => Duration::from_millis(1),
            Due::Full => {
                self.make_room()?;
                Duration::ZERO
            }
        };
        if due != Due::Full && self.is_paused() {
            // What was full went as partitions were settled.
            self.pause(false)?;
        }
        if self.committed.elapsed() >= COMMIT_EVERY {
            self.member().commit(&self.client, CommitMode::Async);
            self.committed = Instant::now();
        }
        Ok(())
    }

    /// Takes what is there, up to a burst, and no more than the batch may hold. True: the log had nothing more.
    fn take_burst(&self) -> Result<bool, ConsumeError> {
        let mut wait = self.wait;
        let mut now = None;
        for _ in 0..BURST {
            match self.client.poll(wait) {
                Some(Ok(record)) => {
                    let now = *now.get_or_insert_with(Instant::now);
                    if self.member().intake.take(&record, now) {
                        return Ok(false);
                    }
                }
                Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => {
                    return Err(error.into());
                }
                // Everything else mends itself; the client has logged it.
                Some(Err(_)) => {}
                None => return Ok(true),
            }
            wait = Duration::ZERO;
        }
        Ok(false)
    }

    /// Hands the full batch on, or pauses the partitions: the group is served meanwhile, nothing more is taken.
    fn make_room(&mut self) -> Result<(), ConsumeError> {
        let patience = if self.is_paused() { IDLE } else { PATIENCE };
        let room = self.within(patience, self.member().intake.hand_on());
        if room == self.is_paused() {
            self.pause(!room)?;
        } else if !room {
            self.look_at_bounds()?;
        }
        Ok(())
    }

    /// Asks for the bounds of one partition after the other: what is paused is not fetched, and so not told of, and the lag
    /// must be (I11).
    fn look_at_bounds(&mut self) -> Result<(), ConsumeError> {
        let assigned = self.client.assignment()?;
        self.looks = (self.looks + 1) % assigned.count().max(1);
        let Some(next) = assigned.elements().into_iter().nth(self.looks) else {
            return Ok(());
        };
        let asked =
            self.client
                .fetch_watermarks(&self.member().topic, next.partition(), WATERMARKS_WITHIN);
        // One that is not told keeps the bounds that are known.
        if let Ok((low, high)) = asked {
            let (low, high) = (low.max(0) as u64, high.max(0) as u64);
            let bounds = Bounds { low, high };
            self.member().vitals.bound(next.partition() as u16, bounds);
        }
        Ok(())
    }

    fn is_paused(&self) -> bool {
        self.member().paused.load(Ordering::Relaxed)
    }

    fn pause(&self, pause: bool) -> Result<(), ConsumeError> {
        let partitions = self.client.assignment()?;
        if pause {
            tracing::info!("everything in flight is full: partitions paused");
            self.client.pause(&partitions)?;
        } else {
            tracing::info!("there is room again: partitions resumed");
            self.client.resume(&partitions)?;
        }
        self.member().paused.store(pause, Ordering::Relaxed);
        Ok(())
    }

    /// Stores and commits what was taken, then leaves the group.
    fn leave(self) -> Result<(), ConsumeError> {
        let member = self.member();
        let partitions = member.offsets.lock().assigned();
        let settled = member.settle(&self.client, &partitions);
        // What is not settled by now is not ours any more.
        for partition in &partitions {
            member.offsets.lock().revoke(*partition);
        }
        drop(self.client);
        if settled {
            tracing::info!("everything taken is stored and committed, the group is left");
            Ok(())
        } else {
            Err(ConsumeError::Unsettled)
        }
    }

    fn member(&self) -> &Arc<Member> {
        self.client.context()
    }
}
