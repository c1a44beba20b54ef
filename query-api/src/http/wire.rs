//! The JSON that is answered: plain structs whose fields, texts and documentation are written once, here. Made from the domain's
//! types by taking those apart, so that a new field cannot be forgotten.

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
    described::{Described, reference, register},
    event::Event,
    lag::{Interpolated, Lag},
    live::Live,
    playback::Playback,
    projection::Projection,
    report_row::{ReportRow, report_rows},
    retention::{Quartiles, Retention, RetentionBucket},
    summary::{Listener, Track},
};
