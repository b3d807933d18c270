//! `cancel`: the patients of a campaign, or of a run's list, are not called any more; `--undo` takes that back.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::clock::{Clock, WallClock};
use crate::entry::State;
use crate::error::{CommandError, ExitStatus};
use crate::ids::{CampaignName, RunId};
use crate::ledger::{CancelledEntries, DecisionScope, Operator, ReinstatedEntries};
use crate::wording::{self, counted, plural};

use super::args::{CancelArgs, GlobalArgs};
use super::decision_scope::NamedScope;
use super::output::Output;
use super::prompt;
use super::resolve::{open_operator_of, operator_name};

/// What `cancel --json` prints.
#[derive(Serialize)]
struct CancelReport<'a> {
    campaign: &'a CampaignName,
    /// The run whose list is meant; `null`: the whole campaign.
    run: Option<RunId>,
    /// Whether it was carried out; a preview that was not confirmed changes nothing.
    applied: bool,
    /// Cancelled at once, by the state before.
    cancelled: BTreeMap<State, u64>,
    /// Followed to the end of their call, and not called again.
    followed: BTreeMap<State, u64>,
    /// Not to be called anyway; a later list does not bring them back.
    over: BTreeMap<State, u64>,
    /// A person has to read a conversation first; they are not called again either.
    in_doubt: u64,
}

impl<'a> CancelReport<'a> {
    fn new(campaign: &'a CampaignName, run: Option<RunId>, entries: &CancelledEntries, applied: bool) -> Self {
        Self {
            campaign,
            run,
            applied,
            cancelled: of(entries, is_cancelled),
            followed: of(entries, is_followed),
            over: of(entries, is_over),
            in_doubt: entries.in_doubt,
        }
    }
}

/// What `cancel --undo --json` prints.
#[derive(Serialize)]
struct UndoReport<'a> {
    campaign: &'a CampaignName,
    /// Brought back, by the state now.
    reinstated: BTreeMap<State, u64>,
    /// Still cancelled: their texts were purged.
    purged: u64,
}

pub(super) fn cancel(args: &CancelArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let NamedScope { scope, ledger } = NamedScope::from_args(&args.scope, global)?;
    let mut operator = open_operator_of(&ledger)?;
    if args.undo {
        return undo(&mut operator, &scope, output);
    }
    if scope == DecisionScope::Newest {
        return Err(CommandError::Usage(
            "name what to cancel: a run, such as `callrounds cancel 3`, or `--campaign NAME`".into(),
        ));
    }
    let (newest, campaign) = operator.find(&scope)?;
    let run = matches!(scope, DecisionScope::Run(_)).then_some(newest.run);
    let subject = subject(&campaign, run);
    let preview = operator.cancel_preview(&scope)?;
    if preview.is_empty() {
        output.say(&format!("{subject}: nobody is left to cancel{}", newer_list(&operator, &campaign, run)?));
    } else if !args.yes {
        if output.json {
            output.document(&CancelReport::new(&campaign, run, &preview, false))?;
        } else {
            output.say(&format!("{subject}:\n{}{}", lines(&preview), newer_list(&operator, &campaign, run)?));
        }
        prompt::confirm("Cancel them?", "nothing was cancelled", output)?;
    }
    let at = operator.not_before_newest(WallClock.now())?;
    let cancelled = operator.cancel(&scope, &operator_name(), at)?;
    report(&campaign, run, &cancelled, output)
}

/// Says what was cancelled.
fn report(
    campaign: &CampaignName,
    run: Option<RunId>,
    cancelled: &CancelledEntries,
    output: Output,
) -> Result<ExitStatus, CommandError> {
    if output.json {
        output.document(&CancelReport::new(campaign, run, cancelled, true))?;
    }
    if !cancelled.is_empty() {
        let (now, followed) = (cancelled.count(is_cancelled), cancelled.count(is_followed));
        let followed = match followed {
            0 => String::new(),
            calls => {
                format!("; {} followed to the end, and no further call follows", counted(calls, "call is", "calls are"))
            }
        };
        output.say(&format!(
            "{}: {} {} cancelled{followed}; {} takes this back",
            subject(campaign, run),
            wording::patients(now),
            plural(now, "is", "are"),
            undo_command(campaign, run),
        ));
    }
    Ok(ExitStatus::Done)
}

fn undo(operator: &mut Operator, scope: &DecisionScope, output: Output) -> Result<ExitStatus, CommandError> {
    let at = operator.not_before_newest(WallClock.now())?;
    let (ReinstatedEntries { reinstated, purged }, campaign) = operator.undo_cancel(scope, &operator_name(), at)?;
    if output.json {
        output.document(&UndoReport { campaign: &campaign, reinstated: reinstated.clone(), purged })?;
    }
    output.say(&taken_back(&campaign, &reinstated));
    if purged > 0 {
        output.say(&format!(
            "{} {} cancelled, because `ledger purge` has removed the texts; a newer list with them brings them back",
            wording::patients(purged),
            plural(purged, "stays", "stay")
        ));
    }
    Ok(ExitStatus::Done)
}

/// What taking a cancellation back changes. Those whose calls are over were kept from a later list only.
fn taken_back(campaign: &CampaignName, reinstated: &BTreeMap<State, u64>) -> String {
    let counts = reinstated.iter().map(|(state, count)| (*state, *count));
    let (over, back): (BTreeMap<_, _>, BTreeMap<_, _>) = counts.partition(|(state, _)| is_over(*state));
    match (back.is_empty(), over.is_empty()) {
        (true, true) => format!("{campaign}: nobody is cancelled, so there is nothing to take back"),
        (true, false) => {
            format!("{campaign}: the cancellation is taken back; nobody is left to call ({})", states(&over))
        }
        (false, _) => {
            let over = if over.is_empty() { String::new() } else { format!("; as before: {}", states(&over)) };
            format!(
                "{campaign}: the cancellation is taken back: {}{over}; `callrounds run` or `resume` continues",
                states(&back)
            )
        }
    }
}

fn subject(campaign: &CampaignName, run: Option<RunId>) -> String {
    run.map_or_else(|| format!("{campaign}, the whole campaign"), |run| format!("{campaign}, the list of run {run}"))
}

fn undo_command(campaign: &CampaignName, run: Option<RunId>) -> String {
    run.map_or_else(
        || format!("`callrounds cancel --undo --campaign {campaign}`"),
        |run| format!("`callrounds cancel --undo {run}`"),
    )
}

/// Which states are meant, and what becomes of such entries.
type Kind = (fn(State) -> bool, &'static str);

/// What becomes of the entries, a line for each kind.
fn lines(entries: &CancelledEntries) -> String {
    let kinds: [Kind; 3] = [
        (is_cancelled, "cancelled, and not called any more"),
        (is_followed, "followed to the end of the call, and not called again"),
        (is_over, "stay as they are, and no later list brings them back"),
    ];
    let line = |(is, what): Kind| {
        let counts = of(entries, is);
        (!counts.is_empty()).then(|| format!("  {}: {what}\n", states(&counts)))
    };
    let mut lines: String = kinds.into_iter().filter_map(line).collect();
    if entries.in_doubt > 0 {
        let held = format!("{} held for a person", entries.in_doubt);
        lines += &format!("  {held}: `callrounds review` shows what was said, and they are not called again\n");
    }
    lines
}

fn states(counts: &BTreeMap<State, u64>) -> String {
    let parts: Vec<_> = counts.iter().map(|(state, count)| format!("{count} {}", state.label())).collect();
    parts.join(", ")
}

fn of(entries: &CancelledEntries, is: fn(State) -> bool) -> BTreeMap<State, u64> {
    entries.by_state.iter().filter(|(state, _)| is(**state)).map(|(state, count)| (*state, *count)).collect()
}

fn is_cancelled(state: State) -> bool {
    state.is_ended_by_cancel()
}

fn is_followed(state: State) -> bool {
    state.has_call_to_settle()
}

fn is_over(state: State) -> bool {
    !is_cancelled(state) && !is_followed(state)
}

/// An entry belongs to the newest list that has it: says so if the run named is not the campaign's newest.
fn newer_list(operator: &Operator, campaign: &CampaignName, run: Option<RunId>) -> Result<String, CommandError> {
    let (newest, _) = operator.find(&DecisionScope::Campaign(campaign.clone()))?;
    Ok(match run {
        Some(run) if run != newest.run => format!(
            "\n  patients who are on a newer list, too, are not meant: `callrounds cancel {}`, or `--campaign {campaign}` \
             for all",
            newest.run
        ),
        Some(_) | None => String::new(),
    })
}
