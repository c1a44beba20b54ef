//! GET /events and GET /events/{id}.

mod asked;
mod costly;
mod listed;
