//! Finds the rows that ClickHouse refuses: a refused range is halved until the bad row stands alone, and all other rows are
//! stored. Pure over the store function: it must never know why a row is refused.

use std::ops::Range;

/// Stores every row that is not refused by itself. Returns the indices of the refused rows with the reasons, in order.
///
/// `store` stores all rows of a range or refuses the range for the content of a row; it must retry transient errors. A refused
/// row costs two calls per halving, `2·log2(rows)` for one bad row.
pub(crate) async fn store_all_but_refused<F: Future<Output = Result<(), String>>>(
    rows: usize,
    store: impl Fn(Range<usize>) -> F,
) -> Vec<(usize, String)> {
    let mut refused = Vec::new();
    let all: Range<usize> = 0..rows;
    let mut remaining = vec![all];
    while let Some(range) = remaining.pop() {
        if range.is_empty() {
            continue;
        }
        let Err(reason) = store(range.clone()).await else {
            continue;
        };
        if range.len() == 1 {
            refused.push((range.start, reason));
        } else {
            let middle = range.start + range.len() / 2;
            remaining.push(middle..range.end);
            remaining.push(range.start..middle);
        }
    }
    refused
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::BTreeSet};

    use proptest::prelude::*;

    use super::*;

    #[derive(Default)]
    struct Stored {
        rows: Vec<usize>,
        attempts: usize,
    }

    /// Stores so many rows, of which `bad` are refused.
    fn store(rows: usize, bad: &BTreeSet<usize>) -> (Stored, Vec<(usize, String)>) {
        let stored = RefCell::new(Stored::default());
        let store = async |range: Range<usize>| {
            let mut stored = stored.borrow_mut();
            stored.attempts += 1;
            if let Some(bad) = range.clone().find(|row| bad.contains(row)) {
                return Err(format!("row {bad} is bad"));
            }
            stored.rows.extend(range);
            Ok(())
        };
        let refused = futures::executor::block_on(store_all_but_refused(rows, store));
        (stored.into_inner(), refused)
    }

    #[test]
    fn a_batch_without_bad_rows_is_one_insert() {
        let (stored, refused) = store(1_000, &BTreeSet::new());
        assert_eq!((stored.attempts, refused.len()), (1, 0));
    }

    #[test]
    fn one_bad_row_is_isolated_with_few_inserts() {
        let (stored, refused) = store(1_024, &[700].into());
        assert_eq!(refused, [(700, "row 700 is bad".to_owned())]);
        assert_eq!(stored.attempts, 21);
    }

    proptest! {
        #[test]
        fn every_row_is_stored_once_or_refused_once(rows in 0_usize..200, bad in prop::collection::btree_set(0_usize..200, 0..30)) {
            let (stored, refused) = store(rows, &bad);
            let mut handled = stored.rows;
            prop_assert!(handled.iter().all(|row| !bad.contains(row)));
            handled.extend(refused.iter().map(|(index, _)| *index));
            handled.sort_unstable();
            prop_assert_eq!(handled, (0..rows).collect::<Vec<_>>());
        }
    }
}
