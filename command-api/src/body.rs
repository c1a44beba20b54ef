//! From a request to the JSON texts of its items: media type, content coding, bytes, items. Nothing here knows what an item
//! means.

pub(crate) mod binary_mode;
mod content_coding;
pub(crate) mod items;
pub(crate) mod media_type;
pub(crate) mod upload;
