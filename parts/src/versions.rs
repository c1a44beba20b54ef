//! The pinned versions of all downloads. Never name a version of Kafka or ClickHouse for local runs anywhere else.

/// Apache Kafka. Broker and tools have one version; kafka-tools has no 4.4.
pub const KAFKA: &str = "4.3.1";

/// The Scala version of the broker's artifact.
pub(crate) const KAFKA_SCALA: &str = "2.13";

/// The logging backend for the broker's slf4j 1.x.
pub(crate) const LOG4J: &str = "2.26.1";

/// ClickHouse as a shared library. An exact version, because the registry's tag `latest` is an older release.
pub const CHDB: &str = "26.7.3-stable.1";

/// The npm package with `libchdb.so`.
pub(crate) const CHDB_PACKAGE: &str = "@chdb/lib-linux-x64-gnu";

/// Size of the unpacked library in bytes, for the progress bar.
pub(crate) const CHDB_UNPACKED_BYTES: u64 = 559_000_000;
