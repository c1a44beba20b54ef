//! One downloadable part: its cache folder, its versions, and how to fill the folder.
//! Never downloads anything by itself: `fetch` decides what is missing.

use std::path::Path;

use crate::error::Result;

/// A part to download.
pub(crate) struct Download {
    /// Display name.
    pub(crate) name: &'static str,
    /// Folder name, including the version.
    pub(crate) folder: String,
    /// Versions of the contents. A folder whose marker differs is stale.
    pub(crate) contents: String,
    /// Fills an empty folder.
    pub(crate) fill: fn(&Path) -> Result<()>,
}
