//! How far the log is projected into the active generation. One task observes it for all callers, and often only while a caller
//! waits for a position.

mod view;
mod watch;
mod watcher;

pub(crate) use self::{
    view::{Partition, View},
    watch::{Layer, Watch},
    watcher::Watcher,
};

#[cfg(test)]
pub(crate) use self::view::tests;
