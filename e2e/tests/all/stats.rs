//! Tests of /stats.

mod lag;
mod live;
mod own_writes;
mod playback;
