//! The states of generations, derived from the rows of the table `generations`. Pure: the rows hold the time.

use std::{collections::BTreeMap, time::Duration};

use clickhouse::Row;
use serde::Deserialize;

/// The state of a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GenerationState {
    /// A replay builds it, or was interrupted.
    Building,
    /// Projectors write to it; readers still use another one.
    Handover,
    /// Readers use it.
    Active,
    /// It was active, and can be promoted again.
    Standby,
    /// It was active, and was dropped.
    Retired,
    /// It was dropped before it was active.
    Discarded,
}

impl GenerationState {
    /// The name in the table and in reports.
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

    /// Whether its tables exist.
    pub fn has_tables(self) -> bool {
        !matches!(self, Self::Retired | Self::Discarded)
    }
}

/// A generation and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationInfo {
    /// Its number.
    pub generation: u32,
    /// Its state.
    pub state: GenerationState,
    /// When it entered the state, as text in UTC.
    pub since: String,
    /// How long ago that was, by the clock of the server.
    pub age: Duration,
    /// Whether it has ever been active.
    pub was_active: bool,
}

impl GenerationInfo {
    /// Whether the next replay continues it.
    pub fn is_unfinished(&self) -> bool {
        matches!(
            self.state,
            GenerationState::Building | GenerationState::Handover
        ) && !self.was_active
    }
}

/// A row of the table `generations`.
#[derive(Debug, Row, Deserialize)]
pub(super) struct StateChange {
    pub(super) generation: u32,
    pub(super) state: String,
    pub(super) since: String,
    pub(super) age_ms: u64,
    /// Whether the handover is in effect; false for other states.
    pub(super) in_effect: bool,
}

/// The state of each generation after these rows, oldest first.
pub(super) fn states(changes: &[StateChange]) -> Vec<GenerationInfo> {
    let mut known = BTreeMap::<u32, GenerationInfo>::new();
    for change in changes {
        if change.state == GenerationState::Active.name() {
            for other in known.values_mut() {
                put_on_standby(other, change);
            }
        }
        let this = known
            .entry(change.generation)
            .or_insert_with(|| new_generation(change));
        this.apply(change);
    }
    known.into_values().collect()
}

fn new_generation(change: &StateChange) -> GenerationInfo {
    GenerationInfo {
        generation: change.generation,
        state: GenerationState::Building,
        since: change.since.clone(),
        age: Duration::from_millis(change.age_ms),
        was_active: false,
    }
}

/// Puts the active generation on standby, if another one became active.
fn put_on_standby(other: &mut GenerationInfo, change: &StateChange) {
    if other.state == GenerationState::Active && other.generation != change.generation {
        other.enter(GenerationState::Standby, change);
    }
}

impl GenerationInfo {
    fn enter(&mut self, state: GenerationState, change: &StateChange) {
        (self.state, self.since) = (state, change.since.clone());
        self.age = Duration::from_millis(change.age_ms);
    }

    fn apply(&mut self, change: &StateChange) {
        let state = match change.state.as_str() {
            "active" => GenerationState::Active,
            "handover" if change.in_effect => GenerationState::Handover,
            // An expired handover has no effect.
            "handover" => return,
            "retired" => GenerationState::Retired,
            "discarded" => GenerationState::Discarded,
            _ => GenerationState::Building,
        };
        self.was_active |= state == GenerationState::Active;
        if self.state.has_tables() && self.state != state {
            self.enter(state, change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states_after(changes: &[(u32, &str, bool)]) -> Vec<(u32, &'static str, String)> {
        let change =
            |(n, (generation, change, in_effect)): (usize, &(u32, &str, bool))| StateChange {
                generation: *generation,
                state: (*change).to_owned(),
                since: format!("t{n}"),
                age_ms: 0,
                in_effect: *in_effect,
            };
        let changes: Vec<_> = changes.iter().enumerate().map(change).collect();
        let states = states(&changes).into_iter();
        states
            .map(|known| (known.generation, known.state.name(), known.since))
            .collect()
    }

    #[test]
    fn the_last_generation_promoted_is_active_and_the_previous_one_is_on_standby() {
        let states = states_after(&[
            (1, "active", false),
            (2, "building", false),
            (2, "handover", true),
            (2, "active", false),
        ]);
        let expected = [(1, "standby", "t3".into()), (2, "active", "t3".into())];
        assert_eq!(states, expected);
    }

    #[test]
    fn an_expired_handover_has_no_effect() {
        let expired = states_after(&[
            (1, "active", false),
            (2, "building", false),
            (2, "handover", false),
        ]);
        assert_eq!(expired[1], (2, "building", "t1".into()));
        let back = states_after(&[
            (1, "active", false),
            (2, "active", false),
            (1, "handover", false),
        ]);
        assert_eq!(back[0], (1, "standby", "t1".into()));
    }

    #[test]
    fn a_replay_continues_only_a_generation_that_was_never_active() {
        let change = |generation, change: &str| StateChange {
            generation,
            state: change.to_owned(),
            since: String::new(),
            age_ms: 0,
            in_effect: true,
        };
        let unfinished = |changes: &[StateChange]| {
            let states = states(changes);
            states
                .iter()
                .filter(|known| known.is_unfinished())
                .map(|known| known.generation)
                .collect::<Vec<_>>()
        };
        let began = [
            change(1, "active"),
            change(2, "building"),
            change(2, "handover"),
        ];
        assert_eq!(unfinished(&began), [2]);
        let ended = [
            change(1, "active"),
            change(2, "building"),
            change(2, "discarded"),
        ];
        assert_eq!(unfinished(&ended), [0; 0]);
        let back = [
            change(1, "active"),
            change(2, "active"),
            change(1, "handover"),
        ];
        assert_eq!(unfinished(&back), [0; 0]);
    }
}
