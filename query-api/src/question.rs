//! What can be asked: reports, lists, and questions about one thing, each a value that cannot hold a bad one. Pure: no I/O, no
//! clock, and nothing of HTTP or SQL.

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
    lag::{LagBucket, LagBy, LagQuestion, MOST_LAG_ROWS, Window},
    live::LiveQuestion,
    metric::Metric,
    period::Period,
    playbacks::{PlaybackFilter, PlaybackKey, PlaybacksPage},
    refusal::{Refusal, joined},
    report::{Column, Report, SortKey, impossible, order},
    retention::Plays,
    row_key::{KeyValue, RowKey},
    summary::Summary,
};
