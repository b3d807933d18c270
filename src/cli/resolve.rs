//! `resolve`: the patients who need a decision, and the decision.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::campaign::Campaign;
use crate::clock::{Clock, WallClock};
use crate::engine::call_media::CallMedia;
use crate::engine::placed_call::LostCall;
use crate::entry::{Remedy, State};
use crate::error::{CommandError, ExitStatus};
use crate::ids::{ConversationId, EntryId};
use crate::ledger::{LastAttempt, LedgerError, LedgerReader, Operator, OperatorError, Resolution, StuckEntry};
use crate::report::stuck::{self, StuckCase};
use crate::report::timeline;
use crate::vendor::{Conversation, Vendor};
use crate::visible::DisplayPath;
use crate::wording::{patients, plural};

use super::args::{GlobalArgs, ResolutionArgs, ResolveArgs};
use super::campaigns::Campaigns;
use super::known_campaign::known_or_all;
use super::output::Output;
use super::{prompt, settings, vendor_read};

pub(super) async fn resolve(
    args: &ResolveArgs,
    global: &GlobalArgs,
    output: Output,
) -> Result<ExitStatus, CommandError> {
    let ledger = settings::find_ledger(global)?;
    let reader = LedgerReader::open(&ledger)?;
    let entries: Vec<_> = args.entries.iter().copied().map(EntryId).collect();
    match (Decision::given(&args.resolution), entries.as_slice()) {
        (None, entries) => show(&reader, args, entries, output),
        (Some(Decision::Placed(id)), &[entry]) => {
            // Before a request is spent, and again in the transaction of the decision.
            open_operator(global)?.refuse_unless_lost(entry).map_err(refused)?;
            let resolution = placed(&reader, &ledger, entry, id).await?;
            decide(&reader, global, entry, resolution, output)
        }
        (Some(Decision::Placed(_)), _) => {
            Err(CommandError::Usage("--placed names the conversation of one patient: add the patient's number".into()))
        }
        (Some(decision), &[entry]) => decide(&reader, global, entry, decision.resolution(), output),
        (Some(_), []) if !args.all => Err(CommandError::Usage(
            "which patient? add a patient's number, or --all; `callrounds resolve` shows who needs a decision".into(),
        )),
        (Some(decision), entries) => decide_all(&reader, global, args, entries, decision, output),
    }
}

/// The decision on the command line.
#[derive(Debug, Clone, Copy)]
enum Decision<'a> {
    Placed(&'a str),
    NotPlaced,
    Cancel,
}

impl<'a> Decision<'a> {
    fn given(args: &'a ResolutionArgs) -> Option<Self> {
        match &args.placed {
            Some(conversation) => Some(Self::Placed(conversation)),
            None if args.not_placed => Some(Self::NotPlaced),
            None if args.cancel => Some(Self::Cancel),
            None => None,
        }
    }

    fn remedy(self) -> Remedy {
        remedy(&self.resolution())
    }

    /// The decision for the ledger; a conversation is not read from the vendor here.
    fn resolution(self) -> Resolution {
        match self {
            Self::Placed(id) => Resolution::Placed { conversation: ConversationId::written(id.trim()), started: None },
            Self::NotPlaced => Resolution::NotPlaced,
            Self::Cancel => Resolution::Cancel,
        }
    }
}

/// The entries of the command line, or all that need a decision.
fn selected(reader: &LedgerReader, args: &ResolveArgs, entries: &[EntryId]) -> Result<Vec<StuckEntry>, CommandError> {
    if entries.is_empty() {
        let campaign = known_or_all(reader, args.campaign.as_deref())?;
        let found = reader.stuck_entries(campaign.as_ref())?.into_iter();
        return Ok(found.filter(|entry| args.reason.is_none_or(|reason| entry.reason == Some(reason))).collect());
    }
    let stuck = |&entry: &EntryId| {
        let found = reader.last_call_of(entry)?.ok_or(OperatorError::NoSuchEntry(entry)).map_err(refused)?;
        let state = found.state;
        if Remedy::choices(state, found.reason).is_empty() {
            return Err(refused(OperatorError::NotHeld { entry, state }));
        }
        Ok(found)
    };
    entries.iter().map(stuck).collect()
}

fn show(
    reader: &LedgerReader,
    args: &ResolveArgs,
    entries: &[EntryId],
    output: Output,
) -> Result<ExitStatus, CommandError> {
    let mut campaigns = Campaigns::new(reader);
    let mut case = |entry: StuckEntry| {
        let zone = campaigns.zone(entry.run, entry.location.as_ref())?;
        Ok::<_, CommandError>(StuckCase { events: reader.events_of(entry.entry)?, entry, zone })
    };
    let cases: Vec<_> = selected(reader, args, entries)?.into_iter().map(&mut case).collect::<Result<_, _>>()?;
    if output.json {
        output.document(&stuck::document(&cases))?;
    } else {
        output.data(&stuck::render(&cases))?;
    }
    Ok(ExitStatus::Done)
}

/// Reads the conversation from the vendor: a decision about it is refused unless it can be the entry's lost call.
async fn placed(reader: &LedgerReader, ledger: &Path, entry: EntryId, id: &str) -> Result<Resolution, CommandError> {
    let found = reader.last_call_of(entry)?.ok_or(OperatorError::NoSuchEntry(entry)).map_err(refused)?;
    let attempt = found.attempt.ok_or_else(|| CommandError::Internal("a lost answer without an attempt".into()))?;
    let read = vendor_read::open(reader, ledger, found.run, &attempt.organisation, attempt.from)?;
    let response = read.vendor.conversation(&ConversationId::written(id.trim())).await;
    let campaign = read.campaign.clone();
    read.close().await;
    let failed = |error| vendor_read::failed(error, campaign.locations.are_defined());
    let conversation = response.value.map_err(failed)?;
    refuse_unfitting(reader, &attempt, &conversation, &campaign)?;
    Ok(Resolution::Placed { conversation: conversation.id, started: conversation.started })
}

fn refuse_unfitting(
    reader: &LedgerReader,
    attempt: &LastAttempt,
    conversation: &Conversation,
    campaign: &Campaign,
) -> Result<(), CommandError> {
    let &LastAttempt { from, to, intent_at, accepted_until, .. } = attempt;
    let lost = LostCall { from, to, intent_at, accepted_until: accepted_until.unwrap_or(intent_at) };
    let media = CallMedia::from_known(reader.call_media(&attempt.organisation)?);
    match lost.mismatch(conversation, &media, campaign.safety.settle) {
        None => Ok(()),
        Some(why) => Err(CommandError::Usage(format!(
            "conversation {} is not that call: {why}; nothing was changed: look the call up again (`callrounds resolve` shows \
             its numbers and its time), or use --not-placed or --cancel",
            conversation.id
        ))),
    }
}

/// What became of a decision.
#[derive(Serialize)]
struct DecisionDocument {
    verdict: Remedy,
    /// Whether it was carried out; a preview that was not confirmed changes nothing.
    applied: bool,
    settled: Vec<SettledEntry>,
    /// Entries for which this decision is not possible, or that changed meanwhile.
    left: Vec<SettledEntry>,
}

#[derive(Serialize)]
struct SettledEntry {
    entry: EntryId,
    state: State,
}

impl From<(EntryId, State)> for SettledEntry {
    fn from((entry, state): (EntryId, State)) -> Self {
        Self { entry, state }
    }
}

/// Settles one entry, and shows what the decision is about.
fn decide(
    reader: &LedgerReader,
    global: &GlobalArgs,
    entry: EntryId,
    resolution: Resolution,
    output: Output,
) -> Result<ExitStatus, CommandError> {
    let mut operator = open_operator(global)?;
    let now = operator.not_before_newest(WallClock.now())?;
    let evidence = evidence(reader, entry)?;
    let verdict = remedy(&resolution);
    let state = operator.resolve(entry, resolution, &operator_name(), now).map_err(refused)?;
    output.say(&format!("the ledger's record of the last call of patient #{entry}:\n{evidence}"));
    output.say(&format!("patient #{entry} is now {}; {}", state.label(), what_follows(state)));
    if output.json {
        let settled = vec![SettledEntry { entry, state }];
        output.document(&DecisionDocument { verdict, applied: true, settled, left: Vec::new() })?;
    }
    Ok(ExitStatus::Done)
}

fn remedy(resolution: &Resolution) -> Remedy {
    match resolution {
        Resolution::Placed { .. } => Remedy::Placed,
        Resolution::NotPlaced => Remedy::NotPlaced,
        Resolution::Cancel => Remedy::Cancel,
    }
}

fn what_follows(state: State) -> &'static str {
    if state == State::Cancelled { "it is not called again" } else { "`callrounds run` or `resume` continues with it" }
}

/// The evidence for the decision: the intent, the lost answer, and each scan of the vendor's list, in the time of the
/// practice that called.
fn evidence(reader: &LedgerReader, entry: EntryId) -> Result<String, CommandError> {
    let last = reader.last_call_of(entry)?.ok_or(OperatorError::NoSuchEntry(entry)).map_err(refused)?;
    let zone = Campaigns::new(reader).zone(last.run, last.location.as_ref())?;
    Ok(timeline::since_the_last_claim(&reader.events_of(entry)?, &zone))
}

/// Settles several entries: shows which, asks, and decides about those that were shown.
fn decide_all(
    reader: &LedgerReader,
    global: &GlobalArgs,
    args: &ResolveArgs,
    entries: &[EntryId],
    decision: Decision<'_>,
    output: Output,
) -> Result<ExitStatus, CommandError> {
    let fits = |entry: &StuckEntry| Remedy::choices(entry.state, entry.reason).contains(&decision.remedy());
    let (fitting, others): (Vec<_>, Vec<_>) = selected(reader, args, entries)?.into_iter().partition(fits);
    let state_of = |entry: &StuckEntry| (entry.entry, entry.state);
    let shown: Vec<_> = fitting.iter().map(state_of).collect();
    let mut left: Vec<_> = others.iter().map(state_of).collect();
    if !output.json {
        output.data(&preview(&fitting, &others, decision))?;
    }
    if !shown.is_empty() && !args.yes {
        confirm(shown.len(), &DecisionDocument::preview(decision, &shown, &left), output)?;
    }
    let mut operator = open_operator(global)?;
    let now: DateTime<Utc> = operator.not_before_newest(WallClock.now())?;
    let settled = operator.resolve_all(&shown, &decision.resolution(), &operator_name(), now).map_err(refused)?;
    left.extend(shown.iter().filter(|(entry, _)| settled.iter().all(|(settled, _)| settled != entry)));
    output.say(&match (settled.len(), shown.len() - settled.len()) {
        (0, 0) => "nothing was changed".to_owned(),
        (count, 0) => format!("settled {}", patients(count as u64)),
        (count, changed) => format!(
            "settled {}; {changed} changed meanwhile and {} left as {}",
            patients(count as u64),
            plural(changed as u64, "was", "were"),
            plural(changed as u64, "it is", "they are")
        ),
    });
    if output.json {
        let to_entries = |entries: Vec<(EntryId, State)>| entries.into_iter().map(SettledEntry::from).collect();
        let (verdict, settled, left) = (decision.remedy(), to_entries(settled), to_entries(left));
        output.document(&DecisionDocument { verdict, applied: true, settled, left })?;
    }
    Ok(ExitStatus::Done)
}

impl DecisionDocument {
    /// What the decision would settle.
    fn preview(decision: Decision<'_>, shown: &[(EntryId, State)], left: &[(EntryId, State)]) -> Self {
        let to_entries = |entries: &[(EntryId, State)]| entries.iter().copied().map(SettledEntry::from).collect();
        Self { verdict: decision.remedy(), applied: false, settled: to_entries(shown), left: to_entries(left) }
    }
}

/// Asks on a terminal; elsewhere nothing is decided without --yes.
fn confirm(count: usize, preview: &DecisionDocument, output: Output) -> Result<(), CommandError> {
    if output.json {
        output.document(preview)?;
    }
    prompt::confirm(&format!("Settle {}?", patients(count as u64)), "nothing was changed", output)
}

/// Who would be settled, and who not.
fn preview(fitting: &[StuckEntry], others: &[StuckEntry], decision: Decision<'_>) -> String {
    let (option, effect) = match decision {
        Decision::Placed(_) | Decision::NotPlaced => {
            ("--not-placed", "no call was placed, so they may be called again: look each call up at the vendor first")
        }
        Decision::Cancel => ("--cancel", "they are not called any more"),
    };
    let lines = |entries: &[StuckEntry]| {
        let line = |entry: &StuckEntry| {
            format!("  {}\n    {}\n", stuck::headline(entry), stuck::state_and_reason(entry.state, entry.reason))
        };
        entries.iter().map(line).collect::<String>()
    };
    let mut text = match fitting.len() {
        0 => format!("nobody can be settled with {option}\n"),
        count => format!("{option} settles {}; {effect}\n{}", patients(count as u64), lines(fitting)),
    };
    if !others.is_empty() {
        let count = others.len() as u64;
        let stay = plural(count, "which stays as it is", "which stay as they are");
        text += &format!("it cannot settle {}, {stay}\n{}", patients(count), lines(others));
    }
    text
}

/// Opens the ledger for a decision; it must exist.
pub(super) fn open_operator(global: &GlobalArgs) -> Result<Operator, CommandError> {
    open_operator_of(&settings::find_ledger(global)?)
}

/// The same for the ledger at `path`.
pub(super) fn open_operator_of(path: &Path) -> Result<Operator, CommandError> {
    if !path.exists() {
        return Err(LedgerError::Missing { path: path.shown() }.into());
    }
    Ok(Operator::open(path, WallClock.now())?)
}

pub(super) fn refused(problem: OperatorError) -> CommandError {
    match problem {
        OperatorError::Ledger(error) => error.into(),
        problem @ (OperatorError::NoSuchEntry(_)
        | OperatorError::NotHeld { .. }
        | OperatorError::NoLostAnswer { .. }
        | OperatorError::InDoubt(_)
        | OperatorError::NotShown(_)
        | OperatorError::Purged(_)
        | OperatorError::NothingToReview { .. }
        | OperatorError::WasRefused(_)
        | OperatorError::ConversationTaken
        | OperatorError::StillCalled { .. }
        | OperatorError::NotCancellable { .. }) => CommandError::Usage(problem.to_string()),
    }
}

/// The operator's user name, for the audit record.
pub(super) fn operator_name() -> String {
    ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok()).unwrap_or_else(|| "an operator".into())
}
