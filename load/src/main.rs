//! `ess-load`: calls the library, and does nothing itself.

use std::process::ExitCode;

fn main() -> ExitCode {
    ess_load::cli::main()
}
