//! Divides PROJECTOR_MEMORY_MBYTES into the limits of everything that grows with the backlog (I10). Pure: the code that uses the
//! memory enforces the limits.

use rdkafka::ClientConfig;

const MIB: usize = 1 << 20;
/// Resident memory before any record is consumed: code, runtime, clients and the buffers of their threads.
const FIXED: usize = 32 * MIB;
/// librdkafka's memory per record in addition to its bytes, rounded up.
const RECORD_OVERHEAD: usize = 512;
/// Enough to prefetch; more only uses memory.
const MAX_QUEUED_RECORDS: usize = 20_000;
/// The largest expected ratio of a fetched record batch's decompressed to its compressed size.
const COMPRESSION_RATIO: usize = 8;

/// The memory of one projector.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MemoryBudget {
    /// A sixth of the memory that is not fixed: four are for batches, one for prefetched records, one for dead letters in
    /// flight.
    sixth: usize,
    /// Batches in flight, and the one that is being filled.
    batches: usize,
}

impl MemoryBudget {
    /// Divides `mbytes` MiB among `in_flight` batches in flight and everything else.
    pub(crate) fn new(mbytes: usize, in_flight: usize) -> Self {
        Self {
            sixth: (mbytes * MIB).saturating_sub(FIXED) / 6,
            batches: in_flight + 1,
        }
    }

    /// Maximum bytes that may be allocated for a batch.
    pub(crate) fn batch_capacity(&self) -> usize {
        self.sixth * 4 / self.batches
    }

    /// Maximum bytes of a batch's records: a fifth of its capacity, because a vector doubles when it grows and the allocator
    /// returns the old memory later. Measurements show up to 3.6 times the bytes as resident; the rest is reserve.
    pub(crate) fn batch_bytes(&self) -> usize {
        self.batch_capacity() / 5
    }

    /// Limits what a consumer prefetches. A fetch response stays in memory until all of its records are consumed: measurements
    /// show 2.6 times of what librdkafka counts as resident.
    pub(crate) fn limit_fetching(&self, config: &mut ClientConfig) {
        let records = self.sixth / 6 / RECORD_OVERHEAD;
        let bytes = self.sixth / 6;
        config
            .set(
                "queued.min.messages",
                records.min(MAX_QUEUED_RECORDS).to_string(),
            )
            // The maximum that librdkafka accepts.
            .set(
                "queued.max.messages.kbytes",
                (bytes / 1024).min(2_097_151).to_string(),
            )
            .set(
                "fetch.max.bytes",
                (bytes / COMPRESSION_RATIO).clamp(MIB, 50 * MIB).to_string(),
            );
    }

    /// Limits the queue of a producer, or keeps its lower configured limit. The largest record must fit.
    pub(crate) fn limit_producing(&self, config: &mut ClientConfig) {
        let kbytes = self.sixth / 1024;
        let configured = config.get("queue.buffering.max.kbytes");
        let configured = configured.and_then(|text| text.parse().ok());
        let kbytes = configured.map_or(kbytes, |limit: usize| limit.min(kbytes));
        config.set("queue.buffering.max.kbytes", kbytes.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(config: &ClientConfig, key: &str) -> usize {
        config.get(key).unwrap().parse().unwrap()
    }

    /// The sum of all limits.
    fn total(memory: MemoryBudget) -> usize {
        let mut config = ClientConfig::new();
        config.set("queue.buffering.max.kbytes", "2097151");
        memory.limit_fetching(&mut config);
        memory.limit_producing(&mut config);
        FIXED
            + memory.batch_capacity() * memory.batches
            + number(&config, "queued.max.messages.kbytes") * 1024
            + number(&config, "queued.min.messages") * RECORD_OVERHEAD
            + number(&config, "queue.buffering.max.kbytes") * 1024
    }

    #[test]
    fn the_limits_together_never_exceed_the_configured_memory() {
        for mbytes in [128, 129, 512, 4_096, 1_048_576] {
            for in_flight in [1, 2, 16] {
                let memory = MemoryBudget::new(mbytes, in_flight);
                assert!(total(memory) <= mbytes * MIB, "{mbytes} {in_flight}");
            }
        }
    }

    #[test]
    fn by_default_a_batch_holds_tens_of_thousands_of_events() {
        assert!(MemoryBudget::new(1_280, 2).batch_bytes() >= 90_000 * 600);
    }

    #[test]
    fn the_minimum_memory_has_room_for_large_records() {
        let memory = MemoryBudget::new(128, 2);
        assert!(memory.batch_bytes() > 4 * MIB);
        let mut config = ClientConfig::new();
        memory.limit_producing(&mut config);
        assert!(number(&config, "queue.buffering.max.kbytes") >= 16 * 1024);
    }

    #[test]
    fn a_lower_configured_limit_of_the_producers_queue_stays() {
        let mut config = ClientConfig::new();
        config.set("queue.buffering.max.kbytes", "64");
        MemoryBudget::new(1_280, 2).limit_producing(&mut config);
        assert_eq!(number(&config, "queue.buffering.max.kbytes"), 64);
    }

    #[test]
    fn librdkafka_accepts_the_limits_of_the_minimum_and_the_maximum() {
        for mbytes in [128, 1_048_576] {
            let mut config = ClientConfig::new();
            config.set("group.id", "test");
            MemoryBudget::new(mbytes, 2).limit_fetching(&mut config);
            config.create::<rdkafka::consumer::BaseConsumer>().unwrap();
            let mut config = ClientConfig::new();
            config.set("queue.buffering.max.kbytes", "2097151");
            MemoryBudget::new(mbytes, 2).limit_producing(&mut config);
            config.create::<rdkafka::producer::BaseProducer>().unwrap();
        }
    }
}
