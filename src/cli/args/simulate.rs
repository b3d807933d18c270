//! The arguments of `simulate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::simulated_time::SimulatedTime;
use crate::cli::environment;
use crate::simulator::BotStyle;

/// The arguments of `simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// The port; 0 selects a free one
    #[arg(long, default_value_t = 4010)]
    pub port: u16,
    /// The simulated time.
    #[command(flatten)]
    pub time: SimulatedTime,
    /// The seed of the patients' behaviour
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Write a JSON line for each placed call to this file, before its request is answered
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// A file with scripted behaviour of single numbers
    #[arg(long, value_name = "FILE")]
    pub people: Option<PathBuf>,
    /// A fault and the fraction of requests that have it, such as reset-after=0.2; may be given several times
    #[arg(long = "fault", value_name = "KIND=SHARE")]
    pub faults: Vec<String>,
    /// A number that is refused, with the status and the message of the refusal; any=… refuses every number; may be
    /// given several times
    #[arg(long = "refuse", value_name = "NUMBER=STATUS:MESSAGE")]
    pub refused: Vec<String>,
    /// The request budget, requests per minute
    #[arg(long, value_name = "N")]
    pub requests_per_minute: Option<u32>,
    /// The organisation's time zone
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
    /// A caller id that may be used; may be given several times [default: any]
    #[arg(long = "from-number", value_name = "NUMBER")]
    pub from_numbers: Vec<String>,
    /// A number that may be called, as for a sandbox organisation; may be given several times [default: any]
    #[arg(long = "allow", value_name = "NUMBER")]
    pub allowed: Vec<String>,
    /// An API key that is accepted, and an OAuth client's id and secret; may be given several times [default: any]
    #[arg(long = "api-key", value_name = "KEY")]
    pub api_keys: Vec<String>,
    /// Another organisation with its own request budget: its API key, and its caller ids [default: any]; may be given
    /// several times
    #[arg(long = "organisation", value_name = "KEY[=NUMBER,…]")]
    pub organisations: Vec<String>,
    /// A vendor behaviour that the API contract leaves open, such as total=page or date=stale:7; may be given several
    /// times
    #[arg(long = "habit", value_name = "WORD[=VALUE]", long_help = habits_help())]
    pub habits: Vec<String>,
    /// The style of the bot's tags: kebab, snake, title, camel, prefixed, codes, sentences or none. With it, its summaries are in
    /// many phrasings and three languages [default: the same few words for each kind of call]
    #[arg(long, value_name = "STYLE")]
    pub bot_style: Option<BotStyle>,
    /// How the conversation list is ordered
    #[arg(long, value_enum, default_value_t = ListOrderArg::NewestFirst)]
    pub list_order: ListOrderArg,
    /// How long a new conversation takes to appear on the list, in simulated seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub list_lag: u32,
    /// How long a response takes, in real milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub latency: u64,
    /// The form of a 429 response's Retry-After header
    #[arg(long, value_enum, default_value_t = RetryAfterForm::Seconds)]
    pub retry_after: RetryAfterForm,
    /// Requests per minute that other software makes from the same budget
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub other_requests: u32,
    /// Other software places a call at this interval, in simulated seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub other_calls_every: Option<u32>,
    /// Deliver webhooks to this URL on this machine, such as the address of a run's --listen
    #[arg(long, value_name = "URL")]
    pub webhook: Option<String>,
    /// The environment variable with the token of the deliveries
    #[arg(long, value_name = "NAME", default_value = environment::WEBHOOK_TOKEN, requires = "webhook")]
    pub webhook_token_env: String,
    /// The number of webhooks to deliver; none after that
    #[arg(long, value_name = "N", requires = "webhook")]
    pub webhook_stop_after: Option<u32>,
}

fn habits_help() -> String {
    format!(
        "A vendor behaviour that the API contract leaves open; may be given several times. Known are {}",
        crate::simulator::habits::KNOWN
    )
}

/// The form of `Retry-After`, which the API contract leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RetryAfterForm {
    /// No such header
    Absent,
    /// A number of seconds
    Seconds,
    /// An HTTP date
    Date,
    /// A meaningless word
    Garbage,
}

/// The order of the simulated conversation list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListOrderArg {
    /// The newest conversation first
    NewestFirst,
    /// The oldest conversation first
    OldestFirst,
}
