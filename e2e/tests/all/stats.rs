//! Tests of /stats.

mod bound;
mod dataset;
mod lag;
mod live;
mod own_writes;
mod playback;
mod playbacks;
mod question;
mod refused;
mod report;
mod retention;
mod rolled_up;
mod top;
mod track;
mod user;
