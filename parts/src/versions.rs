//! The pinned versions of everything that is fetched. Nothing else in the workspace may name a version of Kafka or
//! ClickHouse for local runs.

/// Apache Kafka. Broker and tools share one version: kafka-tools has no 4.4.
pub const KAFKA: &str = "4.3.1";

/// Scala line the broker's artifact is built for.
pub(crate) const KAFKA_SCALA: &str = "2.13";

/// The logging binding the broker's slf4j 1.x interface needs at run time.
pub(crate) const LOG4J: &str = "2.26.1";

/// ClickHouse as a shared library. The registry's tag `latest` is an older release, so the version is exact.
pub const CHDB: &str = "26.7.3-stable.1";

/// npm package that carries `libchdb.so`.
pub(crate) const CHDB_PACKAGE: &str = "@chdb/lib-linux-x64-gnu";

/// Size of the unpacked library in bytes, only to draw a progress bar.
pub(crate) const CHDB_UNPACKED_BYTES: u64 = 559_000_000;
