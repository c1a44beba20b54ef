//! The tests that start real processes, in one binary: each further binary is linked on its own.

mod owner;
mod servers;
