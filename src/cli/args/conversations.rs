//! The arguments of the commands about what was said in calls.

use clap::Args;

use crate::ledger::ReviewDecision;

/// The arguments of `review`.
#[derive(Debug, Args)]
pub struct ReviewArgs {
    /// A campaign file or a campaign's name, to list its conversations only; or a patient's number in the list, to see one
    /// conversation or to decide about it
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
