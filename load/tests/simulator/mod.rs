//! Simulated playbacks are the same for the same seed, and plausible.

mod listening;
mod population;
mod sameness;

use ess_load::simulate::{SimulatedPlayback, Simulator, SimulatorConfig};
use ess_schema::event::EndReason;
use ess_schema::{Event, EventData, Timestamp};

/// Enough for every share to be measurable.
const PLAYBACKS: u64 = 3_000;

fn start() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-23T10:00:00Z").unwrap()
}

fn simulated(seed: u64, count: u64) -> Vec<SimulatedPlayback> {
    Simulator::new(SimulatorConfig::new(seed, count, start())).collect()
}

fn facts(playbacks: &[SimulatedPlayback]) -> impl Iterator<Item = &Event> {
    playbacks.iter().flat_map(|playback| &playback.facts)
}

fn end_reason(playback: &SimulatedPlayback) -> Option<EndReason> {
    match &playback.facts.last()?.data {
        EventData::Finished(finished) => Some(finished.reason),
        _ => None,
    }
}
