//! The listeners and tracks, and their popularity. They are the same in every run: listener 7 has the same device and country, and
//! track 7 the same length, with every seed. Each is made from its number when it is needed.

use ess_schema::{TrackId, UserId};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, Zipf};

use super::draw;

/// Exponents of Zipf's law. The popularity of tracks falls about as 1 ÷ rank; that of listeners less steeply.
const TRACK_SKEW: f64 = 1.0;
const LISTENER_SKEW: f64 = 0.6;
/// Offsets of the seeds of listeners and tracks.
const LISTENERS: u64 = 0x4c69_7374_0000_0000;
const TRACKS: u64 = 0x5472_6163_0000_0000;

const DEVICES: [((&str, &str), u32); 8] = [
    (("iPhone 15", "ios"), 22),
    (("iPad Air", "ios"), 5),
    (("Galaxy S24", "android"), 20),
    (("Pixel 8", "android"), 13),
    (("Chrome", "web"), 18),
    (("Firefox", "web"), 6),
    (("MacBook Pro", "desktop"), 9),
    (("Echo Dot", "speaker"), 7),
];
const APP_VERSIONS: [(&str, u32); 4] = [("8.4.1", 60), ("8.4.0", 22), ("8.3.2", 13), ("7.9.9", 5)];
const COUNTRIES: [(&str, u32); 10] = [
    ("US", 28),
    ("DE", 14),
    ("BR", 12),
    ("GB", 10),
    ("IN", 9),
    ("FR", 8),
    ("JP", 7),
    ("PL", 5),
    ("KZ", 4),
    ("NZ", 3),
];
const PLANS: [(&str, u32); 4] = [
    ("free", 48),
    ("premium", 36),
    ("family", 11),
    ("student", 5),
];
/// Where playbacks are started from.
pub(super) const CONTEXTS: [(&str, u32); 6] = [
    ("playlist:morning", 22),
    ("playlist:discover", 20),
    ("album", 19),
    ("radio", 17),
    ("search", 12),
    ("autoplay", 10),
];

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listener {
    pub(super) user_id: UserId,
    pub(super) device: &'static str,
    pub(super) platform: &'static str,
    pub(super) app_version: &'static str,
    pub(super) country: &'static str,
    pub(super) plan: &'static str,
}

/// A track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Track {
    pub(super) track_id: TrackId,
    pub(super) duration_ms: u64,
}

/// The probabilities of listeners and tracks.
#[derive(Debug, Clone)]
pub(super) struct Population {
    listeners: Zipf<f64>,
    tracks: Zipf<f64>,
}

impl Population {
    pub(super) fn new(users: u32, tracks: u32) -> Self {
        Self {
            listeners: popularity(users, LISTENER_SKEW),
            tracks: popularity(tracks, TRACK_SKEW),
        }
    }

    pub(super) fn listener(&self, rng: &mut impl Rng) -> Listener {
        let number = self.listeners.sample(rng) as u64;
        let mut own = ChaCha12Rng::seed_from_u64(LISTENERS + number);
        let (device, platform) = draw::weighted(&mut own, DEVICES);
        Listener {
            user_id: id(UserId::new(format!("user-{number}"))),
            device,
            platform,
            app_version: draw::weighted(&mut own, APP_VERSIONS),
            country: draw::weighted(&mut own, COUNTRIES),
            plan: draw::weighted(&mut own, PLANS),
        }
    }

    pub(super) fn track(&self, rng: &mut impl Rng) -> Track {
        let number = self.tracks.sample(rng) as u64;
        let mut own = ChaCha12Rng::seed_from_u64(TRACKS + number);
        Track {
            track_id: id(TrackId::new(format!("track-{number}"))),
            duration_ms: draw::log_normal(&mut own, 205_000.0, 0.35, 45_000..=480_000),
        }
    }
}

fn popularity(count: u32, skew: f64) -> Zipf<f64> {
    #[expect(
        clippy::expect_used,
        reason = "refused only below one element or for a negative exponent"
    )]
    Zipf::new(f64::from(count.max(1)), skew).expect("a Zipf distribution")
}

fn id<T>(made: Result<T, ess_schema::id::InvalidId>) -> T {
    #[expect(clippy::expect_used, reason = "letters, a dash and digits are an id")]
    made.expect("an id")
}
