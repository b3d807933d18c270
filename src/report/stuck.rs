//! The entries that only a person can settle: each with what is known of its last call, what to look up at the vendor,
//! and the commands that settle it.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::entry::{AttemptState, Reason, Remedy, State};
use crate::ids::{CampaignName, ConversationId, EntryId, Location, RunId};
use crate::ledger::{EventRow, LastAttempt, StuckEntry};
use crate::visible;
use crate::wording::{patients, plural};
use crate::zone::Zone;

use super::timeline;

/// An entry that only a person can settle, with its events.
pub struct StuckCase {
    /// The entry.
    pub entry: StuckEntry,
    /// Its events, oldest first.
    pub events: Vec<EventRow>,
    /// The practice's zone.
    pub zone: Zone,
}

/// The document of `resolve --json` without a decision.
#[derive(Serialize)]
pub struct StuckDocument<'c> {
    entries: Vec<StuckDocumentEntry<'c>>,
}

#[derive(Serialize)]
struct StuckDocumentEntry<'c> {
    entry: EntryId,
    campaign: &'c CampaignName,
    run: RunId,
    /// The patient's key: one value for each key column of the campaign.
    key: Vec<&'c str>,
    first_name: &'c str,
    last_name: Option<&'c str>,
    phone: String,
    location: Option<&'c Location>,
    state: State,
    reason: Option<Reason>,
    since: DateTime<Utc>,
    /// What the vendor has to show if the call was placed.
    look_up: Option<LookUp<'c>>,
    remedies: &'static [Remedy],
    commands: Vec<String>,
    /// The events since the intent of the last call.
    events: &'c [EventRow],
}

/// The call to look up at the vendor.
#[derive(Serialize)]
struct LookUp<'c> {
    from_number: String,
    to_number: String,
    started_after: DateTime<Utc>,
    accepted_until: Option<DateTime<Utc>>,
    conversation_id: Option<&'c ConversationId>,
}

impl<'c> LookUp<'c> {
    /// The entry's last attempt, unless it is known that it was not placed.
    fn new(attempt: &'c LastAttempt) -> Option<Self> {
        let may_have_been_placed = attempt.state.may_have_been_placed() || attempt.state == AttemptState::Refused;
        may_have_been_placed.then(|| Self {
            from_number: attempt.from.expose(),
            to_number: attempt.to.expose(),
            started_after: attempt.intent_at,
            accepted_until: attempt.accepted_until,
            conversation_id: attempt.conversation.as_ref(),
        })
    }
}

/// The document for other programs.
#[must_use]
pub fn document(cases: &[StuckCase]) -> StuckDocument<'_> {
    let entries = cases.iter().map(|StuckCase { entry, events, .. }| StuckDocumentEntry {
        entry: entry.entry,
        campaign: &entry.campaign,
        run: entry.run,
        key: entry.key.parts().collect(),
        first_name: &entry.patient.first_name,
        last_name: entry.patient.last_name.as_deref(),
        phone: entry.phone.expose(),
        location: entry.location.as_ref(),
        state: entry.state,
        reason: entry.reason,
        since: entry.since,
        look_up: entry.attempt.as_ref().and_then(LookUp::new),
        remedies: Remedy::choices(entry.state, entry.reason),
        commands: Remedy::choices(entry.state, entry.reason)
            .iter()
            .filter_map(|it| command(*it, entry.entry))
            .collect(),
        events: timeline::events_since_the_last_claim(events),
    });
    StuckDocument { entries: entries.collect() }
}

/// The entries as text, each with its evidence and its commands.
#[must_use]
pub fn render(cases: &[StuckCase]) -> String {
    let count = cases.len() as u64;
    if count == 0 {
        return "nobody is held, refused by the vendor or lost track of\n".into();
    }
    let heading = format!("{} {} a decision\n", patients(count), plural(count, "needs", "need"));
    cases.iter().fold(heading, |text, case| text + "\n" + &render_case(case))
}

fn render_case(case: &StuckCase) -> String {
    let StuckCase { entry, events, zone } = case;
    let mut text = format!("{}\n", headline(entry));
    let since = format!("since {}", zone.date_and_second(entry.since));
    text += &match entry.reason {
        Some(reason) => format!("  {} {since}: {}\n", entry.state.label(), reason.label()),
        None => format!("  {} {since}\n", entry.state.label()),
    };
    text += &format!("  {}\n", what_to_do(entry, zone));
    for remedy in Remedy::choices(entry.state, entry.reason) {
        if let Some(command) = command(*remedy, entry.entry) {
            text += &format!("    {command:<40}  # {}\n", effect(*remedy, entry.state));
        }
    }
    text + "  the ledger's record of the last call:\n" + &timeline::since_the_last_claim(events, zone)
}

/// The entry's number, its patient and campaign in a line.
#[must_use]
pub fn headline(entry: &StuckEntry) -> String {
    let name = visible::value(&entry.patient.full_name()).into_owned();
    let name = if name.is_empty() { String::new() } else { format!(" {name},") };
    let key = entry.key.shown();
    let location = entry.location.as_ref().map_or_else(String::new, |location| format!(", at {location}"));
    format!(
        "#{}{name} patient {}, {} ({}{location})",
        entry.entry,
        visible::value(&key),
        entry.phone.expose(),
        entry.campaign
    )
}

/// The state in words, with the reason.
#[must_use]
pub fn state_and_reason(state: State, reason: Option<Reason>) -> String {
    format!("{}{}", state.label(), reason.map_or_else(String::new, |reason| format!(": {}", reason.label())))
}

/// Where a person finds out what happened.
fn what_to_do(entry: &StuckEntry, zone: &Zone) -> String {
    let choices = Remedy::choices(entry.state, entry.reason);
    let call = entry.attempt.as_ref().map_or_else(String::new, |attempt| call(attempt, zone));
    if choices.contains(&Remedy::Placed) {
        return format!("look up at the vendor: {call}");
    }
    if choices.contains(&Remedy::Review) {
        return "a person has to read what was said; nobody calls the number until then".into();
    }
    if choices.contains(&Remedy::CorrectList) {
        return "correct this in the list, and run again".into();
    }
    if choices.contains(&Remedy::CorrectCampaign) {
        return "add the [[line]] of this location to the campaign file, and run again".into();
    }
    match entry.state {
        State::Failed => format!("the vendor's words are in the record below; ask it about {call}"),
        State::LostTrack => format!("look up at the vendor: {call}; each run asks for it again for 30 days"),
        State::Held
        | State::Ready
        | State::Waiting
        | State::Submitting
        | State::Open
        | State::Unknown
        | State::Finished
        | State::Suppressed
        | State::Withdrawn
        | State::Expired
        | State::Cancelled => "the record below says why".into(),
    }
}

/// A call as it is found on the vendor's list of conversations.
fn call(attempt: &LastAttempt, zone: &Zone) -> String {
    let LastAttempt { from, to, intent_at, accepted_until, conversation, .. } = attempt;
    let until = accepted_until.map_or_else(String::new, |until| format!(" and {}", zone.date_and_second(until)));
    let between = if until.is_empty() { "after" } else { "between" };
    let id = conversation.as_ref().map_or_else(String::new, |id| format!(", conversation {id}"));
    format!(
        "a call from {} to {} {between} {}{until}{id}",
        from.expose(),
        to.expose(),
        zone.date_and_second(*intent_at)
    )
}

fn command(remedy: Remedy, entry: EntryId) -> Option<String> {
    match remedy {
        Remedy::Placed => Some(format!("callrounds resolve {entry} --placed ID")),
        Remedy::NotPlaced => Some(format!("callrounds resolve {entry} --not-placed")),
        Remedy::Cancel => Some(format!("callrounds resolve {entry} --cancel")),
        Remedy::Review => Some(format!("callrounds review {entry}")),
        Remedy::CorrectList | Remedy::CorrectCampaign => None,
    }
}

fn effect(remedy: Remedy, state: State) -> &'static str {
    match remedy {
        Remedy::Placed => "it was placed, and ID is its conversation: it is followed to its end",
        Remedy::NotPlaced if state == State::Failed => "the patient may be called again",
        Remedy::NotPlaced => "it was not placed: the patient may be called again",
        Remedy::Review => "what was said, and the decisions about it",
        Remedy::Cancel | Remedy::CorrectList | Remedy::CorrectCampaign => "the patient is not called any more",
    }
}
