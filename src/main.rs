//! The `callrounds` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    callrounds::cli::main()
}
