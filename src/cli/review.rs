//! `review`: what was said and only a person can judge, and the decision about it.

use crate::clock::{Clock, WallClock};
use crate::entry::State;
use crate::error::{CommandError, ExitStatus};
use crate::ids::{CampaignName, EntryId};
use crate::ledger::{LedgerReader, OperatorError, PendingReview, ReviewDecision};
use crate::report::ReviewRow;

use super::args::{GlobalArgs, ReviewArgs};
use super::known_campaign::campaign_on_ledger;
use super::output::Output;
use super::resolve::{open_operator, operator_name, refused};
use super::settings;
use super::status::campaign_in_ledger;

pub(super) fn review(args: &ReviewArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    match args.decision() {
        Some(decision) => decide(args, decision, global, output),
        None => list(args.target.as_deref(), global, output),
    }
}

/// The conversations to list.
enum Selection {
    All,
    Campaign(CampaignName),
    Entry(EntryId),
}

fn list(target: Option<&str>, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let (reader, selection) = open(target, global)?;
    let campaign = if let Selection::Campaign(name) = &selection { Some(name) } else { None };
    let mut pending = reader.pending_reviews(campaign)?;
    if let Selection::Entry(entry) = selection {
        if reader.campaign_of(entry)?.is_none() {
            return Err(refused(OperatorError::NoSuchEntry(entry)));
        }
        pending.retain(|review| review.entry == entry);
    }
    if output.json {
        output.document(&pending.into_iter().map(ReviewRow::from).collect::<Vec<_>>())?;
    } else if pending.is_empty() {
        output.data("nothing said in a call waits for a person to read it\n")?;
    } else {
        let texts: Vec<String> =
            pending.into_iter().map(|review| render(&reader, review)).collect::<Result<_, CommandError>>()?;
        output.data(&texts.join("\n"))?;
    }
    Ok(ExitStatus::Done)
}

fn open(target: Option<&str>, global: &GlobalArgs) -> Result<(LedgerReader, Selection), CommandError> {
    let Some(target) = target else {
        return Ok((LedgerReader::open(&settings::find_ledger(global)?)?, Selection::All));
    };
    if let Some(entry) = entry_number(target) {
        return Ok((LedgerReader::open(&settings::find_ledger(global)?)?, Selection::Entry(entry)));
    }
    let (reader, name) = campaign_on_ledger(target, global)?;
    Ok((reader, Selection::Campaign(name)))
}

fn render(reader: &LedgerReader, review: PendingReview) -> Result<String, CommandError> {
    let campaign = campaign_in_ledger(reader, review.entry)?;
    let practice = campaign.practice_at(review.location.as_ref()).unwrap_or(&campaign.practice);
    Ok(ReviewRow::from(review).render(&practice.zone))
}

fn decide(
    args: &ReviewArgs,
    decision: ReviewDecision,
    global: &GlobalArgs,
    output: Output,
) -> Result<ExitStatus, CommandError> {
    let Some(entry) = args.target.as_deref().and_then(entry_number) else {
        return Err(CommandError::Usage(
            "name the patient whose conversation you have read by the number that `callrounds review` shows, such as \
             `callrounds review 12 --opted-out`"
                .into(),
        ));
    };
    let mut operator = open_operator(global)?;
    let now = operator.not_before_newest(WallClock.now())?;
    let reader = LedgerReader::open(&settings::find_ledger(global)?)?;
    if reader.campaign_of(entry)?.is_none() {
        return Err(refused(OperatorError::NoSuchEntry(entry)));
    }
    let rules = campaign_in_ledger(&reader, entry)?.redial;
    let pending = reader.pending_reviews(None)?;
    let shown: Vec<_> = pending.iter().filter(|review| review.entry == entry).map(|review| review.attempt).collect();
    let state = operator.review(entry, &shown, decision, &rules, &operator_name(), now).map_err(refused)?;
    output.say(&format!("patient #{entry} is now {}; {}", state.label(), consequence(decision, state)));
    if output.json {
        output.document(&serde_json::json!({ "entry": entry, "decision": name(decision), "state": state }))?;
    }
    Ok(ExitStatus::Done)
}

/// The word of `--json`.
fn name(decision: ReviewDecision) -> &'static str {
    match decision {
        ReviewDecision::OptedOut => "opted_out",
        ReviewDecision::Deceased => "deceased",
        ReviewDecision::MayBeCalled => "may_be_called",
    }
}

fn consequence(decision: ReviewDecision, state: State) -> &'static str {
    match decision {
        ReviewDecision::OptedOut => "the number is on the suppression list: no campaign calls it again",
        ReviewDecision::Deceased => {
            "the number is on the suppression list: no campaign calls it again; correct the chart"
        }
        ReviewDecision::MayBeCalled if state == State::Waiting => {
            "the number is free again, and the next run calls the patient when the rules allow it"
        }
        ReviewDecision::MayBeCalled => "the number is free again",
    }
}

/// An entry's number: 12 or '#12'.
fn entry_number(text: &str) -> Option<EntryId> {
    text.strip_prefix('#').unwrap_or(text).parse().ok().filter(|number| *number > 0).map(EntryId)
}
