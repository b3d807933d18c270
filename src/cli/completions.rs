//! `completions`: a shell's completion script.

use clap::CommandFactory;

use crate::error::{Exit, Stop};

use super::args::{Cli, Completions};
use super::output::Output;

pub(super) fn print(args: &Completions, output: Output) -> Result<Exit, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "callrounds", &mut script);
    output.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
