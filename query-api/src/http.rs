//! HTTP: paths, parameters, formats, ownership, responses and the OpenAPI document. It reads through `read`, and never makes SQL.

mod accept;
mod answer;
mod arguments;
mod bodies;
mod cached_read;
mod clock;
mod document;
mod links;
pub(crate) mod openapi;
mod operation;
pub(crate) mod ownership;
mod parameter_errors;
mod parameters;
mod playing;
mod reader;
mod routes;
mod wire;

pub(crate) use self::{playing::PlayingSource, reader::Reader};
