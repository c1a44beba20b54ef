//! Clients of the log: how a producer, a consumer and an administrator are configured. What is sent or read is not known here.

mod admin;
mod error;

pub use self::{admin::ensure_topics, error::TopicError};
use rdkafka::ClientConfig;

use crate::config::{KafkaConfig, ProducerConfig};

/// What every client of the log has in common; `client_id` tells the service apart in the broker's logs and quotas.
pub fn client_config(kafka: &KafkaConfig, client_id: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &kafka.brokers)
        .set("client.id", client_id)
        .set("socket.keepalive.enable", "true");
    // A broker that comes back is found within a second; the default waits up to ten.
    config.set("reconnect.backoff.max.ms", "1000");
    config
}

/// A producer that reports a record delivered only once every in-sync replica has it, and never writes one twice (I1).
///
/// `queue.buffering.backpressure.threshold` is left at 1, the only value librdkafka takes with idempotence.
/// A caller's own time-out must outlast `message.timeout.ms`, or it hides a late success.
pub fn producer_config(
    kafka: &KafkaConfig,
    producer: &ProducerConfig,
    client_id: &str,
) -> ClientConfig {
    let mut config = client_config(kafka, client_id);
    config
        .set("acks", "all")
        .set("enable.idempotence", "true")
        // Java's way from key to partition, not librdkafka's own: whoever writes to the log puts a playback where we do (I6).
        .set("partitioner", "murmur2_random")
        .set("compression.type", "lz4")
        .set("linger.ms", producer.linger.as_millis().to_string())
        .set(
            "message.timeout.ms",
            producer.message_timeout.as_millis().to_string(),
        )
        .set("batch.size", producer.batch_bytes.to_string())
        .set(
            "queue.buffering.max.messages",
            producer.queue_messages.to_string(),
        )
        .set(
            "queue.buffering.max.kbytes",
            producer.queue_kbytes.to_string(),
        );
    config
}

/// A consumer of `group` whose offsets follow the rows (I4): nothing is committed or stored unasked. It starts at the log's
/// beginning, because the log alone makes the read model (I2). How much it fetches ahead is the caller's to bound (I10).
pub fn consumer_config(kafka: &KafkaConfig, group: &str, client_id: &str) -> ClientConfig {
    let mut config = client_config(kafka, client_id);
    config
        .set("group.id", group)
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("allow.auto.create.topics", "false")
        // Asks again at once when there is room: by default a full queue is only looked at again after a second, which
        // starves a fast fold.
        .set("fetch.queue.backoff.ms", "5");
    config
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use rdkafka::{consumer::BaseConsumer, producer::BaseProducer};

    use super::*;
    use crate::config::{Source, tests::Everything};

    #[test]
    fn librdkafka_accepts_what_we_ask_of_it() {
        let source = Source::open::<Everything>(None, HashMap::new()).unwrap();
        let kafka = source.section::<KafkaConfig>().unwrap();
        let producer = source.section::<ProducerConfig>().unwrap();
        producer_config(&kafka, &producer, "test")
            .create::<BaseProducer>()
            .unwrap();
        consumer_config(&kafka, "group", "test")
            .create::<BaseConsumer>()
            .unwrap();
    }
}
