//! How far the active generation has been folded, as seen last. One task looks, and everybody who waits shares what it sees;
//! it looks often only while somebody waits.

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
