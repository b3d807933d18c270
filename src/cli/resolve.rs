//! `resolve`, `pause` and `cancel`: what only a person may decide.

use crate::clock::{Clock, WallClock};
use crate::entry::State;
use crate::error::{Exit, Stop};
use crate::ids::{ConversationId, EntryId, RunId};
use crate::ledger::{LedgerError, Operator, Reader, Resolution, Undecidable};
use crate::report::explain;
use crate::visible::Shown;

use super::args::{Cancel, Global, OfRun, Resolve};
use super::output::Output;
use super::setting;
use super::status::zone_of;

pub(super) fn resolve(args: &Resolve, global: &Global, output: Output) -> Result<Exit, Stop> {
    let resolution = match &args.verdict.placed {
        Some(conversation) => Resolution::Placed(ConversationId::new(conversation.as_str())),
        None if args.verdict.not_placed => Resolution::NotPlaced,
        None => Resolution::Cancel,
    };
    let mut operator = on_duty(global)?;
    let now = operator.not_before_newest(WallClock.now())?;
    let entry = EntryId(args.entry);
    let evidence = evidence(entry, global)?;
    let state = operator.resolve(entry, resolution, &operator_name(), now).map_err(refused)?;
    output.say(&format!("what the ledger holds of the last call of entry {entry}:\n{evidence}"));
    let is_over = state == State::Cancelled;
    let next = if is_over { "it is not called any more" } else { "`callrounds run` or `resume` goes on with it" };
    output.say(&format!("entry {entry} is now {state}; {next}"));
    Ok(Exit::Done)
}

/// What the decision is made on, as the ledger keeps it: the intent, the loss, and each scan of the vendor's list.
fn evidence(entry: EntryId, global: &Global) -> Result<String, Stop> {
    let reader = Reader::open(&setting::ledger_around(global)?)?;
    let zone = zone_of(&reader.run(None)?)?;
    Ok(explain::since_the_last_claim(&reader.events_of(entry)?, &zone))
}

pub(super) fn pause(args: &OfRun, global: &Global, output: Output) -> Result<Exit, Stop> {
    let mut operator = on_duty(global)?;
    let now = operator.not_before_newest(WallClock.now())?;
    let run = operator.pause(args.run.map(RunId), &operator_name(), now).map_err(refused)?;
    output.say(&format!(
        "run {run} is paused: it places no further call, and follows what is under way to its end; `callrounds resume {run}` \
         goes on"
    ));
    Ok(Exit::Done)
}

pub(super) fn cancel(args: &Cancel, global: &Global, output: Output) -> Result<Exit, Stop> {
    let mut operator = on_duty(global)?;
    let now = operator.not_before_newest(WallClock.now())?;
    let cancelled = operator.cancel_run(RunId(args.run), &operator_name(), now).map_err(refused)?;
    output.say(&format!(
        "{cancelled} entries of run {} are cancelled; calls under way are followed to their end",
        args.run
    ));
    Ok(Exit::Done)
}

/// Whoever decides about entries needs a ledger that has them.
fn on_duty(global: &Global) -> Result<Operator, Stop> {
    let path = setting::ledger_around(global)?;
    if !path.exists() {
        return Err(LedgerError::Missing { path: path.shown() }.into());
    }
    Ok(Operator::open(&path, WallClock.now())?)
}

fn refused(problem: Undecidable) -> Stop {
    match problem {
        Undecidable::Ledger(error) => error.into(),
        problem @ (Undecidable::NoSuchEntry(_)
        | Undecidable::NotHeld { .. }
        | Undecidable::NoLostAnswer { .. }
        | Undecidable::WasRefused(_)
        | Undecidable::Taken
        | Undecidable::Ended(_)
        | Undecidable::NotCancellable { .. }) => Stop::Usage(problem.to_string()),
    }
}

/// Who decides, for the record.
pub(super) fn operator_name() -> String {
    ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok()).unwrap_or_else(|| "an operator".into())
}
