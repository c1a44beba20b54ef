//! Commands for the generations of the read model: `projector generations` (list), `promote` and `retire`.

pub mod list;
pub mod promote;
pub mod retire;

mod disk;
mod error;
