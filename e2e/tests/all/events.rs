//! GET /events and GET /events/{id}.

mod asked;
mod bound;
mod cursors;
mod forms;
mod costly;
mod listed;
mod paged;
