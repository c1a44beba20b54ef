//! How PROJECTOR_MEMORY_MBYTES is shared out (I10): the bounds of everything that grows with the log follow from this one
//! number. Pure; the bounds are kept where the memory is.

use rdkafka::ClientConfig;

const MIB: usize = 1 << 20;
/// What is resident before anything is taken from the log: code, runtime, clients, their threads' buffers.
const FIXED: usize = 32 * MIB;
/// What librdkafka takes for a record beside its bytes, rounded up.
const RECORD_OVERHEAD: usize = 512;
/// Enough to fetch ahead; more only takes memory.
const MOST_QUEUED_RECORDS: usize = 20_000;
/// How many times larger a fetched record batch may be once it is decompressed.
const DECOMPRESSION: usize = 8;

/// The shares of one projector.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Of what is not fixed: four sixths are for batches, one for what is fetched ahead, one for dead letters on their way.
    sixth: usize,
    /// Batches that there are at a time.
    batches: usize,
}

impl Memory {
    /// Of so many MiB, with so many batches being stored at a time; one more is being filled.
    pub(crate) fn new(mbytes: usize, in_flight: usize) -> Self {
        Self {
            sixth: (mbytes * MIB).saturating_sub(FIXED) / 6,
            batches: in_flight + 1,
        }
    }

    /// Most bytes that may be allocated for a batch.
    pub(crate) fn batch_room(&self) -> usize {
        self.sixth * 4 / self.batches
    }

    /// Most bytes in a batch: a fifth of its room, because a vector doubles as it grows, and because the allocator keeps
    /// what it has outgrown for a while. Up to 3.6 times its bytes were measured to be resident; the rest is reserve.
    pub(crate) fn batch_bytes(&self) -> usize {
        self.batch_room() / 5
    }

    /// Bounds what a consumer fetches ahead. Answers of the broker stay until all of their records are taken: 2.6 times what
    /// librdkafka counts was measured to be resident.
    pub(crate) fn bound_fetching(&self, config: &mut ClientConfig) {
        let records = self.sixth / 6 / RECORD_OVERHEAD;
        let bytes = self.sixth / 6;
        config
            .set(
                "queued.min.messages",
                records.min(MOST_QUEUED_RECORDS).to_string(),
            )
            // librdkafka takes no more than these.
            .set(
                "queued.max.messages.kbytes",
                (bytes / 1024).min(2_097_151).to_string(),
            )
            .set(
                "fetch.max.bytes",
                (bytes / DECOMPRESSION).clamp(MIB, 50 * MIB).to_string(),
            );
    }

    /// Bounds what waits in a producer that is configured already; the largest record must fit.
    pub(crate) fn bound_producing(&self, config: &mut ClientConfig) {
        let kbytes = self.sixth / 1024;
        let configured = config.get("queue.buffering.max.kbytes");
        let configured = configured.and_then(|text| text.parse().ok());
        let kbytes = configured.map_or(kbytes, |most: usize| most.min(kbytes));
        config.set("queue.buffering.max.kbytes", kbytes.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(config: &ClientConfig, key: &str) -> usize {
        config.get(key).unwrap().parse().unwrap()
    }

    /// The most that all shares allow together.
    fn most(memory: Memory) -> usize {
        let mut config = ClientConfig::new();
        config.set("queue.buffering.max.kbytes", "2097151");
        memory.bound_fetching(&mut config);
        memory.bound_producing(&mut config);
        FIXED
            + memory.batch_room() * memory.batches
            + number(&config, "queued.max.messages.kbytes") * 1024
            + number(&config, "queued.min.messages") * RECORD_OVERHEAD
            + number(&config, "queue.buffering.max.kbytes") * 1024
    }

    #[test]
    fn whatever_is_configured_the_shares_together_stay_below_it() {
        for mbytes in [128, 129, 512, 4_096, 1_048_576] {
            for in_flight in [1, 2, 16] {
                let memory = Memory::new(mbytes, in_flight);
                assert!(most(memory) <= mbytes * MIB, "{mbytes} {in_flight}");
            }
        }
    }

    #[test]
    fn by_default_a_batch_holds_tens_of_thousands_of_events() {
        assert!(Memory::new(1_280, 2).batch_bytes() >= 90_000 * 600);
    }

    #[test]
    fn the_least_memory_holds_large_records_in_every_share() {
        let memory = Memory::new(128, 2);
        assert!(memory.batch_bytes() > 4 * MIB);
        let mut config = ClientConfig::new();
        memory.bound_producing(&mut config);
        assert!(number(&config, "queue.buffering.max.kbytes") >= 16 * 1024);
    }

    #[test]
    fn a_producers_queue_that_is_configured_smaller_stays_so() {
        let mut config = ClientConfig::new();
        config.set("queue.buffering.max.kbytes", "64");
        Memory::new(1_280, 2).bound_producing(&mut config);
        assert_eq!(number(&config, "queue.buffering.max.kbytes"), 64);
    }

    #[test]
    fn librdkafka_accepts_the_shares_of_the_least_and_the_most() {
        for mbytes in [128, 1_048_576] {
            let mut config = ClientConfig::new();
            config.set("group.id", "test");
            Memory::new(mbytes, 2).bound_fetching(&mut config);
            config.create::<rdkafka::consumer::BaseConsumer>().unwrap();
            let mut config = ClientConfig::new();
            config.set("queue.buffering.max.kbytes", "2097151");
            Memory::new(mbytes, 2).bound_producing(&mut config);
            config.create::<rdkafka::producer::BaseProducer>().unwrap();
        }
    }
}
