//! Configures the clients of Kafka: producers, consumers and the admin client. It must not know what records mean.

mod admin;
mod error;

pub use self::admin::{TopicError, ensure_topics};
use rdkafka::ClientConfig;

use crate::config::{KafkaConfig, ProducerConfig};

/// The settings of every client. `client_id` identifies the service in the broker's logs and quotas.
pub fn client_config(kafka: &KafkaConfig, client_id: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &kafka.brokers)
        .set("client.id", client_id)
        .set("socket.keepalive.enable", "true");
    // Reconnects to a restarted broker within a second; the default is up to ten.
    config.set("reconnect.backoff.max.ms", "1000");
    config
}

/// A producer that acknowledges a record once all in-sync replicas have it, and never writes a record twice (I1).
///
/// `queue.buffering.backpressure.threshold` stays 1, the only value that librdkafka accepts with idempotence.
/// A caller's timeout must be longer than `message.timeout.ms`; otherwise it can miss a late acknowledgement.
pub fn producer_config(
    kafka: &KafkaConfig,
    producer: &ProducerConfig,
    client_id: &str,
) -> ClientConfig {
    let mut config = client_config(kafka, client_id);
    config
        .set("acks", "all")
        .set("enable.idempotence", "true")
        // The default of Java clients, not of librdkafka: other producers choose the same partition for a playback (I6).
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

/// A consumer of `group` that never commits or stores offsets by itself, because offsets follow the rows (I4). Without a
/// committed offset it starts at the beginning of the log (I2). The caller limits how much it fetches ahead (I10).
pub fn consumer_config(kafka: &KafkaConfig, group: &str, client_id: &str) -> ClientConfig {
    let mut config = client_config(kafka, client_id);
    config
        .set("group.id", group)
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("allow.auto.create.topics", "false")
        // Fetches again soon after the queue was full; the default of 1 s starves a fast projector.
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
    fn librdkafka_accepts_the_settings() {
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
