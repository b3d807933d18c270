//! The command line as it is typed. What it means is settled once, in [`super::setting`].

use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::campaign::Purpose;
use crate::ledger::Scope;

/// Places a practice's calls through the Annie voice API: each exactly once, within every rule that applies.
#[derive(Debug, Parser)]
#[command(name = "callrounds", version, max_term_width = 100, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 nothing due is left · 1 internal error · 2 usage or campaign error · 3 list refused · \
4 due work left, run again · 5 some entries need a person · 6 the vendor refused us · 7 ledger locked, damaged, full, \
older than what it has dialled, or of the other kind (rehearsal) · 8 the vendor's list proves nothing, and nobody was called"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The ledger [default: callrounds.db beside the campaign]
    #[arg(long, global = true, value_name = "FILE")]
    pub ledger: Option<PathBuf>,
    /// Data as JSON on standard output; for `run` and `resume`, events as JSON lines
    #[arg(long, global = true)]
    pub json: bool,
    /// Nothing but errors on standard error
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// A line for everything that happens; twice for every request, too
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Enrol the list, then place and follow calls; the same command again goes on
    Run(Run),
    /// Validate everything without a network, and show what a run would do
    Check(Check),
    /// Go on with an unfinished run from the ledger alone
    Resume(Resume),
    /// Where everybody stands
    Status(OfRun),
    /// What happened to each patient
    Report(Report),
    /// What happened to one patient, and why
    Explain(Explain),
    /// Keep numbers from being called, in every campaign on the ledger
    Suppress(Suppress),
    /// Settle an entry that is held because its call's answer was lost
    Resolve(Resolve),
    /// Pause a run: it places no further call until it is resumed
    Pause(OfRun),
    /// Call a run off: what is not under way or over is not called
    Cancel(Cancel),
    /// Look after the ledger itself
    Ledger(OfLedger),
    /// Look whether credentials, from-numbers, clock and ledger are in order; calls nobody
    Doctor(Doctor),
    /// Write a campaign file to start from
    Init(Init),
    /// Run the simulated vendor as a server of its own
    Simulate(Simulate),
    /// Print the JSON Schema of a format
    Schema(Schema),
    /// Print a completion script
    Completions(Completions),
}

/// Time travel: in a rehearsal only, against the embedded simulator or with `[vendor] rehearsal = true`.
#[derive(Debug, Clone, Args)]
pub struct Travel {
    /// Start the clock at this instant (UTC, RFC 3339)
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub at: Option<DateTime<Utc>>,
    /// Seconds that pass in one real second
    #[arg(long, value_name = "X", value_parser = positive)]
    pub speed: Option<f64>,
}

/// `run`
#[derive(Debug, Args)]
pub struct Run {
    /// The campaign file
    pub campaign: PathBuf,
    /// The patient list, or - for standard input [default: the campaign's list.file]
    #[arg(long, value_name = "FILE")]
    pub list: Option<PathBuf>,
    /// A second list whose patients are left out, by the campaign's key; read again when it changes
    #[arg(long, value_name = "FILE")]
    pub exclude: Option<PathBuf>,
    /// Dial what this plan of `check --plan` says, and nothing else; refused if anything has moved since
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Rehearse the campaign as it is: nobody is called, and the ledger is one of its own (callrounds.rehearsal.db) beside
    /// it. Against the simulator that `ANNIE_BASE_URL` names on this machine, or the embedded one
    #[arg(long)]
    pub rehearse: bool,
    /// How calls are placed.
    #[command(flatten)]
    pub placing: Placing,
}

/// How calls are placed.
#[derive(Debug, Clone, Args)]
pub struct Placing {
    /// Sleep through closed windows and redial gaps until every entry is finished
    #[arg(long)]
    pub until_done: bool,
    /// Place live calls without asking
    #[arg(long)]
    pub yes: bool,
    /// Take the vendor's webhooks here, with the token of `ANNIE_WEBHOOK_TOKEN`: endings are known sooner
    #[arg(long, value_name = "ADDR", value_parser = socket)]
    pub listen: Option<SocketAddr>,
    /// When.
    #[command(flatten)]
    pub travel: Travel,
}

/// `check`
#[derive(Debug, Args)]
pub struct Check {
    /// The campaign file
    pub campaign: PathBuf,
    /// The patient list, or - for standard input [default: the campaign's list.file]
    #[arg(long, value_name = "FILE")]
    pub list: Option<PathBuf>,
    /// A second list whose patients are left out, by the campaign's key
    #[arg(long, value_name = "FILE")]
    pub exclude: Option<PathBuf>,
    /// Write down exactly what would be dialled, with all texts, for `run --plan`
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// When.
    #[command(flatten)]
    pub travel: Travel,
}

/// `resume`
#[derive(Debug, Args)]
pub struct Resume {
    /// The run [default: the newest]
    #[arg(value_parser = run_number)]
    pub run: Option<i64>,
    /// How calls are placed.
    #[command(flatten)]
    pub placing: Placing,
}

/// Commands about one run.
#[derive(Debug, Args)]
pub struct OfRun {
    /// The run [default: the newest]
    #[arg(value_parser = run_number)]
    pub run: Option<i64>,
}

/// `report`
#[derive(Debug, Args)]
pub struct Report {
    /// The run [default: the newest]
    #[arg(value_parser = run_number)]
    pub run: Option<i64>,
    /// The format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// A report's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// One JSON document
    Json,
    /// One row per patient
    Csv,
    /// The same as a workbook
    Xlsx,
    /// For people, as a page
    Html,
}

/// `explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// A patient's id, an entry's number in the ledger, or a phone number
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub patient: String,
}

/// `suppress`
#[derive(Debug, Args)]
pub struct Suppress {
    /// What to do.
    #[command(subcommand)]
    pub action: SuppressAction,
}

/// What to do with the suppression list.
#[derive(Debug, Subcommand)]
pub enum SuppressAction {
    /// Put a number on it
    Add {
        /// The number
        number: String,
        /// Which calls are forbidden
        #[arg(long, value_enum, default_value_t)]
        scope: ScopeName,
        /// Until when: a day, which counts to its end, or an instant, both UTC [default: for good]
        #[arg(long, value_name = "WHEN", value_parser = expiry)]
        expires: Option<DateTime<Utc>>,
        /// Who says so, for the record
        #[arg(long, value_name = "TEXT", default_value = "operator")]
        source: String,
    },
    /// Take a number off it
    Remove {
        /// The number
        number: String,
        /// Which calls are allowed again
        #[arg(long, value_enum, default_value_t)]
        scope: ScopeName,
    },
    /// Put all numbers of a CSV file on it
    Import {
        /// The file
        file: PathBuf,
        /// Which calls are forbidden
        #[arg(long, value_enum, default_value_t)]
        scope: ScopeName,
        /// Until when: a day, which counts to its end, or an instant, both UTC [default: for good]
        #[arg(long, value_name = "WHEN", value_parser = expiry)]
        expires: Option<DateTime<Utc>>,
        /// Who says so, for the record
        #[arg(long, value_name = "TEXT", default_value = "import")]
        source: String,
    },
    /// Show it
    List,
}

/// Which calls a suppression forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum ScopeName {
    /// All of them
    #[default]
    All,
    /// Recall calls
    Recall,
    /// Reminders
    Reminder,
    /// Follow-up calls
    FollowUp,
}

impl ScopeName {
    /// The ledger's word for it.
    #[must_use]
    pub fn meant(self) -> Scope {
        match self {
            Self::All => Scope::All,
            Self::Recall => Scope::Purpose(Purpose::Recall),
            Self::Reminder => Scope::Purpose(Purpose::Reminder),
            Self::FollowUp => Scope::Purpose(Purpose::FollowUp),
        }
    }
}

/// `resolve`
#[derive(Debug, Args)]
pub struct Resolve {
    /// The entry's number in the ledger
    #[arg(value_parser = entry_number)]
    pub entry: i64,
    /// What became of its call.
    #[command(flatten)]
    pub verdict: Verdict,
}

/// What became of a call whose answer was lost: one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Verdict {
    /// The call was placed, and this is its conversation: follow it
    #[arg(long, value_name = "ID")]
    pub placed: Option<String>,
    /// No call was placed: the entry may be called again
    #[arg(long)]
    pub not_placed: bool,
    /// The entry is not to be called; settles one that was lost track of, too
    #[arg(long)]
    pub cancel: bool,
}

/// `cancel`
#[derive(Debug, Args)]
pub struct Cancel {
    /// The run
    #[arg(value_parser = run_number)]
    pub run: i64,
}

/// `doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// The campaign file whose credentials and numbers are looked at [default: the environment's credentials alone]
    pub campaign: Option<PathBuf>,
}

/// `init`
#[derive(Debug, Args)]
pub struct Init {
    /// The new file; one that is there is never overwritten [default: recall.toml, or as the purpose is called]
    pub file: Option<PathBuf>,
    /// What the calls are for
    #[arg(long, value_enum, default_value_t = PurposeName::Recall)]
    pub purpose: PurposeName,
}

/// What a campaign's calls are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum PurposeName {
    /// Visits that are due
    Recall,
    /// Appointments to come
    Reminder,
    /// The days after a procedure
    FollowUp,
}

impl PurposeName {
    /// The campaign's word for it.
    #[must_use]
    pub fn meant(self) -> Purpose {
        match self {
            Self::Recall => Purpose::Recall,
            Self::Reminder => Purpose::Reminder,
            Self::FollowUp => Purpose::FollowUp,
        }
    }
}

/// `ledger`
#[derive(Debug, Args)]
pub struct OfLedger {
    /// What to do.
    #[command(subcommand)]
    pub action: LedgerAction,
}

/// What to do with the ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerAction {
    /// Take over a ledger that was copied or restored: from now on it is the one that is gone on with
    Adopt,
    /// Check the ledger whole: is its file as it was written?
    Verify,
    /// Take names, dates of birth and messages off entries that have long been over; who was called, when and on which
    /// number stays, so that nobody is called again for it
    Purge {
        /// How long they have been over at least, such as 90d
        #[arg(long, value_name = "SPAN", value_parser = span)]
        older_than: TimeDelta,
    },
    /// Write what the ledger holds now to a new file; a run may go on meanwhile
    Backup {
        /// The new file; one that is there is never overwritten
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// `simulate`
#[derive(Debug, Args)]
pub struct Simulate {
    /// The port; 0 takes a free one
    #[arg(long, default_value_t = 4010)]
    pub port: u16,
    /// When.
    #[command(flatten)]
    pub travel: Travel,
    /// Decides how everybody behaves
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Write a JSON line for each placed call to this file, before the call is answered
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Script single numbers' behaviour
    #[arg(long, value_name = "FILE")]
    pub people: Option<PathBuf>,
    /// A fault and its share of requests, such as reset-after=0.2; may be given several times
    #[arg(long = "fault", value_name = "KIND=SHARE")]
    pub faults: Vec<String>,
    /// A number that is refused, with the status and the words of the refusal; any=… refuses everybody; may be given several
    /// times
    #[arg(long = "refuse", value_name = "NUMBER=STATUS:MESSAGE")]
    pub refused: Vec<String>,
    /// The request budget a minute
    #[arg(long, value_name = "N")]
    pub requests_per_minute: Option<u32>,
    /// The organisation's time zone
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
    /// A number that may call; may be given several times [default: any]
    #[arg(long = "from-number", value_name = "NUMBER")]
    pub from_numbers: Vec<String>,
    /// A number that may be called, as for a sandbox organisation; may be given several times [default: any]
    #[arg(long = "allow", value_name = "NUMBER")]
    pub allowed: Vec<String>,
    /// An API key that is accepted, and an OAuth client's id and secret; may be given several times [default: any]
    #[arg(long = "api-key", value_name = "KEY")]
    pub api_keys: Vec<String>,
    /// Another organisation with a budget of its own: its API key, and its outbound numbers if not any number may call;
    /// may be given several times
    #[arg(long = "organisation", value_name = "KEY[=NUMBER,…]")]
    pub organisations: Vec<String>,
    /// What the vendor does that the contract leaves open, such as total=page or date=stale:7; may be given several times
    #[arg(long = "habit", value_name = "WORD[=VALUE]", long_help = habits_help())]
    pub habits: Vec<String>,
    /// How the conversation list is ordered
    #[arg(long, value_enum, default_value_t = ListOrder::NewestFirst)]
    pub list_order: ListOrder,
    /// How long a new conversation takes to appear on the list, in the simulator's seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub list_lag: u32,
    /// How long an answer takes, in real milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub latency: u64,
    /// What a 429 says of when to come back
    #[arg(long, value_enum, default_value_t = RetryAfterForm::Seconds)]
    pub retry_after: RetryAfterForm,
    /// Requests a minute that other software makes on the same budget
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub other_requests: u32,
    /// Other software places a call each so many of the simulator's seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub other_calls_every: Option<u32>,
    /// Deliver webhooks to this URL of this machine, such as a run's --listen
    #[arg(long, value_name = "URL")]
    pub webhook: Option<String>,
    /// The environment variable that holds the token which deliveries bear
    #[arg(long, value_name = "NAME", default_value = super::webhooks::TOKEN, requires = "webhook")]
    pub webhook_token_env: String,
    /// Deliver so many webhooks and no more
    #[arg(long, value_name = "N", requires = "webhook")]
    pub webhook_stop_after: Option<u32>,
}

fn habits_help() -> String {
    format!(
        "What the vendor does that the contract leaves open; may be given several times. Known are {}",
        crate::simulator::habits::KNOWN
    )
}

/// The forms of `Retry-After`, which the contract leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RetryAfterForm {
    /// No such header
    Absent,
    /// A number of seconds
    Seconds,
    /// An HTTP date
    Date,
    /// A word that means nothing
    Garbage,
}

/// How a simulated conversation list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListOrder {
    /// The newest conversation first
    NewestFirst,
    /// The oldest conversation first
    OldestFirst,
}

/// `schema`
#[derive(Debug, Args)]
pub struct Schema {
    /// Which format
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
    /// A plan of `check --plan`
    Plan,
}

/// `completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

fn run_number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "not a run's number, such as 3; `callrounds status` tells the newest".into())
}

fn entry_number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "not an entry's number, such as 12; `callrounds explain PATIENT` tells it".into())
}

fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    text.parse().map_err(|_| "not an instant, such as 2026-11-24T15:00:00Z".into())
}

fn span(text: &str) -> Result<TimeDelta, String> {
    crate::campaign::value::duration(text).ok_or_else(|| "not a duration, such as 90d or 12h".into())
}

fn socket(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "not an address with a port, such as 127.0.0.1:4020".into())
}

fn expiry(text: &str) -> Result<DateTime<Utc>, String> {
    let day: Option<chrono::NaiveDate> = text.parse().ok();
    let end = day.and_then(|day| day.succ_opt()).map(|next| crate::zone::midnight(next).and_utc());
    end.or_else(|| text.parse().ok()).ok_or_else(|| "neither a day, such as 2027-01-31, nor an instant".into())
}

/// More than eleven days in a second.
const FASTEST: f64 = 1e6;

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed > 0.0 && speed <= FASTEST => Ok(speed),
        _ => Err(format!("not a number above 0, {FASTEST} at most")),
    }
}
