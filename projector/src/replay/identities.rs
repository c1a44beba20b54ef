//! Whether a rebuilt generation holds the events that the active one holds: how many distinct ones and an order-free checksum
//! of their identities, per partition, as far as both have come. It only reads.

use std::{collections::BTreeMap, fmt::Write as _, ops::Range};

use clickhouse::{Client, error::Error};

/// Distinct events of a partition, and the exclusive or of their identities' hashes.
type Sums = BTreeMap<u16, (u64, u64)>;

/// What was compared, and what differs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Distinct events compared.
    pub(crate) events: u64,
    /// Of each partition that differs: events and checksum in the active and in the rebuilt generation.
    pub(crate) differences: BTreeMap<u16, [(u64, u64); 2]>,
}

/// Compares the events that stand first within these offsets, which both generations hold.
pub(crate) async fn compare(
    [active, rebuilt]: [&Client; 2],
    within: &BTreeMap<u16, Range<u64>>,
) -> Result<Verdict, Error> {
    let sums = (sums(active, within).await?, sums(rebuilt, within).await?);
    Ok(judge(&sums.0, &sums.1))
}

async fn sums(generation: &Client, within: &BTreeMap<u16, Range<u64>>) -> Result<Sums, Error> {
    let mut sums = Sums::new();
    for (partition, Range { start, end }) in within {
        let query = format!(
            "SELECT count(), groupBitXor(cityHash64(event_id, source)) FROM event_identities FINAL \
             WHERE first.partition = {partition} AND first.offset >= {start} AND first.offset < {end}"
        );
        sums.insert(*partition, generation.query(&query).fetch_one().await?);
    }
    Ok(sums)
}

fn judge(active: &Sums, rebuilt: &Sums) -> Verdict {
    let each = active.iter().filter_map(|(partition, active)| {
        let rebuilt = rebuilt.get(partition).copied().unwrap_or_default();
        (*active != rebuilt).then_some((*partition, [*active, rebuilt]))
    });
    Verdict {
        events: active.values().map(|(events, _)| events).sum(),
        differences: each.collect(),
    }
}

/// The differences as a table.
pub(crate) fn table(differences: &BTreeMap<u16, [(u64, u64); 2]>) -> String {
    let mut table = format!(
        "{:>9}  {:>16}  {:>16}  {:>16}  {:>16}\n",
        "partition", "events, active", "events, rebuilt", "checksum, active", "checksum, rebuilt"
    );
    for (partition, [active, rebuilt]) in differences {
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "{partition:>9}  {:>16}  {:>16}  {:>16x}  {:>16x}",
            active.0, rebuilt.0, active.1, rebuilt.1
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_event_or_another_one_in_its_place_is_a_difference() {
        let active = Sums::from([(0, (3, 7)), (1, (5, 9)), (2, (1, 4))]);
        let rebuilt = Sums::from([(0, (3, 7)), (1, (5, 8))]);
        let verdict = judge(&active, &rebuilt);
        assert_eq!(verdict.events, 9);
        let expected = [(1, [(5, 9), (5, 8)]), (2, [(1, 4), (0, 0)])];
        assert_eq!(verdict.differences, BTreeMap::from(expected));
    }
}
