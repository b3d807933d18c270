//! What happened to one entry, and why, as a story.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::entry::{Outcome, State};
use crate::ids::EntryId;
use crate::ledger::{EntryRow, EventRow};
use crate::zone::Zone;

use super::text::{lowercase, state};

/// An entry's story.
#[derive(Debug, Serialize)]
pub struct Story {
    /// The patient's key: one value for each key column of the campaign.
    patient: Vec<String>,
    entry: EntryId,
    state: &'static str,
    /// What the last conversation meant.
    outcome: Option<Outcome>,
    /// Calls placed, or maybe placed.
    calls: u64,
    /// When the entry is due, if it is ready or waiting.
    due_at: Option<DateTime<Utc>>,
    events: Vec<EventRow>,
}

impl Story {
    /// The story of a patient, with what happened to its entry.
    #[must_use]
    pub fn new(row: &EntryRow, events: Vec<EventRow>) -> Self {
        Self {
            patient: row.key.parts().map(ToOwned::to_owned).collect(),
            entry: row.entry,
            state: state(row),
            outcome: row.outcome,
            calls: row.calls,
            due_at: row.due_at,
            events,
        }
    }
}

/// The story in lines, one an event; instants in the practice's zone.
#[must_use]
pub fn told(story: &Story, zone: &Zone) -> String {
    let at = |at| instant(at, zone);
    let Story { patient, entry, state, outcome, calls, due_at, events } = story;
    let mut text = format!("patient {}, entry {entry}: {state}", patient.join(" "));
    text += &outcome.map_or_else(String::new, |outcome| format!(", {outcome}"));
    text += &match calls {
        0 => ", not called".into(),
        1 => ", 1 call".into(),
        calls => format!(", {calls} calls"),
    };
    text += &due_at.map_or_else(String::new, |due| format!(", due on {}", at(due)));
    text.push('\n');
    text + &lines(events, zone)
}

/// What happened to an entry since its last call was authorised: the evidence for who decides about that call.
#[must_use]
pub fn since_the_last_claim(events: &[EventRow], zone: &Zone) -> String {
    let claim = events.iter().rposition(|event| event.kind == "claimed").unwrap_or_default();
    lines(&events[claim..], zone)
}

fn lines(events: &[EventRow], zone: &Zone) -> String {
    let line = |event: &EventRow| format!("  {}  {}\n", instant(event.at, zone), happening(event));
    events.iter().map(line).collect()
}

fn instant(at: DateTime<Utc>, zone: &Zone) -> String {
    zone.local(at).format("%a %Y-%m-%d %H:%M:%S").to_string()
}

/// What happened, its evidence, where the entry stood then, and by which rule.
fn happening(event: &EventRow) -> String {
    let mut line = in_words(&event.kind);
    if let Some(outcome) = event.outcome {
        line += &format!(": {outcome}");
    }
    if let Some(conversation) = &event.conversation {
        line += &format!(", conversation {}", conversation.as_str());
    }
    if let Some(detail) = &event.detail {
        line += &format!(" ({detail})");
    }
    if let Some(after) = event.after {
        line += &format!(" → {after}");
    }
    // Why an answer is lost is its evidence: that the list does not show the call is not known yet.
    if let Some(reason) = event.reason.filter(|_| event.after != Some(State::Unknown)) {
        line += &format!(": {}", lowercase(reason.says()));
    }
    line
}

/// The ledger's word for an event, in words for the person on duty; a word that is not known here stands for itself.
fn in_words(kind: &str) -> String {
    match kind {
        "enrolled" => "read from the list",
        "claimed" => "every rule allows the call: on record, then sent",
        "accepted" => "placed",
        "not_placed" => "not placed",
        "refused" => "refused by the vendor",
        "answer_lost" => "no answer that says whether the call was placed",
        "scanned" => "looked for on the vendor's list",
        "adopted" => "found on the vendor's list",
        "absent" => "not on the vendor's list",
        "ended" => "conversation over",
        "track_lost" => "conversation not seen to end",
        "deferred" => "not now",
        "barred" => "never",
        "set_aside" => "a person must decide",
        "unlisted" => "no longer on the list",
        "too_late" => "too late",
        "listed" => "on the list again",
        "declared_not_placed" => "not placed, says an operator",
        "cancelled" => "cancelled by an operator",
        other => return other.replace('_', " "),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Reason;
    use crate::ids::ConversationId;

    fn event(kind: &str, after: State) -> EventRow {
        EventRow {
            at: DateTime::UNIX_EPOCH,
            kind: kind.into(),
            before: None,
            after: Some(after),
            reason: None,
            detail: None,
            outcome: None,
            conversation: None,
        }
    }

    #[test]
    fn every_event_says_what_happened_with_which_evidence_and_where_that_leads() {
        let ended = EventRow {
            outcome: Some(Outcome::NoAnswer),
            detail: Some("outcome rule 15".into()),
            reason: Some(Reason::RedialGap),
            ..event("ended", State::Waiting)
        };
        let accepted = EventRow { conversation: Some(ConversationId::new("c-1")), ..event("accepted", State::Open) };
        let cases = [
            (
                ended,
                "conversation over: no_answer (outcome rule 15) → waiting: nobody was reached; to be called again after a gap",
            ),
            (accepted, "placed, conversation c-1 → open"),
            (event("some_new_word", State::Held), "some new word → held"),
        ];
        for (event, expected) in cases {
            assert_eq!(happening(&event), expected);
        }
    }

    #[test]
    fn who_decides_about_a_call_is_shown_what_happened_since_it_was_authorised() {
        let events = ["enrolled", "claimed", "not_placed", "claimed", "answer_lost", "scanned", "absent"];
        let events: Vec<_> = events.iter().map(|kind| event(kind, State::Held)).collect();
        let zone = Zone::named("America/Chicago").expect("a zone");
        let told = since_the_last_claim(&events, &zone);
        let first = "  Wed 1969-12-31 18:00:00  every rule allows the call: on record, then sent → held";
        assert_eq!((told.lines().next(), told.lines().count()), (Some(first), 4));
    }

    #[test]
    fn every_fact_and_every_reason_has_words_of_its_own() {
        for kind in ["claimed", "answer_lost", "track_lost", "declared_not_placed"] {
            assert_ne!(in_words(kind), kind.replace('_', " "));
        }
        assert!(Reason::ALL.iter().all(|reason| lowercase(reason.says()) != reason.says()));
    }
}
