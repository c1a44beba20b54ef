//! The status of each fact of a run, eight bytes each: a run of a million facts takes 8 MB. Holds no ids: [`super::source`]
//! derives them from the numbers.

/// Whether a fact is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FactStatus {
    /// It was never sent.
    Unsent,
    /// It was sent, and no response says whether it is in the log.
    Unknown,
    /// It is in the log.
    Acknowledged,
    /// The command-api refused it.
    Refused,
}

/// One fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When it was made, ms after the start of the run.
    pub(crate) at_ms: u32,
    /// The user that sent it.
    pub(crate) user: u16,
    pub(crate) status: FactStatus,
}

/// All facts, by number.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Vec<Entry>);

impl Ledger {
    pub(crate) fn push(&mut self, entry: Entry) {
        self.0.push(entry);
    }

    pub(crate) fn set(&mut self, number: usize, status: FactStatus) {
        if let Some(entry) = self.0.get_mut(number) {
            entry.status = status;
        }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.0
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
