//! The command line: one file per command, wiring only. Nothing else touches arguments, the environment, the standard
//! streams or the exit code.
//!
//! [`args`] is what may be typed; [`setting`] what it means; [`output`] where things are written; [`enrolment`] puts a
//! list into the ledger; [`placing`] is what `run` and `resume` share; [`planning`] what `check` and `run --plan` do.

mod api;
mod approval;
pub mod args;
mod check;
mod completions;
mod core_dumps;
mod doctor;
pub mod enrolment;
mod exclude;
mod explain;
mod init;
mod ledger;
mod listing;
mod output;
mod placing;
mod planning;
mod preflight;
mod report;
mod resolve;
mod resume;
mod rows;
mod run;
pub mod schema;
mod setting;
mod simulate;
mod status;
mod suppress;
mod webhooks;

use std::process::ExitCode;

use clap::Parser;

use crate::error::{Exit, Stop};
use args::{Cli, Command};
use output::Output;

/// Runs the command that was typed.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Asking for help or the version is no error; everything else that clap refuses is a usage error.
        Err(error) => {
            output::refuse_arguments(&error);
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let output = Output::new(&cli.global);
    output.log();
    core_dumps::forbid();
    match dispatch(&cli, output) {
        Ok(exit) => exit.into(),
        Err(stop) => {
            output::complain(&stop);
            stop.exit().into()
        }
    }
}

fn dispatch(cli: &Cli, output: Output) -> Result<Exit, Stop> {
    let global = &cli.global;
    match &cli.command {
        Command::Run(args) => asynchronously(run::run(args, global, output)),
        Command::Check(args) => check::check(args, global, output),
        Command::Resume(args) => asynchronously(resume::resume(args, global, output)),
        Command::Status(args) => status::status(args, global, output),
        Command::Report(args) => report::report(args, global, output),
        Command::Explain(args) => explain::explain(args, global, output),
        Command::Suppress(args) => suppress::suppress(args, global, output),
        Command::Resolve(args) => resolve::resolve(args, global, output),
        Command::Pause(args) => resolve::pause(args, global, output),
        Command::Cancel(args) => resolve::cancel(args, global, output),
        Command::Ledger(args) => ledger::ledger(args, global, output),
        Command::Simulate(args) => asynchronously(simulate::simulate(args, output)),
        Command::Doctor(args) => asynchronously(doctor::doctor(args, global, output)),
        Command::Init(args) => init::init(args, output),
        Command::Schema(args) => schema::print(args, output),
        Command::Completions(args) => completions::print(args, output),
    }
}

fn asynchronously(work: impl Future<Output = Result<Exit, Stop>>) -> Result<Exit, Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::Internal(format!("no runtime: {}", error.kind())))?;
    let result = runtime.block_on(work);
    // A prompt that nobody answers must not keep the program from ending.
    runtime.shutdown_background();
    result
}
