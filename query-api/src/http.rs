//! Questions and answers as HTTP carries them: one file a path, parameters, the forms of answers, whose playbacks a caller may
//! see, and the OpenAPI document. It never makes SQL.

mod accept;
mod answer;
mod clock;
pub(crate) mod openapi;
pub(crate) mod ownership;
mod parameters;
mod playing;
mod reader;
mod routes;
mod wire;

pub(crate) use self::{playing::Playbacks, reader::Reader};
