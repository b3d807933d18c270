//! `resolve`, `pause` and `cancel`: decisions of the operator.

use crate::clock::{Clock, WallClock};
use crate::entry::State;
use crate::error::{CommandError, ExitStatus};
use crate::ids::{ConversationId, EntryId, RunId};
use crate::ledger::{LedgerError, LedgerReader, Operator, OperatorError, Resolution};
use crate::report::timeline;
use crate::visible::DisplayPath;

use super::args::{CancelArgs, GlobalArgs, ResolveArgs, RunSelector};
use super::output::Output;
use super::settings;
use super::status::zone_of;

pub(super) fn resolve(args: &ResolveArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let resolution = match &args.resolution.placed {
        Some(conversation) => Resolution::Placed(ConversationId::new(conversation.as_str())),
        None if args.resolution.not_placed => Resolution::NotPlaced,
        None => Resolution::Cancel,
    };
    let mut operator = open_operator(global)?;
    let now = operator.not_before_newest(WallClock.now())?;
    let entry = EntryId(args.entry);
    let evidence = evidence(entry, global)?;
    let state = operator.resolve(entry, resolution, &operator_name(), now).map_err(refused)?;
    output.say(&format!("the ledger's record of the last call of patient #{entry}:\n{evidence}"));
    let is_over = state == State::Cancelled;
    let next = if is_over { "it is not called again" } else { "`callrounds run` or `resume` continues with it" };
    output.say(&format!("patient #{entry} is now {}; {next}", state.label()));
    Ok(ExitStatus::Done)
}

/// The evidence for the decision: the intent, the lost answer, and each scan of the vendor's list.
fn evidence(entry: EntryId, global: &GlobalArgs) -> Result<String, CommandError> {
    let reader = LedgerReader::open(&settings::find_ledger(global)?)?;
    let zone = zone_of(&reader.run(None)?)?;
    Ok(timeline::since_the_last_claim(&reader.events_of(entry)?, &zone))
}

pub(super) fn pause(args: &RunSelector, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let mut operator = open_operator(global)?;
    let now = operator.not_before_newest(WallClock.now())?;
    let run = operator.pause(args.run.map(RunId), &operator_name(), now).map_err(refused)?;
    output.say(&format!(
        "run {run} is paused: it places no further call, and follows the calls under way to their end; `callrounds resume {run}` \
         continues it"
    ));
    Ok(ExitStatus::Done)
}

pub(super) fn cancel(args: &CancelArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let mut operator = open_operator(global)?;
    let now = operator.not_before_newest(WallClock.now())?;
    let cancelled = operator.cancel_run(RunId(args.run), &operator_name(), now).map_err(refused)?;
    let run = args.run;
    let cancelled = match cancelled {
        1 => format!("1 patient or household of run {run} is"),
        count => format!("{count} patients or households of run {run} are"),
    };
    output.say(&format!("{cancelled} cancelled; calls under way are followed to their end"));
    Ok(ExitStatus::Done)
}

/// Opens the ledger for a decision; it must exist.
pub(super) fn open_operator(global: &GlobalArgs) -> Result<Operator, CommandError> {
    let path = settings::find_ledger(global)?;
    if !path.exists() {
        return Err(LedgerError::Missing { path: path.shown() }.into());
    }
    Ok(Operator::open(&path, WallClock.now())?)
}

pub(super) fn refused(problem: OperatorError) -> CommandError {
    match problem {
        OperatorError::Ledger(error) => error.into(),
        problem @ (OperatorError::NoSuchEntry(_)
        | OperatorError::NotHeld { .. }
        | OperatorError::NoLostAnswer { .. }
        | OperatorError::InDoubt(_)
        | OperatorError::NothingToReview { .. }
        | OperatorError::WasRefused(_)
        | OperatorError::ConversationTaken
        | OperatorError::RunEnded(_)
        | OperatorError::NotCancellable { .. }) => CommandError::Usage(problem.to_string()),
    }
}

/// The operator's user name, for the audit record.
pub(super) fn operator_name() -> String {
    ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok()).unwrap_or_else(|| "an operator".into())
}
