//! What the log of marks says of each generation. Pure: the time is in the marks.

use std::{collections::BTreeMap, time::Duration};

use clickhouse::Row;
use serde::Deserialize;

/// Where a generation is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GenerationState {
    /// A replay folds into it, or was interrupted.
    Building,
    /// Projectors fold into it already, readers do not read it yet.
    Handover,
    /// Readers read it.
    Active,
    /// It was active, and can be again.
    Standby,
    /// It was active, and was dropped.
    Retired,
    /// It was dropped before it was active.
    Discarded,
}

impl GenerationState {
    /// As it is told and stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Handover => "handover",
            Self::Active => "active",
            Self::Standby => "standby",
            Self::Retired => "retired",
            Self::Discarded => "discarded",
        }
    }

    /// Whether its tables are there.
    pub fn has_tables(self) -> bool {
        !matches!(self, Self::Retired | Self::Discarded)
    }
}

/// The state of one generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationInfo {
    /// Its number.
    pub generation: u32,
    /// Where it is in its life.
    pub state: GenerationState,
    /// Since when, as text in UTC.
    pub since: String,
    /// How long that is ago by the server's clock.
    pub age: Duration,
    /// Whether it ever was the active one.
    pub was_active: bool,
}

impl GenerationInfo {
    /// Whether a replay is to go on with it.
    pub fn is_unfinished(&self) -> bool {
        matches!(
            self.state,
            GenerationState::Building | GenerationState::Handover
        ) && !self.was_active
    }
}

/// A row of the table `generations`.
#[derive(Debug, Row, Deserialize)]
pub(super) struct Mark {
    pub(super) generation: u32,
    pub(super) state: String,
    pub(super) since: String,
    pub(super) age_ms: u64,
    /// Whether it counts still, if it is a handover.
    pub(super) counts: bool,
}

/// The states that these marks, the oldest first, come to.
pub(super) fn states(marks: &[Mark]) -> Vec<GenerationInfo> {
    let mut known = BTreeMap::<u32, GenerationInfo>::new();
    for mark in marks {
        if mark.state == GenerationState::Active.name() {
            for other in known.values_mut() {
                stand_by(other, mark);
            }
        }
        let this = known
            .entry(mark.generation)
            .or_insert_with(|| building(mark));
        this.apply(mark);
    }
    known.into_values().collect()
}

fn building(mark: &Mark) -> GenerationInfo {
    GenerationInfo {
        generation: mark.generation,
        state: GenerationState::Building,
        since: mark.since.clone(),
        age: Duration::from_millis(mark.age_ms),
        was_active: false,
    }
}

/// Another generation became the active one.
fn stand_by(other: &mut GenerationInfo, mark: &Mark) {
    if other.state == GenerationState::Active && other.generation != mark.generation {
        other.becomes(GenerationState::Standby, mark);
    }
}

impl GenerationInfo {
    fn becomes(&mut self, state: GenerationState, mark: &Mark) {
        (self.state, self.since) = (state, mark.since.clone());
        self.age = Duration::from_millis(mark.age_ms);
    }

    fn apply(&mut self, mark: &Mark) {
        let state = match mark.state.as_str() {
            "active" => GenerationState::Active,
            "handover" if mark.counts => GenerationState::Handover,
            // One that is over is as if it had not been.
            "handover" => return,
            "retired" => GenerationState::Retired,
            "discarded" => GenerationState::Discarded,
            _ => GenerationState::Building,
        };
        self.was_active |= state == GenerationState::Active;
        if self.state.has_tables() && self.state != state {
            self.becomes(state, mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(marks: &[(u32, &str, bool)]) -> Vec<(u32, &'static str, String)> {
        let mark = |(n, (generation, mark, counts)): (usize, &(u32, &str, bool))| Mark {
            generation: *generation,
            state: (*mark).to_owned(),
            since: format!("t{n}"),
            age_ms: 0,
            counts: *counts,
        };
        let marks: Vec<_> = marks.iter().enumerate().map(mark).collect();
        let states = states(&marks).into_iter();
        states
            .map(|known| (known.generation, known.state.name(), known.since))
            .collect()
    }

    #[test]
    fn the_one_marked_last_is_active_and_the_one_before_stands_by_from_then_on() {
        let told = told(&[
            (1, "active", false),
            (2, "building", false),
            (2, "handover", true),
            (2, "active", false),
        ]);
        let expected = [(1, "standby", "t3".into()), (2, "active", "t3".into())];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_handover_that_lapsed_never_was() {
        let lapsed = told(&[
            (1, "active", false),
            (2, "building", false),
            (2, "handover", false),
        ]);
        assert_eq!(lapsed[1], (2, "building", "t1".into()));
        let back = told(&[
            (1, "active", false),
            (2, "active", false),
            (1, "handover", false),
        ]);
        assert_eq!(back[0], (1, "standby", "t1".into()));
    }

    #[test]
    fn only_what_never_was_active_is_gone_on_with() {
        let mark = |generation, mark: &str| Mark {
            generation,
            state: mark.to_owned(),
            since: String::new(),
            age_ms: 0,
            counts: true,
        };
        let unfinished = |marks: &[Mark]| {
            let states = states(marks);
            states
                .iter()
                .filter(|known| known.is_unfinished())
                .map(|known| known.generation)
                .collect::<Vec<_>>()
        };
        let began = [mark(1, "active"), mark(2, "building"), mark(2, "handover")];
        assert_eq!(unfinished(&began), [2]);
        let ended = [mark(1, "active"), mark(2, "building"), mark(2, "discarded")];
        assert_eq!(unfinished(&ended), [0; 0]);
        let back = [mark(1, "active"), mark(2, "active"), mark(1, "handover")];
        assert_eq!(unfinished(&back), [0; 0]);
    }
}
