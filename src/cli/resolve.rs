//! `resolve` and `cancel`: what only a person may decide.

use crate::clock::{Clock, WallClock};
use crate::error::{Exit, Stop};
use crate::ids::{ConversationId, EntryId, RunId};
use crate::ledger::{Operator, Resolution, Undecidable};

use super::args::{Cancel, Global, Resolve};
use super::output::Output;
use super::setting;

pub(super) fn resolve(args: &Resolve, global: &Global, output: Output) -> Result<Exit, Stop> {
    let resolution = match &args.verdict.placed {
        Some(conversation) => Resolution::Placed(ConversationId::new(conversation.as_str())),
        None if args.verdict.not_placed => Resolution::NotPlaced,
        None => Resolution::Cancel,
    };
    let mut operator = Operator::open(&setting::ledger_around(global), WallClock.now())?;
    let now = operator.not_before_newest(WallClock.now())?;
    let entry = EntryId(args.entry);
    let state = operator.resolve(entry, resolution, &operator_name(), now).map_err(refused)?;
    output.say(&format!("entry {entry} is now {state}; `callrounds run` or `resume` goes on with it"));
    Ok(Exit::Done)
}

pub(super) fn cancel(args: &Cancel, global: &Global, output: Output) -> Result<Exit, Stop> {
    let mut operator = Operator::open(&setting::ledger_around(global), WallClock.now())?;
    let now = operator.not_before_newest(WallClock.now())?;
    let cancelled = operator.cancel_run(RunId(args.run), &operator_name(), now).map_err(refused)?;
    output.say(&format!(
        "{cancelled} entries of run {} are cancelled; calls under way are followed to their end",
        args.run
    ));
    Ok(Exit::Done)
}

fn refused(problem: Undecidable) -> Stop {
    match problem {
        Undecidable::Ledger(error) => error.into(),
        problem @ (Undecidable::NoSuchEntry(_)
        | Undecidable::NotHeld { .. }
        | Undecidable::NoLostAnswer { .. }
        | Undecidable::Taken
        | Undecidable::NotCancellable { .. }) => Stop::Usage(problem.to_string()),
    }
}

/// Who decides, for the record.
pub(super) fn operator_name() -> String {
    ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok()).unwrap_or_else(|| "an operator".into())
}
