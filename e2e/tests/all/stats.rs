//! Tests of /stats.

mod playback;
