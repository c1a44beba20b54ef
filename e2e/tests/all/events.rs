//! GET /events and GET /events/{id}.

mod asked;
mod listed;
