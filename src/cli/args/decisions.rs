//! The arguments of `suppress`, `resolve`, `transcript`, `pause` and `cancel`: what an operator decides.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::values::{DayOrInstant, day_or_instant, entry_number, reason, run_or_campaign};
use crate::campaign::Purpose;
use crate::entry::Reason;
use crate::ledger::SuppressionScope;

/// The arguments of `suppress`.
#[derive(Debug, Args)]
pub struct SuppressArgs {
    /// The action.
    #[command(subcommand)]
    pub action: SuppressAction,
}

/// The actions on the suppression list.
#[derive(Debug, Subcommand)]
pub enum SuppressAction {
    /// Add a number to the suppression list
    Add {
        /// The number
        number: String,
        /// Which calls are forbidden
        #[arg(long, value_enum, default_value_t)]
        scope: ScopeName,
        /// The end of the suppression: a day, which counts to its end in the practice's time zone, or an instant
        /// [default: never]
        #[arg(long, value_name = "WHEN", value_parser = day_or_instant)]
        expires: Option<DayOrInstant>,
        /// The source of the request, for the record
        #[arg(long, value_name = "TEXT", default_value = "operator")]
        source: String,
    },
    /// Remove a number from the suppression list
    Remove {
        /// The number
        number: String,
        /// Which calls are allowed again
        #[arg(long, value_enum, default_value_t)]
        scope: ScopeName,
    },
    /// Add all numbers of a CSV file to the suppression list
    Import {
        /// The file
        file: PathBuf,
        /// Which calls are forbidden
        #[arg(long, value_enum, default_value_t)]
        scope: ScopeName,
        /// The end of the suppression: a day, which counts to its end in the practice's time zone, or an instant
        /// [default: never]
        #[arg(long, value_name = "WHEN", value_parser = day_or_instant)]
        expires: Option<DayOrInstant>,
        /// The source of the request, for the record
        #[arg(long, value_name = "TEXT", default_value = "import")]
        source: String,
    },
    /// Show the suppression list
    List,
}

/// The calls that a suppression forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum ScopeName {
    /// All calls
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
    /// The ledger's scope.
    #[must_use]
    pub fn scope(self) -> SuppressionScope {
        match self {
            Self::All => SuppressionScope::All,
            Self::Recall => SuppressionScope::Purpose(Purpose::Recall),
            Self::Reminder => SuppressionScope::Purpose(Purpose::Reminder),
            Self::FollowUp => SuppressionScope::Purpose(Purpose::FollowUp),
        }
    }
}

/// The arguments of `resolve`.
#[derive(Debug, Args)]
pub struct ResolveArgs {
    /// The patients' numbers in the report's first column: 12 or '#12'; `explain` shows them, too. Without a decision
    /// they are only shown [default: everybody who needs a decision]
    #[arg(value_name = "ENTRY", value_parser = entry_number)]
    pub entries: Vec<i64>,
    /// All patients that this decision can settle
    #[arg(long, conflicts_with = "entries")]
    pub all: bool,
    /// Only the patients of this campaign
    #[arg(long, value_name = "NAME", conflicts_with = "entries")]
    pub campaign: Option<String>,
    /// Only the patients with this reason, such as `answer_lost` or `vendor_refused`
    #[arg(long, value_name = "REASON", value_parser = reason, conflicts_with = "entries")]
    pub reason: Option<Reason>,
    /// Settle several patients without confirmation
    #[arg(long)]
    pub yes: bool,
    /// The decision.
    #[command(flatten)]
    pub resolution: ResolutionArgs,
}

/// The arguments of `transcript`.
#[derive(Debug, Args)]
pub struct TranscriptArgs {
    /// The patient's number in the report's first column: 12 or '#12'
    #[arg(value_parser = entry_number)]
    pub entry: i64,
    /// The call, counted from 1 [default: the last one that became a conversation]
    #[arg(long, value_name = "N")]
    pub call: Option<u32>,
}

/// The result of a call whose answer was lost; at most one is given.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct ResolutionArgs {
    /// The call was placed and has this conversation id, which is read from the vendor and must fit: it is followed to
    /// its end
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    pub placed: Option<String>,
    /// No call was placed: the patient may be called again
    #[arg(long)]
    pub not_placed: bool,
    /// Do not call the patient again; also for a call that was lost track of
    #[arg(long)]
    pub cancel: bool,
}

/// What `pause` and `cancel` are about.
#[derive(Debug, Args)]
pub struct ScopeArgs {
    /// The run
    #[arg(value_parser = run_or_campaign, conflicts_with = "campaign")]
    pub run: Option<i64>,
    /// The campaign, by its name or its file
    #[arg(long, value_name = "CAMPAIGN")]
    pub campaign: Option<String>,
}

/// The arguments of `pause`.
#[derive(Debug, Args)]
pub struct PauseArgs {
    /// The campaign, or a run of it [default: the campaign of the newest run].
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// The end of the pause: a day, which counts to its end in the practice's time zone, or an instant [default: until
    /// `resume`]
    #[arg(long, value_name = "WHEN", value_parser = day_or_instant)]
    pub until: Option<DayOrInstant>,
}

/// The arguments of `cancel`.
#[derive(Debug, Args)]
pub struct CancelArgs {
    /// The campaign, or the run whose list is meant.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// Take a cancellation back: of the run or the campaign, or the newest one
    #[arg(long)]
    pub undo: bool,
    /// Cancel without confirmation
    #[arg(long)]
    pub yes: bool,
}
