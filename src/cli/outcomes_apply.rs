//! `outcomes apply`: classifies anew, with a campaign file's present rules, what the ledger keeps of the campaign's
//! calls.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::campaign::Campaign;
use crate::clock::{Clock, WallClock};
use crate::entry::Outcome;
use crate::error::{CommandError, ExitStatus};
use crate::ids::CampaignName;
use crate::ledger::{LedgerError, LedgerReader, Operator, Reclassification, Reclassified};
use crate::report::outcome_tally::TakenFor;
use crate::wording::{counted, plural};

use super::args::GlobalArgs;
use super::output::Output;
use super::resolve::{operator_name, refused};
use super::{prompt, settings};

/// What the rules change.
#[derive(Default)]
struct Difference {
    changes: Vec<Reclassification>,
    /// Conversations that the rules leave as they are.
    same: u64,
    /// Conversations that the rules would change, but that only a person may.
    kept: u64,
}

/// The difference, and what became of it, as one JSON document.
#[derive(Serialize)]
struct ApplyDocument<'a> {
    campaign: &'a CampaignName,
    changes: Vec<ChangeRow>,
    same: u64,
    kept: u64,
    /// `None`: not applied.
    applied: Option<Reclassified>,
}

#[derive(Serialize)]
struct ChangeRow {
    was: Outcome,
    #[serde(flatten)]
    taken_for: TakenFor,
    count: u64,
}

pub(super) fn apply(file: &Path, yes: bool, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let campaign = settings::campaign(file)?;
    let ledger = settings::ledger_in(global, &campaign.source.directory);
    let difference = difference(&LedgerReader::open(&ledger)?, &campaign)?;
    if !output.json {
        output.data(&difference.render(&campaign))?;
    }
    let applied = if difference.changes.is_empty() {
        None
    } else {
        confirm(&difference, &campaign.name, yes, output)?;
        Some(carry_out(&ledger, &campaign, &difference)?)
    };
    if output.json {
        output.document(&difference.document(&campaign.name, applied))?;
    }
    if let Some(applied) = applied {
        output.say(&consequences(applied));
    }
    Ok(ExitStatus::Done)
}

/// Asks on a terminal; elsewhere the difference is shown and nothing changed without --yes.
fn confirm(difference: &Difference, name: &CampaignName, yes: bool, output: Output) -> Result<(), CommandError> {
    if yes {
        return Ok(());
    }
    if output.json {
        output.document(&difference.document(name, None))?;
    }
    prompt::confirm("Give these conversations the new outcomes?", "nothing was changed", output)
}

fn difference(reader: &LedgerReader, campaign: &Campaign) -> Result<Difference, CommandError> {
    let mut difference = Difference::default();
    reader.each_conversation(&campaign.name, |conversation| {
        let taken_for = campaign.outcomes.classify(&conversation.words.signals);
        if taken_for.outcome == conversation.outcome && taken_for.to_review() == conversation.doubt {
            difference.same += 1;
        } else if conversation.may_become(&taken_for) {
            let (attempt, was, doubt) = (conversation.attempt, conversation.outcome, conversation.doubt);
            difference.changes.push(Reclassification { attempt, was, doubt, taken_for });
        } else {
            difference.kept += 1;
        }
        Ok::<_, LedgerError>(())
    })?;
    Ok(difference)
}

impl Difference {
    fn document<'a>(&self, campaign: &'a CampaignName, applied: Option<Reclassified>) -> ApplyDocument<'a> {
        ApplyDocument { campaign, changes: self.rows(), same: self.same, kept: self.kept, applied }
    }

    fn rows(&self) -> Vec<ChangeRow> {
        let mut counts: BTreeMap<(Outcome, TakenFor), u64> = BTreeMap::new();
        for Reclassification { was, taken_for, .. } in &self.changes {
            *counts.entry((*was, taken_for.into())).or_default() += 1;
        }
        counts.into_iter().map(|((was, taken_for), count)| ChangeRow { was, taken_for, count }).collect()
    }

    fn render(&self, campaign: &Campaign) -> String {
        let Self { changes, same, kept } = self;
        let count = changes.len() as u64;
        let change = counted(count, "conversation changes", "conversations change");
        let stay = counted(*same, "stays as it is", "stay as they are");
        let mut text = format!("{}: {change}, {stay}\n", campaign.name);
        for ChangeRow { was, taken_for, count } in self.rows() {
            let rule = taken_for.rule.as_deref().unwrap_or("no rule matches");
            let doubt = taken_for.doubt.map_or_else(String::new, |doubt| format!(", {}", doubt.label()));
            let outcome = taken_for.outcome.label();
            let _ = writeln!(
                text,
                "{count:>6} × {} becomes {outcome}{doubt} ({rule}){}",
                was.label(),
                effect(&taken_for, campaign)
            );
        }
        if *kept > 0 {
            let _ = writeln!(
                text,
                "{kept} would change and {}: opt-outs, what a person has reviewed or must review, and words that were too \
                 long to be kept whole",
                plural(*kept, "does not", "do not")
            );
        }
        text
    }
}

/// What an outcome leads to.
fn effect(taken_for: &TakenFor, campaign: &Campaign) -> &'static str {
    let outcome = taken_for.outcome;
    if taken_for.doubt.is_some() {
        ": held until a person has read it"
    } else if outcome == Outcome::OptOut {
        ": the number is suppressed for good"
    } else if campaign.redial.after.contains(&outcome) {
        ": called again if the redial rules allow it"
    } else if outcome.means_wrong_number() {
        ": the patient's next number is called, if there is one"
    } else {
        ""
    }
}

fn carry_out(ledger: &Path, campaign: &Campaign, difference: &Difference) -> Result<Reclassified, CommandError> {
    let mut operator = Operator::open(ledger, WallClock.now())?;
    let now = operator.not_before_newest(WallClock.now())?;
    operator.reclassify(&difference.changes, &campaign.redial, &operator_name(), now).map_err(refused)
}

fn consequences(applied: Reclassified) -> String {
    let Reclassified { changed, to_call_again, not_called_again, suppressed, held, overtaken } = applied;
    let parts = [
        (to_call_again, "to call again when the rules allow it: run the campaign again"),
        (not_called_again, "not called again, because a newer list was read since the call, or they are excluded"),
        (suppressed, plural(suppressed, "number suppressed for good", "numbers suppressed for good")),
        (held, "held until a person has read what was said: see `callrounds review`"),
        (overtaken, "left as they are, because they changed meanwhile"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("\n{count:>6} {what}"));
    let changed = counted(changed, "conversation has", "conversations have");
    format!("{changed} another outcome now{}", parts.collect::<String>())
}
