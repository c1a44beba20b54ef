//! From a request's body to the texts of its items: its media type, its bytes, its items.

pub(crate) mod binary_mode;
mod content_coding;
pub(crate) mod items;
pub(crate) mod media_type;
pub(crate) mod upload;
