//! The definitions of the roll-ups one by one, on cases small enough to compute by hand.

mod given;
mod metrics;
mod report;
mod retention;
