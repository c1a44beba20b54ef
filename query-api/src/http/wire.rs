//! The JSON of answers: structs whose fields and documentation are written once, here. They are converted from domain types by
//! destructuring, so that a new field cannot be forgotten.

mod described;
mod event;
mod lag;
mod live;
mod playback;
mod projection;
mod report_row;
mod retention;
mod summary;

pub(crate) use self::{
    described::{Described, Named, reference, register},
    event::Event,
    lag::{Interpolated, Lag},
    live::Live,
    playback::Playback,
    projection::Projection,
    report_row::ReportRow,
    retention::{Quartiles, Retention, RetentionBucket},
    summary::{Track, User},
};
