//! Simulates players: listeners, tracks and playbacks, as the facts that a real player would send. Pure and deterministic: the same
//! configuration gives the same facts byte for byte. Never reads a clock and never sends anything.

mod draw;
mod ending;
mod ids;
mod population;
mod reporter;
mod session;

use ess_schema::event::{EventData, PlaybackRecorded, PlaybackStarted};
use ess_schema::{Event, PlaybackId, TestId, Timestamp};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;

use self::ending::PlaybackEnd;
use self::ids::Ids;
use self::population::{Listener, Population, Track};
use self::reporter::Reporter;
use self::session::Session;

pub use self::session::HEARTBEAT_MS;

/// The longest time from the start of a playback to its last fact, in ms: the longest track, the same again for pauses and jumps
/// back, and the startup.
pub const MAX_PLAYBACK_MS: u64 = 20 * 60 * 1_000;

/// Determines a simulation. Behaviour follows from `seed` alone; ids follow from `seed`, `start` and `test_id`, so that the same
/// behaviour at another time has other ids and never contradicts earlier facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatorConfig {
    /// Seed of all random numbers.
    pub seed: u64,
    /// Number of playbacks.
    pub playbacks: u64,
    /// No fact occurred before this.
    pub start: Timestamp,
    /// The playbacks begin evenly over this time, in ms.
    pub spread_ms: u64,
    /// Number of listeners; 0 counts as 1.
    pub users: u32,
    /// Number of tracks; 0 counts as 1.
    pub tracks: u32,
    /// Test id of every fact.
    pub test_id: Option<TestId>,
}

impl SimulatorConfig {
    /// `playbacks` that begin within 35 minutes of `start`, so that all their facts happen within an hour of it; 5,000
    /// listeners, 2,000 tracks, no test id.
    pub fn new(seed: u64, playbacks: u64, start: Timestamp) -> Self {
        Self {
            seed,
            playbacks,
            start,
            spread_ms: 35 * 60 * 1_000,
            users: 5_000,
            tracks: 2_000,
            test_id: None,
        }
    }
}

/// One simulated playback.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatedPlayback {
    /// Its id, the same in every fact.
    pub id: PlaybackId,
    /// When the listener pressed play. No fact occurred before, and no later playback of the iterator begins before.
    pub begins: Timestamp,
    /// Its facts in the order of `occurred_at`, at least one. Their `ingest_time` is their `occurred_at`, because they have not
    /// been ingested.
    pub facts: Vec<Event>,
}

/// An iterator over simulated playbacks, in the order in which they begin. Each is a function of the configuration and
/// its index alone.
#[derive(Debug, Clone)]
pub struct Simulator {
    config: SimulatorConfig,
    population: Population,
    ids: Ids,
    next: u64,
}

impl Simulator {
    /// A simulator at its first playback.
    pub fn new(config: SimulatorConfig) -> Self {
        Self {
            population: Population::new(config.users, config.tracks),
            ids: Ids::new(&config),
            config,
            next: 0,
        }
    }

    fn playback(&self, index: u64) -> SimulatedPlayback {
        let mut rng = ChaCha12Rng::seed_from_u64(self.config.seed);
        rng.set_stream(index);
        let begins = self.begins(index, &mut rng);
        let (listener, track) = (
            self.population.listener(&mut rng),
            self.population.track(&mut rng),
        );
        let end = PlaybackEnd::draw(&mut rng);
        let ids = self.ids.of_playback(index);
        let playback_id = match end {
            PlaybackEnd::RecordedAfterwards => PlaybackId::from(ids.event(0)),
            _ => ids.playback(),
        };
        let play = (listener.user_id.clone(), track.track_id.clone());
        let test_id = self.config.test_id.clone();
        let mut reporter = Reporter::new(ids, playback_id.clone(), play, test_id);
        match end {
            PlaybackEnd::RecordedAfterwards => record(&mut rng, &mut reporter, begins, &track),
            _ => play_track(&mut rng, &mut reporter, begins, (&listener, &track), end),
        }
        SimulatedPlayback {
            id: playback_id,
            begins,
            facts: reporter.into_facts(),
        }
    }

    /// At a random time within its share of the spread.
    fn begins(&self, index: u64, rng: &mut ChaCha12Rng) -> Timestamp {
        let share = self.config.spread_ms as f64 / self.config.playbacks.max(1) as f64;
        let after = share * (index as f64 + rng.random::<f64>());
        self.config.start.plus_millis(after as i64)
    }
}

impl Iterator for Simulator {
    type Item = SimulatedPlayback;

    fn next(&mut self) -> Option<SimulatedPlayback> {
        let index = (self.next < self.config.playbacks).then_some(self.next)?;
        self.next += 1;
        Some(self.playback(index))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.config.playbacks - self.next).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

/// Reports a playback in one event at its end; half of these have only the data of the predecessor's clients.
fn record(rng: &mut ChaCha12Rng, reporter: &mut Reporter, begins: Timestamp, track: &Track) {
    let is_measured: bool = rng.random();
    let played_ms = rng.random_range(1_000..=track.duration_ms);
    reporter.report_without_seq(begins.plus_millis(played_ms as i64), |play| {
        EventData::Recorded(PlaybackRecorded {
            play,
            played_ms: is_measured.then_some(played_ms),
            track_duration_ms: is_measured.then_some(track.duration_ms),
        })
    });
}

fn play_track(
    rng: &mut ChaCha12Rng,
    reporter: &mut Reporter,
    begins: Timestamp,
    (listener, track): (&Listener, &Track),
    end: PlaybackEnd,
) {
    let startup_ms = draw::log_normal(rng, 350.0, 0.7, 40..=20_000);
    let context = draw::weighted(rng, population::CONTEXTS);
    let first_sound = begins.plus_millis(startup_ms as i64);
    reporter.report(first_sound, |play| {
        EventData::Started(PlaybackStarted {
            play,
            track_duration_ms: Some(track.duration_ms),
            startup_ms: Some(startup_ms),
            device: Some(listener.device.to_owned()),
            platform: Some(listener.platform.to_owned()),
            app_version: Some(listener.app_version.to_owned()),
            country: Some(listener.country.to_owned()),
            plan: Some(listener.plan.to_owned()),
            context: Some(context.to_owned()),
        })
    });
    let sees_ads = listener.plan == "free";
    Session::new(rng, reporter, first_sound, track.duration_ms, sees_ads).run(end);
}
