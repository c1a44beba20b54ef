//! The questions that the API answers, each a valid value. Pure: no I/O, no clock, no HTTP. Of SQL it has only the expressions that
//! metrics and dimensions declare, as data.

mod aggregate;
mod country;
mod cursor;
mod declare;
mod dimension;
mod events;
pub(crate) mod filter;
mod format;
#[cfg(test)]
mod fuzz;
mod key;
mod lag;
mod live;
mod metric;
mod period;
mod playbacks;
mod refusal;
pub(crate) mod report;
mod retention;
mod row_key;
mod summary;

pub(crate) use self::{
    aggregate::{Aggregate, EVERY_ROW},
    country::Country,
    cursor::{Cursor, Fingerprint, InvalidCursor},
    dimension::{Attribute, Dimension, TimeBucket},
    events::{EventFilter, EventKey, EventsPage, Start},
    filter::Filter,
    format::Format,
    key::Question,
    lag::{LagBucket, LagBy, LagQuestion, MAX_LAG_ROWS, Window},
    live::LiveQuestion,
    metric::Metric,
    period::Period,
    playbacks::{PlaybackFilter, PlaybackKey, PlaybacksPage},
    refusal::{Refusal, joined},
    report::{Report, ReportColumn, SortKey, check_dimensions, order},
    retention::RetentionQuestion,
    row_key::{KeyValue, RowKey},
    summary::Summary,
};
