//! Reads answers: from the cache, or from the read model under limits, page by page, and no older than a caller requires. It must
//! not know HTTP paths and parameters.

mod cache;
mod conflicts;
mod events_page;
mod loader;
mod playbacks_page;
mod read_model;
mod watermark;

pub(crate) use self::{
    cache::{Cache, CachedAnswer, Content},
    conflicts::{ConflictCounter, Conflicts, LastCount},
    events_page::Page,
    loader::Loader,
    read_model::{Generation, ReadModel, SelectError},
    watermark::{Layer, Partition, View, Watch, Watcher},
};

#[cfg(test)]
pub(crate) use self::watermark::tests::view;
