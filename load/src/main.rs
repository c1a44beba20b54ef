//! `ess-load`: hands over to the library and never does anything itself.

use std::process::ExitCode;

fn main() -> ExitCode {
    ess_load::cli::main()
}
