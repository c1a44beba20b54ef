//! GET /events and GET /events/{id}.

mod bound;
mod costly;
mod cursors;
mod forms;
mod listed;
mod paged;
mod parameters;
