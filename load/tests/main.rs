//! Every test of ess-load that runs the binary or needs no private item, in one binary: each further one is linked on its
//! own.

mod command_api;
mod facts;
mod k6;
mod kafka;
mod players;
mod run;
mod simulator;
