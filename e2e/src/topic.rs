//! A Kafka topic as any client of the broker uses it: append any bytes, read every record, query offsets. Independent of
//! the services' own clients.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ess_schema::Position;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::groups::GroupInfo;
use rdkafka::message::{Header, Headers, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::util::Timeout;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use tokio::task::spawn_blocking;

const TIMEOUT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);

/// A topic.
#[derive(Clone)]
pub struct Topic {
    brokers: String,
    name: String,
    producer: FutureProducer<DefaultClientContext>,
}

/// A record of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its partition and offset.
    pub position: Position,
    /// The key; none if the record has none.
    pub key: Option<Vec<u8>>,
    /// The value, none for a tombstone.
    pub payload: Option<Vec<u8>>,
    /// Header names and values, in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Record {
    /// The value of a header as text.
    pub fn header(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }
}

impl Topic {
    pub(crate) fn new(brokers: &str, name: String) -> Self {
        let producer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            // The broker limits compressed batches, the client uncompressed records: a test may exceed the topic's limit.
            .set("compression.type", "lz4")
            .set("message.max.bytes", "32000000")
            .create()
            .unwrap();
        Self {
            brokers: brokers.to_owned(),
            name,
            producer,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Appends a record as it is: without a key, without a value (a tombstone), or without headers.
    ///
    /// # Panics
    /// When the broker does not acknowledge it.
    pub async fn append(
        &self,
        key: Option<&[u8]>,
        payload: Option<&[u8]>,
        headers: &[(&str, &[u8])],
    ) -> Position {
        let mut all = OwnedHeaders::new();
        for (key, value) in headers {
            let value = Some(*value);
            all = all.insert(Header { key, value });
        }
        let mut record = FutureRecord::<[u8], [u8]>::to(&self.name).headers(all);
        record.key = key;
        record.payload = payload;
        let sent = self.producer.send(record, Timeout::After(TIMEOUT));
        let delivered = sent.await.unwrap_or_else(|(error, _)| panic!("{error}"));
        position(delivered.partition, delivered.offset)
    }

    /// Every record up to now, in order of partition and offset.
    ///
    /// # Panics
    /// When the broker does not respond.
    pub async fn records(&self) -> Vec<Record> {
        let topic = self.clone();
        spawn_blocking(move || topic.read()).await.unwrap()
    }

    /// The next offset of every partition.
    ///
    /// # Panics
    /// When the broker does not respond.
    pub async fn end_offsets(&self) -> BTreeMap<u16, u64> {
        let topic = self.clone();
        let ends = spawn_blocking(move || topic.ends(&topic.consumer("ess-e2e")));
        ends.await.unwrap()
    }

    /// The committed offsets of `group`; partitions without one are left out.
    ///
    /// # Panics
    /// When the broker does not respond.
    pub async fn committed_offsets(&self, group: &str) -> BTreeMap<u16, u64> {
        let (topic, group) = (self.clone(), group.to_owned());
        let committed = spawn_blocking(move || {
            let consumer = topic.consumer(&group);
            let mut partitions = TopicPartitionList::new();
            for partition in topic.ends(&consumer).into_keys() {
                partitions.add_partition(&topic.name, i32::from(partition));
            }
            consumer.committed_offsets(partitions, TIMEOUT).unwrap()
        });
        let committed = committed.await.unwrap();
        let elements = committed.elements();
        let offset = |offset| match offset {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        };
        let each = elements
            .iter()
            .filter_map(|at| Some((at.partition(), offset(at.offset())?)));
        each.map(|(partition, offset)| position(partition, offset))
            .map(|at| (at.partition, at.offset))
            .collect()
    }

    /// The member ids of `group`, in order; a member that rejoins gets a new id.
    ///
    /// # Panics
    /// When the broker does not respond.
    pub async fn members(&self, group: &str) -> Vec<String> {
        let (topic, group) = (self.clone(), group.to_owned());
        let members = spawn_blocking(move || {
            let consumer = topic.consumer("ess-e2e");
            let list = consumer.fetch_group_list(Some(&group), TIMEOUT);
            let list = list.unwrap();
            let members = list.groups().iter().flat_map(GroupInfo::members);
            let mut ids: Vec<_> = members.map(|member| member.id().to_owned()).collect();
            ids.sort_unstable();
            ids
        });
        members.await.unwrap()
    }

    /// Resets every committed offset of `group` to 0; the group must have no members.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn reset(&self, group: &str) {
        let (topic, group) = (self.clone(), group.to_owned());
        let reset = spawn_blocking(move || {
            let consumer = topic.consumer(&group);
            let mut beginning = TopicPartitionList::new();
            for partition in topic.ends(&consumer).into_keys() {
                let partition = i32::from(partition);
                let added =
                    beginning.add_partition_offset(&topic.name, partition, Offset::Offset(0));
                added.unwrap();
            }
            consumer.commit(&beginning, CommitMode::Sync).unwrap();
        });
        reset.await.unwrap();
    }

    /// Joins `group` as a member that is assigned partitions and never commits, until it is dropped.
    ///
    /// # Panics
    /// When no partition is assigned in time.
    pub async fn join(&self, group: &str) -> BaseConsumer {
        let (topic, group) = (self.clone(), group.to_owned());
        let joined = spawn_blocking(move || {
            let member = topic.consumer(&group);
            member.subscribe(&[&topic.name]).unwrap();
            let end = Instant::now() + TIMEOUT;
            while member.assignment().unwrap().count() == 0 {
                assert!(Instant::now() < end, "group {group} assigned no partition");
                let _ = member.poll(POLL);
            }
            member
        });
        joined.await.unwrap()
    }

    /// Deletes the records below these offsets, as retention does.
    ///
    /// # Panics
    /// When the broker refuses.
    pub async fn delete_below(&self, offsets: &BTreeMap<u16, u64>) {
        let mut below = TopicPartitionList::new();
        for (partition, offset) in offsets {
            let offset = Offset::Offset(i64::try_from(*offset).unwrap());
            let added = below.add_partition_offset(&self.name, i32::from(*partition), offset);
            added.unwrap();
        }
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
        let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
        let deleted = admin.delete_records(&below, &options).await.unwrap();
        for partition in deleted.elements() {
            partition.error().unwrap();
        }
    }

    fn consumer(&self, group: &str) -> BaseConsumer {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "false");
        config.create().unwrap()
    }

    fn ends(&self, consumer: &BaseConsumer) -> BTreeMap<u16, u64> {
        let metadata = consumer.fetch_metadata(Some(&self.name), TIMEOUT);
        let metadata = metadata.unwrap();
        let partitions = metadata.topics()[0].partitions();
        let ends = partitions.iter().map(|partition| {
            let watermarks = consumer.fetch_watermarks(&self.name, partition.id(), TIMEOUT);
            let end = position(partition.id(), watermarks.unwrap().1);
            (end.partition, end.offset)
        });
        ends.collect()
    }

    fn read(&self) -> Vec<Record> {
        let consumer = self.consumer("ess-e2e");
        let mut missing = self.ends(&consumer);
        missing.retain(|_, end| *end > 0);
        let mut assigned = TopicPartitionList::new();
        for partition in missing.keys() {
            let partition = i32::from(*partition);
            let added = assigned.add_partition_offset(&self.name, partition, Offset::Beginning);
            added.unwrap();
        }
        consumer.assign(&assigned).unwrap();
        let mut records = Vec::new();
        while !missing.is_empty() {
            let message = consumer.poll(TIMEOUT).expect("a record in time");
            let record = Record::from(&message.unwrap());
            let end = missing.get(&record.position.partition).copied();
            if end == Some(record.position.offset + 1) {
                missing.remove(&record.position.partition);
            }
            if end.is_some() {
                records.push(record);
            }
        }
        records.sort_by_key(|record| record.position);
        records
    }
}

impl<M: Message> From<&M> for Record {
    fn from(message: &M) -> Self {
        let headers = message.headers().into_iter().flat_map(Headers::iter);
        Self {
            position: position(message.partition(), message.offset()),
            key: message.key().map(<[u8]>::to_vec),
            payload: message.payload().map(<[u8]>::to_vec),
            headers: headers
                .map(|header| {
                    let value = header.value.unwrap_or_default();
                    (header.key.to_owned(), value.to_vec())
                })
                .collect(),
        }
    }
}

fn position(partition: i32, offset: i64) -> Position {
    Position {
        partition: u16::try_from(partition).unwrap(),
        offset: u64::try_from(offset).unwrap(),
    }
}
