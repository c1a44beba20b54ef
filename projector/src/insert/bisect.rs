//! Finds the rows that the read model refuses: a refused batch is halved until the bad row stands alone, and everything
//! else is stored. Pure over [`Store`]; why a refusal happens, and what becomes of the row, is not known here.

use std::{future::Future, ops::Range};

/// Where the rows of one batch go.
pub(crate) trait Store {
    /// Why a set of rows was refused, and why it will be refused again.
    type Refusal: Send;

    /// Stores all of these rows or refuses them for what they hold. What may pass by itself is tried until it does, and
    /// never reported.
    fn store(&self, rows: Range<usize>) -> impl Future<Output = Result<(), Self::Refusal>> + Send;
}

/// Stores every one of so many rows that is not refused by itself; returns the others' indices with the reasons, in order.
/// A refusal costs two stores for each halving, `2·log2(rows)` for one bad row.
pub(crate) async fn store_all_but_refused<S: Store + Sync>(
    store: &S,
    rows: usize,
) -> Vec<(usize, S::Refusal)> {
    let mut refused = Vec::new();
    let whole: Range<usize> = 0..rows;
    let mut open = vec![whole];
    while let Some(part) = open.pop() {
        if part.is_empty() {
            continue;
        }
        let Err(refusal) = store.store(part.clone()).await else {
            continue;
        };
        if part.len() == 1 {
            refused.push((part.start, refusal));
        } else {
            let middle = part.start + part.len() / 2;
            open.push(middle..part.end);
            open.push(part.start..middle);
        }
    }
    refused
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Mutex};

    use proptest::prelude::*;

    use super::*;

    #[derive(Default)]
    struct Table {
        bad: BTreeSet<usize>,
        stored: Mutex<Vec<usize>>,
        attempts: Mutex<usize>,
    }

    impl Store for Table {
        type Refusal = String;

        async fn store(&self, rows: Range<usize>) -> Result<(), String> {
            *self.attempts.lock().unwrap() += 1;
            if let Some(bad) = rows.clone().find(|row| self.bad.contains(row)) {
                return Err(format!("row {bad} is bad"));
            }
            self.stored.lock().unwrap().extend(rows);
            Ok(())
        }
    }

    fn store(rows: usize, bad: BTreeSet<usize>) -> (Table, Vec<(usize, String)>) {
        let table = Table {
            bad,
            ..Table::default()
        };
        let refused = futures::executor::block_on(store_all_but_refused(&table, rows));
        (table, refused)
    }

    #[test]
    fn a_good_batch_is_one_insert() {
        let (table, refused) = store(1_000, BTreeSet::new());
        assert_eq!((*table.attempts.lock().unwrap(), refused.len()), (1, 0));
    }

    #[test]
    fn one_bad_row_is_found_alone_and_cheaply() {
        let (table, refused) = store(1_024, [700].into());
        assert_eq!(refused, [(700, "row 700 is bad".to_owned())]);
        assert_eq!(*table.attempts.lock().unwrap(), 21);
    }

    proptest! {
        #[test]
        fn every_row_is_stored_once_or_refused_once(rows in 0_usize..200, bad in prop::collection::btree_set(0_usize..200, 0..30)) {
            let (table, refused) = store(rows, bad.clone());
            let mut ended = table.stored.into_inner().unwrap();
            prop_assert!(ended.iter().all(|row| !bad.contains(row)));
            ended.extend(refused.iter().map(|(index, _)| *index));
            ended.sort_unstable();
            prop_assert_eq!(ended, (0..rows).collect::<Vec<_>>());
        }
    }
}
