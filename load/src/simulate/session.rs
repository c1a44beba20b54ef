//! One playback of a track: a heartbeat for every ten seconds of media time, with pauses, seeks, stalls and failures in between. A
//! stretch continues across a pause and ends at a seek, as media time does.

use ess_schema::Timestamp;
use ess_schema::event::{
    EndReason, EventData, PlaybackFailed, PlaybackFinished, PlaybackPaused, PlaybackProgressed,
    PlaybackResumed, PlaybackSeeked, PlaybackStalled,
};
use rand::RngExt;
use rand_chacha::ChaCha12Rng;
use serde_json::json;

use super::draw;
use super::ending::PlaybackEnd;
use super::reporter::Reporter;

/// Media time between two heartbeats, in ms.
pub const HEARTBEAT_MS: u64 = 10_000;
/// Mean media time between two incidents, in ms.
const MEAN_INCIDENT_GAP_MS: f64 = 110_000.0;
/// Bounds the length of a playback, together with [`MAX_PAUSE_MS`] and [`MAX_JUMP_MS`].
const MAX_INCIDENTS: u32 = 6;
const MAX_PAUSE_MS: u64 = 90_000;
const MAX_JUMP_MS: u64 = 60_000;
/// The end of every seek is at least this far from the end of the track, in ms.
const SEEK_MARGIN_MS: u64 = 5_000;
/// The share of the silent playbacks that were paused before.
const SILENT_IN_PAUSE: f64 = 0.5;

const ERRORS: [((&str, &str), u32); 3] = [
    (("NETWORK_TIMEOUT", "segment request timed out"), 6),
    (("DECODE", "audio frame could not be decoded"), 3),
    (("LICENSE_EXPIRED", "the licence is no longer valid"), 1),
];

#[derive(Debug, Clone, Copy)]
enum Incident {
    Pause,
    Seek,
    Stall,
    /// A failure that is not fatal.
    Failure,
    /// A custom event of the app.
    Custom,
}

/// A playback in progress.
pub(super) struct Session<'p> {
    rng: &'p mut ChaCha12Rng,
    reporter: &'p mut Reporter,
    duration_ms: u64,
    sees_ads: bool,
    now: Timestamp,
    position_ms: u64,
    /// Where the stretch begins that is not reported yet.
    stretch_from_ms: u64,
    listened_ms: u64,
}

impl<'p> Session<'p> {
    pub(super) fn new(
        rng: &'p mut ChaCha12Rng,
        reporter: &'p mut Reporter,
        first_sound: Timestamp,
        duration_ms: u64,
        sees_ads: bool,
    ) -> Self {
        Self {
            rng,
            reporter,
            duration_ms,
            sees_ads,
            now: first_sound,
            position_ms: 0,
            stretch_from_ms: 0,
            listened_ms: 0,
        }
    }

    /// Plays until the track ends, or the listener has had enough.
    pub(super) fn run(mut self, end: PlaybackEnd) {
        let limit_ms = end.listening_limit_ms(self.rng, self.duration_ms);
        let mut incident_at = draw::exponential(self.rng, MEAN_INCIDENT_GAP_MS);
        let mut incidents_left = MAX_INCIDENTS;
        loop {
            let until_end = (self.duration_ms - self.position_ms).min(limit_ms - self.listened_ms);
            let until_heartbeat = HEARTBEAT_MS - self.unreported_ms();
            let until_incident = incident_at - self.listened_ms;
            self.play(until_end.min(until_heartbeat).min(until_incident));
            if self.position_ms == self.duration_ms || self.listened_ms == limit_ms {
                return self.end(end);
            }
            if self.unreported_ms() == HEARTBEAT_MS {
                self.report_stretch();
            }
            if self.listened_ms == incident_at {
                self.meet_incident();
                incidents_left -= 1;
                incident_at = match incidents_left {
                    0 => u64::MAX,
                    _ => self.listened_ms + draw::exponential(self.rng, MEAN_INCIDENT_GAP_MS),
                };
            }
        }
    }

    fn unreported_ms(&self) -> u64 {
        self.position_ms - self.stretch_from_ms
    }

    fn play(&mut self, media_ms: u64) {
        self.position_ms += media_ms;
        self.listened_ms += media_ms;
        self.wait(media_ms);
    }

    fn wait(&mut self, ms: u64) {
        self.now = self.now.plus_millis(ms as i64);
    }

    /// Reports the stretch that is not reported yet, if any.
    fn report_stretch(&mut self) {
        let (from_ms, to_ms) = (self.stretch_from_ms, self.position_ms);
        self.stretch_from_ms = to_ms;
        if from_ms < to_ms {
            self.reporter.report(self.now, |play| {
                EventData::Progressed(PlaybackProgressed {
                    play,
                    from_ms,
                    to_ms,
                    played_ms: None,
                })
            });
        }
    }

    fn meet_incident(&mut self) {
        let incidents = [
            (Incident::Pause, 42),
            (Incident::Seek, 26),
            (Incident::Custom, 16),
            (Incident::Stall, 12),
            (Incident::Failure, 4),
        ];
        match draw::weighted(self.rng, incidents) {
            Incident::Pause => self.pause_and_resume(),
            Incident::Seek => self.seek(),
            Incident::Stall => self.stall(),
            Incident::Failure => self.fail(false),
            Incident::Custom => self.report_custom(),
        }
    }

    fn pause(&mut self) {
        let position_ms = self.position_ms;
        self.reporter.report(self.now, |play| {
            EventData::Paused(PlaybackPaused { play, position_ms })
        });
    }

    fn pause_and_resume(&mut self) {
        self.pause();
        let paused_ms = draw::log_normal(self.rng, 8_000.0, 1.2, 300..=MAX_PAUSE_MS);
        self.wait(paused_ms);
        let position_ms = self.position_ms;
        self.reporter.report(self.now, |play| {
            EventData::Resumed(PlaybackResumed {
                play,
                position_ms,
                paused_ms: Some(paused_ms),
            })
        });
    }

    fn seek(&mut self) {
        self.report_stretch();
        let (from_ms, last) = (self.position_ms, self.duration_ms - SEEK_MARGIN_MS);
        let jump = self.rng.random_range(SEEK_MARGIN_MS..=MAX_JUMP_MS);
        let to_ms = if self.rng.random_bool(0.6) {
            (from_ms + jump).min(last)
        } else {
            from_ms.saturating_sub(jump)
        };
        self.position_ms = to_ms;
        self.stretch_from_ms = to_ms;
        self.reporter.report(self.now, |play| {
            EventData::Seeked(PlaybackSeeked {
                play,
                from_ms,
                to_ms,
            })
        });
    }

    fn stall(&mut self) {
        let stalled_ms = draw::log_normal(self.rng, 900.0, 0.9, 100..=15_000);
        self.wait(stalled_ms);
        let position_ms = self.position_ms;
        self.reporter.report(self.now, |play| {
            EventData::Stalled(PlaybackStalled {
                play,
                position_ms,
                stalled_ms,
            })
        });
    }

    fn fail(&mut self, fatal: bool) {
        let (code, message) = draw::weighted(self.rng, ERRORS);
        let position_ms = Some(self.position_ms);
        self.reporter.report(self.now, |play| {
            EventData::Failed(PlaybackFailed {
                play,
                code: code.to_owned(),
                message: Some(message.to_owned()),
                fatal,
                position_ms,
            })
        });
    }

    fn report_custom(&mut self) {
        let position_ms = self.position_ms;
        let (name, content) = if self.sees_ads {
            let campaign = format!("campaign-{}", self.rng.random_range(1..=40));
            let content =
                json!({"campaign": campaign, "slot": "banner", "position_ms": position_ms});
            ("AdShown", content)
        } else {
            ("LyricsOpened", json!({"position_ms": position_ms}))
        };
        self.reporter.report_custom(self.now, name, &content);
    }

    fn end(&mut self, end: PlaybackEnd) {
        let reason = match end {
            _ if self.position_ms == self.duration_ms => EndReason::Completed,
            PlaybackEnd::Completes | PlaybackEnd::RecordedAfterwards => EndReason::Completed,
            PlaybackEnd::Skips => EndReason::Skipped,
            PlaybackEnd::Stops => EndReason::Stopped,
            PlaybackEnd::GoesSilent => return self.go_silent(),
            PlaybackEnd::Fails => {
                self.report_stretch();
                return self.fail(true);
            }
        };
        self.finish(reason);
    }

    fn go_silent(&mut self) {
        if self.rng.random_bool(SILENT_IN_PAUSE) {
            self.pause();
        }
    }

    fn finish(&mut self, reason: EndReason) {
        let (from_ms, to_ms) = (self.stretch_from_ms, self.position_ms);
        let duration_ms = self.duration_ms;
        self.reporter.report(self.now, |play| {
            EventData::Finished(PlaybackFinished {
                play,
                position_ms: Some(to_ms),
                reason,
                from_ms: Some(from_ms),
                to_ms: Some(to_ms),
                played_ms: None,
                track_duration_ms: Some(duration_ms),
            })
        });
    }
}
