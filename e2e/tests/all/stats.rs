//! Tests of /stats.

mod lag;
mod live;
mod playback;
