//! The arguments of the commands about what was said in calls.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::ledger::ReviewDecision;

/// The arguments of `review`.
#[derive(Debug, Args)]
pub struct ReviewArgs {
    /// A campaign file or a campaign's name, to list its conversations only; or a patient's number in the list, to see
    /// one conversation or to decide about it
    #[arg(value_name = "CAMPAIGN|ENTRY")]
    pub target: Option<String>,
    /// The person does not want to be called again: the number is suppressed for good
    #[arg(long, group = "decision", requires = "target")]
    pub opted_out: bool,
    /// The patient has died: the number is suppressed for good
    #[arg(long, group = "decision", requires = "target")]
    pub deceased: bool,
    /// Neither: the number is free again, and the redial rules decide
    #[arg(long, group = "decision", requires = "target")]
    pub may_be_called: bool,
}

impl ReviewArgs {
    /// The decision, if one is given.
    #[must_use]
    pub fn decision(&self) -> Option<ReviewDecision> {
        let given = [
            (self.opted_out, ReviewDecision::OptedOut),
            (self.deceased, ReviewDecision::Deceased),
            (self.may_be_called, ReviewDecision::MayBeCalled),
        ];
        given.into_iter().find_map(|(is_given, decision)| is_given.then_some(decision))
    }
}

/// The arguments of `outcomes`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct OutcomesArgs {
    /// The action.
    #[command(subcommand)]
    pub action: Option<OutcomesAction>,
    /// A campaign file, or the name of a campaign on the ledger [default: the newest campaign on the ledger]
    #[arg(value_name = "CAMPAIGN")]
    pub target: Option<String>,
    /// Write `[[outcomes]]` rules for what no rule matches, to be edited and added to the campaign file
    #[arg(long)]
    pub suggest: bool,
    /// Read the newest conversations of the vendor's list instead of the ledger; stores nothing and calls nobody
    #[arg(long, requires = "target")]
    pub from_vendor: bool,
    /// The pages of the vendor's list that are read for each organisation, each one request for 100 conversations
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20), requires = "from_vendor")]
    pub pages: u32,
    /// Also show topics, needed actions and summaries, which may repeat what patients said
    #[arg(long)]
    pub show_words: bool,
}

/// The actions on outcomes.
#[derive(Debug, Subcommand)]
pub enum OutcomesAction {
    /// Classify anew what the ledger keeps of a campaign's calls, with the campaign file's present rules
    Apply {
        /// The campaign file
        campaign: PathBuf,
        /// Apply without confirmation
        #[arg(long)]
        yes: bool,
    },
}
