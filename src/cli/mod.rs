//! The command line: one file per command, wiring only. No other module uses arguments, the environment, the standard
//! streams or the exit code.
//!
//! [`args`] defines the arguments; [`settings`] turns them into settings; [`environment`] reads variables; [`output`]
//! writes to the standard streams; [`enrolment`] writes a list into the ledger; [`session`] is shared by `run` and
//! `resume`, with [`prompt`], [`preflight`], [`run_setup`], [`ledger_lock`], [`run_segments`], [`signals`] and
//! [`run_status`]; [`plan_builder`] is shared by `check` and `run --plan`, [`decision_scope`] by `pause` and `cancel`,
//! [`vendor_read`] by `resolve` and `transcript`; [`campaigns`] reads the campaigns of runs from the ledger,
//! [`known_campaign`] finds the one that a command names, and [`rejects_file`] reads the rows that its last list
//! rejected.

pub mod args;
mod campaigns;
mod cancel;
mod check;
mod completions;
mod core_dumps;
mod decision_scope;
mod doctor;
mod embedded_simulator;
pub mod enrolment;
mod environment;
mod exclude_file;
mod explain;
mod init;
mod known_campaign;
mod ledger;
mod ledger_lock;
mod list_input;
mod not_called;
mod outcomes;
mod outcomes_apply;
mod outcomes_from_vendor;
mod output;
mod pause;
mod plan_approval;
mod plan_builder;
mod preflight;
mod prompt;
mod rejects_file;
mod report;
mod resolve;
mod resume;
mod review;
mod row_findings;
mod run;
mod run_segments;
mod run_setup;
mod run_status;
mod runs;
pub mod schema;
mod session;
mod settings;
mod signals;
mod simulate;
mod simulator_options;
mod status;
mod suppress;
mod transcript;
mod vendor_config;
mod vendor_read;
mod webhooks;
mod worklist;
mod writeback;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::error::{CommandError, ExitStatus};
use crate::wording;
use args::{Cli, Command};
use output::Output;

/// Runs the command of the command line. The result is the process's exit code.
#[must_use]
pub fn main() -> ExitCode {
    run_with(std::env::args_os())
}

/// Runs the program with these arguments, the first of which is its name.
pub fn run_with<A: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = A>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        // Help and version are not errors; every other refusal of clap is a usage error.
        Err(error) => {
            output::print_argument_error(&error);
            return if error.use_stderr() { ExitStatus::Usage.into() } else { ExitStatus::Done.into() };
        }
    };
    let output = Output::new(&cli.global);
    output.start_log();
    core_dumps::disable();
    match dispatch(&cli, output) {
        Ok(exit) => exit.into(),
        Err(error) => {
            output::print_error(&error);
            error.exit().into()
        }
    }
}

fn dispatch(cli: &Cli, output: Output) -> Result<ExitStatus, CommandError> {
    let global = &cli.global;
    match &cli.command {
        Command::Run(args) => block_on(run::run(args, global, output)),
        Command::Check(args) => check::check(args, global, output),
        Command::Resume(args) => block_on(resume::resume(args, global, output)),
        Command::Runs(args) => runs::runs(args, global, output),
        Command::Status(args) => status::status(args, global, output),
        Command::Report(args) => report::report(args, global, output),
        Command::Explain(args) => explain::explain(args, global, output),
        Command::Suppress(args) => suppress::suppress(args, global, output),
        Command::Review(args) => review::review(args, global, output),
        Command::Outcomes(args) => block_on(outcomes::outcomes(args, global, output)),
        Command::Resolve(args) => block_on(resolve::resolve(args, global, output)),
        Command::Transcript(args) => block_on(transcript::transcript(args, global, output)),
        Command::Worklist(args) => worklist::worklist(args, global, output),
        Command::Writeback(args) => writeback::writeback(args, global, output),
        Command::Pause(args) => pause::pause(args, global, output),
        Command::Cancel(args) => cancel::cancel(args, global, output),
        Command::Ledger(args) => ledger::ledger(args, global, output),
        Command::Simulate(args) => block_on(simulate::simulate(args, output)),
        Command::Doctor(args) => block_on(doctor::doctor(args, global, output)),
        Command::Init(args) => init::init(args, output),
        Command::Schema(args) => schema::print(args, output),
        Command::Completions(args) => completions::print(args, output),
    }
}

fn block_on(work: impl Future<Output = Result<ExitStatus, CommandError>>) -> Result<ExitStatus, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        CommandError::Internal(format!(
            "this machine gives the program no threads: {}",
            wording::io_problem(error.kind())
        ))
    })?;
    let result = runtime.block_on(work);
    // An unanswered prompt blocks a thread; it must not keep the process alive.
    runtime.shutdown_background();
    result
}
