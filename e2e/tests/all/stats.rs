//! Tests of /stats.

mod own_writes;
mod playback;
