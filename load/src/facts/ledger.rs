//! What became of each fact, in eight bytes each: a run of a million facts takes 8 MB. Ids are not kept: they follow from the
//! number (`facts`).

/// What became of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It never left.
    Unsent,
    /// It left, and nobody said what became of it.
    Unknown,
    /// It is in the log.
    Acknowledged,
    /// It was refused.
    Refused,
}

/// One fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When it was made, ms after the run began.
    pub(crate) at_ms: u32,
    /// Whose it is.
    pub(crate) user: u16,
    pub(crate) fate: Fate,
}

/// All facts, by number.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Vec<Entry>);

impl Ledger {
    pub(crate) fn push(&mut self, entry: Entry) {
        self.0.push(entry);
    }

    pub(crate) fn set(&mut self, number: usize, fate: Fate) {
        if let Some(entry) = self.0.get_mut(number) {
            entry.fate = fate;
        }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// How many facts ended so.
    pub(crate) fn count(&self, fate: Fate) -> u64 {
        self.0.iter().filter(|entry| entry.fate == fate).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_takes_eight_bytes() {
        assert_eq!(size_of::<Entry>(), 8);
    }
}
