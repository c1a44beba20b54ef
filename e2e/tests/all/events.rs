//! GET /events and GET /events/{id}.

mod asked;
mod bound;
mod costly;
mod cursors;
mod forms;
mod listed;
mod paged;
