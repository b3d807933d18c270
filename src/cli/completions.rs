//! `completions`: a shell's completion script.

use clap::CommandFactory;

use crate::error::{CommandError, ExitStatus};

use super::args::{Cli, CompletionsArgs};
use super::output::Output;

pub(super) fn print(args: &CompletionsArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "callrounds", &mut script);
    output.data(&String::from_utf8_lossy(&script))?;
    Ok(ExitStatus::Done)
}
