//! The command line arguments. [`super::settings`] turns them into settings.

mod conversations;
mod decisions;
mod front_desk;
mod simulate;
mod simulated_time;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::TimeDelta;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::campaign::Purpose;

pub use conversations::{OutcomesAction, OutcomesArgs, ReviewArgs};
pub use decisions::{
    CancelArgs, PauseArgs, ResolutionArgs, ResolveArgs, ScopeArgs, ScopeName, SuppressAction, SuppressArgs,
    TranscriptArgs,
};
pub use front_desk::{
    TickArgs, UntickArgs, WorklistAction, WorklistArgs, WorklistFilter, WorklistFormat, WritebackArgs,
    WritebackFileFormat, WritebackTarget,
};
pub use simulate::{ListOrderArg, RetryAfterForm, SimulateArgs};
pub use simulated_time::SimulatedTime;
pub use values::DayOrInstant;
use values::{duration, run_number, run_or_campaign, socket_address};

/// Places a practice's calls through the Annie voice API: each call at most once, within every calling rule.
#[derive(Debug, Parser)]
#[command(name = "callrounds", version, max_term_width = 100, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 nothing due is left · 1 internal error · 2 usage or campaign error · 3 list refused · \
4 due work left, run again · 5 some patients need a person · 6 the vendor refused the credentials, the caller id, the \
account or three patients in a row, or nothing at the API's address is the API · 7 ledger locked, damaged, full, behind \
the calls placed with it, with events dated in the future, or of the other kind (live or rehearsal) · 8 the vendor's \
list of calls cannot show whether the ledger is complete; nobody was called"
)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
    /// The options of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// The options of every command.
#[derive(Debug, Clone, Args)]
pub struct GlobalArgs {
    /// The ledger [default: callrounds.db next to the campaign]
    #[arg(long, global = true, value_name = "FILE")]
    pub ledger: Option<PathBuf>,
    /// Data as JSON on standard output; for `run` and `resume`, events as JSON lines
    #[arg(long, global = true)]
    pub json: bool,
    /// Write only errors to standard error
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Log every event; given twice, log every request too
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Enrol the list, then place and follow calls; run the same command again to continue
    Run(RunArgs),
    /// Validate campaign and list without network access, and show what a run would do
    Check(CheckArgs),
    /// Continue an unfinished run from the ledger alone
    Resume(ResumeArgs),
    /// List the runs: when they were, how each ended, and their campaigns' present state
    Runs(RunsArgs),
    /// Show a run's progress: its patients by state and outcome
    Status(StatusArgs),
    /// Report the outcome of each patient
    Report(ReportArgs),
    /// Show the history of one patient, with the reasons
    Explain(ExplainArgs),
    /// Manage the suppression list (do not call) of all campaigns on the ledger
    Suppress(SuppressArgs),
    /// Show the patients whose call was refused, is held for a person, or has an unknown outcome, and decide about them
    Resolve(ResolveArgs),
    /// Show conversations that may contain an opt-out, or say that the patient has died, and decide about them
    Review(ReviewArgs),
    /// Show what the bot's conversations carry and what the outcome rules take it for; suggest and apply rules
    Outcomes(OutcomesArgs),
    /// Show what was said in a patient's conversation; nothing of it is kept
    Transcript(TranscriptArgs),
    /// Show what the front desk has to do, and tick it off
    Worklist(WorklistArgs),
    /// Write the calls to a file for the practice's own software; nothing is sent
    Writeback(WritebackArgs),
    /// Pause a campaign: no run of it places a call until it is resumed
    Pause(PauseArgs),
    /// Cancel a campaign or a run's list: its patients are not called any more
    Cancel(CancelArgs),
    /// Maintain the ledger: adopt a restored copy, verify, purge, back up
    Ledger(LedgerArgs),
    /// Check credentials, caller ids, clock and ledger; calls nobody
    Doctor(DoctorArgs),
    /// Write a campaign file as a starting point
    Init(InitArgs),
    /// Run the simulated vendor as a separate server
    Simulate(SimulateArgs),
    /// Print the JSON Schema of a format
    Schema(SchemaArgs),
    /// Print a completion script
    Completions(CompletionsArgs),
}

/// The arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The campaign file
    pub campaign: PathBuf,
    /// The patient list, or - for standard input [default: the campaign's list.file]
    #[arg(long, value_name = "FILE")]
    pub list: Option<PathBuf>,
    /// A second list whose patients are not called, matched by the campaign's key; reread when it changes
    #[arg(long, value_name = "FILE")]
    pub exclude: Option<PathBuf>,
    /// Place exactly the calls of this plan, made by `check --plan`; refused if they would differ now
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Rehearse the unchanged campaign: nobody is called, and a separate ledger is used (callrounds.rehearsal.db next
    /// to the campaign). Uses the simulator on this machine that `ANNIE_BASE_URL` names, or the embedded one
    #[arg(long)]
    pub rehearse: bool,
    /// The options that `run` and `resume` share.
    #[command(flatten)]
    pub options: RunOptions,
}

/// The options that `run` and `resume` share.
#[derive(Debug, Clone, Args)]
pub struct RunOptions {
    /// Wait through closed windows and redial gaps until every patient is finished
    #[arg(long)]
    pub until_done: bool,
    /// Place live calls without confirmation
    #[arg(long)]
    pub yes: bool,
    /// Wait until another run has given the ledger back, instead of ending with exit code 7
    #[arg(long)]
    pub wait: bool,
    /// Receive the vendor's webhooks on this address, with the token of `ANNIE_WEBHOOK_TOKEN`: outcomes arrive sooner
    #[arg(long, value_name = "ADDR", value_parser = socket_address)]
    pub listen: Option<SocketAddr>,
    /// The simulated time.
    #[command(flatten)]
    pub time: SimulatedTime,
}

/// The arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The campaign file
    pub campaign: PathBuf,
    /// The patient list, or - for standard input [default: the campaign's list.file]
    #[arg(long, value_name = "FILE")]
    pub list: Option<PathBuf>,
    /// A second list whose patients are not called, matched by the campaign's key
    #[arg(long, value_name = "FILE")]
    pub exclude: Option<PathBuf>,
    /// Write the exact calls, with all messages, to a plan for `run --plan`
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// The simulated time.
    #[command(flatten)]
    pub time: SimulatedTime,
}

/// The arguments of `resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// The run [default: the newest]
    #[arg(value_parser = run_number)]
    pub run: Option<i64>,
    /// The options that `run` and `resume` share.
    #[command(flatten)]
    pub options: RunOptions,
}

/// The arguments of `runs`.
#[derive(Debug, Args)]
pub struct RunsArgs {
    /// Only the runs of this campaign
    #[arg(long, value_name = "NAME")]
    pub campaign: Option<String>,
}

/// The arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The run [default: the newest]
    #[arg(value_parser = run_or_campaign)]
    pub run: Option<i64>,
    /// The newest run of this campaign
    #[arg(long, value_name = "NAME", conflicts_with = "run")]
    pub campaign: Option<String>,
}

/// The arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The run [default: the newest]
    #[arg(value_parser = run_or_campaign)]
    pub run: Option<i64>,
    /// The newest run of this campaign
    #[arg(long, value_name = "NAME", conflicts_with = "run")]
    pub campaign: Option<String>,
    /// Only who was not called by the run, each with the reason, as CSV; with the rejected rows of the newest list
    #[arg(long, conflicts_with = "format")]
    pub not_called: bool,
    /// The format
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// A report's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Plain text
    Text,
    /// One JSON document
    Json,
    /// One row per patient
    Csv,
    /// One row per patient, as an Excel workbook
    Xlsx,
    /// A web page
    Html,
}

/// The arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A patient's id or name, a patient's number in the report's first column (12 or '#12'), or a phone number
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub patient: String,
}

/// The arguments of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// The campaign file whose credentials and caller ids are checked [default: only the environment's credentials]
    pub campaign: Option<PathBuf>,
}

/// The arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// The new file; an existing file is never overwritten [default: the purpose, such as recall.toml]
    pub file: Option<PathBuf>,
    /// What the calls are for
    #[arg(long, value_enum, default_value_t = PurposeName::Recall)]
    pub purpose: PurposeName,
}

/// The purpose of a campaign's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum PurposeName {
    /// Patients due for a visit
    Recall,
    /// Patients with an appointment
    Reminder,
    /// Patients treated a short while ago
    FollowUp,
}

impl PurposeName {
    /// The campaign's purpose.
    #[must_use]
    pub fn purpose(self) -> Purpose {
        match self {
            Self::Recall => Purpose::Recall,
            Self::Reminder => Purpose::Reminder,
            Self::FollowUp => Purpose::FollowUp,
        }
    }
}

/// The arguments of `ledger`.
#[derive(Debug, Args)]
pub struct LedgerArgs {
    /// The action.
    #[command(subcommand)]
    pub action: LedgerAction,
}

/// The actions on the ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerAction {
    /// Make a copied or restored ledger the authoritative one
    Adopt,
    /// Check the integrity of the whole ledger
    Verify,
    /// Remove names, dates of birth and messages of patients who finished long ago; keys, numbers and call times stay,
    /// so that nobody is called again
    Purge {
        /// The least time since the patient finished, such as 90d
        #[arg(long, value_name = "SPAN", value_parser = duration)]
        older_than: TimeDelta,
    },
    /// Copy the ledger to a new file; a run may continue during the copy
    Backup {
        /// The new file; an existing file is never overwritten
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// The arguments of `schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// The format
    #[arg(value_enum)]
    pub name: SchemaName,
}

/// The formats that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaName {
    /// A campaign file
    Campaign,
    /// A row of a patient list
    ListRow,
    /// The JSON report
    Report,
    /// The events of `run --json`
    Events,
    /// The plan of `check --plan`
    Plan,
    /// The JSON worklist
    Worklist,
}

/// The arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}
