//! The tests that start real processes, in one binary, because each binary is linked on its own.

mod owner;
mod servers;
