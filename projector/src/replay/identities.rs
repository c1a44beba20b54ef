//! Compares the events of two generations: per partition, the number of distinct events and an order-independent checksum of their
//! identities. It must never write.

use std::{collections::BTreeMap, ops::Range};

use clickhouse::{Client, error::Error};
use comfy_table::{Table, presets::NOTHING};

/// By partition: the number of distinct events, and the XOR of the hashes of their identities.
type Checksums = BTreeMap<u16, (u64, u64)>;

/// The result of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EventComparison {
    /// Distinct events compared.
    pub(crate) events: u64,
    /// By partition that differs: events and checksum of the active and of the rebuilt generation.
    pub(crate) differences: BTreeMap<u16, [(u64, u64); 2]>,
}

/// Compares the events whose first position is in these ranges, which both generations have stored.
pub(crate) async fn compare(
    [active, rebuilt]: [&Client; 2],
    within: &BTreeMap<u16, Range<u64>>,
) -> Result<EventComparison, Error> {
    let active = checksums(active, within).await?;
    Ok(diff(&active, &checksums(rebuilt, within).await?))
}

async fn checksums(
    generation: &Client,
    within: &BTreeMap<u16, Range<u64>>,
) -> Result<Checksums, Error> {
    let mut checksums = Checksums::new();
    for (partition, Range { start, end }) in within {
        let query = format!(
            "SELECT count(), groupBitXor(cityHash64(event_id, source)) FROM event_identities FINAL \
             WHERE first.partition = {partition} AND first.offset >= {start} AND first.offset < {end}"
        );
        checksums.insert(*partition, generation.query(&query).fetch_one().await?);
    }
    Ok(checksums)
}

fn diff(active: &Checksums, rebuilt: &Checksums) -> EventComparison {
    let each = active.iter().filter_map(|(partition, active)| {
        let rebuilt = rebuilt.get(partition).copied().unwrap_or_default();
        (*active != rebuilt).then_some((*partition, [*active, rebuilt]))
    });
    EventComparison {
        events: active.values().map(|(events, _)| events).sum(),
        differences: each.collect(),
    }
}

/// The differences as a table.
pub(crate) fn table(differences: &BTreeMap<u16, [(u64, u64); 2]>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header([
        "partition",
        "events, active",
        "events, rebuilt",
        "checksum, active",
        "checksum, rebuilt",
    ]);
    for (partition, [active, rebuilt]) in differences {
        table.add_row([
            partition.to_string(),
            active.0.to_string(),
            rebuilt.0.to_string(),
            format!("{:x}", active.1),
            format!("{:x}", rebuilt.1),
        ]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_event_and_a_different_event_are_differences() {
        let active = Checksums::from([(0, (3, 7)), (1, (5, 9)), (2, (1, 4))]);
        let rebuilt = Checksums::from([(0, (3, 7)), (1, (5, 8))]);
        let comparison = diff(&active, &rebuilt);
        assert_eq!(comparison.events, 9);
        let expected = [(1, [(5, 9), (5, 8)]), (2, [(1, 4), (0, 0)])];
        assert_eq!(comparison.differences, BTreeMap::from(expected));
    }
}
