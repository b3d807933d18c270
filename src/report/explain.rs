//! What happened to one entry, and why, as a story.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::campaign::Consent;
use crate::entry::{Outcome, Reason, State, ZoneSource};
use crate::ids::{CampaignName, EntryId, Location, RunId};
use crate::ledger::{EntryRow, EventRow, RunReport, SuppressionRow};
use crate::policy::Evidence;
use crate::zone::Zone;

use super::text::{lowercase, state};

/// Zones that are told one by one; somebody of whom nothing is known may be in any of them.
const ZONES: usize = 4;

/// An entry's story.
#[derive(Debug, Serialize)]
pub struct Story {
    campaign: CampaignName,
    /// The patient's key: one value for each key column of the campaign.
    patient: Vec<String>,
    entry: EntryId,
    /// Which of the practice's places it is of, where the campaign has lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Covered by the entry's call to another member of the household.
    covered_by_household: bool,
    state: &'static str,
    /// Why it is not being called.
    reason: Option<Reason>,
    /// What the last conversation meant.
    outcome: Option<Outcome>,
    /// Calls placed, or maybe placed.
    calls: u64,
    /// When the entry is due, if it is ready or waiting.
    due_at: Option<DateTime<Utc>>,
    /// What the suppression list says of its number.
    suppressions: Vec<Suppression>,
    events: Vec<EventRow>,
    /// How the campaign's last run ended, if it left the entry due.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_by: Option<LeftBy>,
}

/// The end of a run that left an entry due.
#[derive(Debug, Serialize)]
pub struct LeftBy {
    run: RunId,
    at: DateTime<Utc>,
    why: String,
}

impl LeftBy {
    fn of(run: &RunReport, row: &EntryRow) -> Option<Self> {
        let (at, why) = (run.ended_at?, run.why.clone()?);
        let was_due = row.due_at.is_some_and(|due| due <= at);
        was_due.then_some(Self { run: run.handle.run, at, why })
    }
}

/// What the suppression list says of a number.
#[derive(Debug, Serialize)]
pub struct Suppression {
    scope: &'static str,
    source: String,
    since: DateTime<Utc>,
    /// For good if not given.
    until: Option<DateTime<Utc>>,
}

impl From<SuppressionRow> for Suppression {
    fn from(row: SuppressionRow) -> Self {
        Self { scope: row.scope.name(), source: row.source, since: row.at, until: row.expires }
    }
}

impl Story {
    /// The story of a patient of the campaign whose last run is `run`, with what happened to its entry and what the
    /// suppression list says of its number.
    #[must_use]
    pub fn new(run: &RunReport, row: &EntryRow, events: Vec<EventRow>, suppressions: Vec<SuppressionRow>) -> Self {
        Self {
            campaign: run.campaign.clone(),
            patient: row.key.parts().map(ToOwned::to_owned).collect(),
            entry: row.entry,
            location: row.location.clone(),
            covered_by_household: row.covered_by_household,
            state: state(row),
            reason: row.reason,
            outcome: row.outcome,
            calls: row.calls,
            due_at: row.due_at,
            suppressions: suppressions.into_iter().map(Suppression::from).collect(),
            events,
            left_by: LeftBy::of(run, row),
        }
    }
}

/// A row that could not be used, from the rejects file of a campaign's last list.
#[derive(Debug, Serialize)]
pub struct RejectedRow {
    /// The campaign.
    pub campaign: CampaignName,
    /// The row of the list.
    pub line: String,
    /// Why.
    pub reason: String,
    /// The rejects file.
    pub file: String,
}

/// A rejected row in a line.
#[must_use]
pub fn rejected(row: &RejectedRow) -> String {
    let RejectedRow { campaign, line, reason, file } = row;
    format!("{campaign}: rejected, not called: line {line} of the last list: {reason} (see {file})\n")
}

/// The story in lines, one an event; instants in the zone of whoever calls.
#[must_use]
pub fn told(story: &Story, zone: &Zone) -> String {
    let at = |at| instant(at, zone);
    let Story { campaign, patient, entry, state, outcome, calls, due_at, .. } = story;
    let mut text = format!("{campaign}: patient {}, entry {entry}: {state}", patient.join(" "));
    if story.covered_by_household {
        text += ", by the call to another patient of the household";
    }
    text += &outcome.map_or_else(String::new, |outcome| format!(", {outcome}"));
    text += &match calls {
        0 => ", not called".into(),
        1 => ", 1 call".into(),
        calls => format!(", {calls} calls"),
    };
    text += &story.location.as_ref().map_or_else(String::new, |location| format!(", at {location}"));
    text += &due_at.map_or_else(String::new, |due| format!(", due on {}", at(due)));
    text.push('\n');
    for Suppression { scope, source, since, until } in &story.suppressions {
        let until = until.map_or_else(String::new, |until| format!(" until {}", at(until)));
        text += &format!(
            "  the number is on the suppression list for {scope} calls since {}{until}: {source}\n",
            at(*since)
        );
    }
    text += &lines(&story.events, zone);
    if let Some(LeftBy { run, at: ended, why }) = &story.left_by {
        text += &format!("  {}  run {run} ended while it was due: {why}\n", at(*ended));
    }
    text
}

/// What happened to an entry since its last call was authorised: the evidence for who decides about that call.
#[must_use]
pub fn since_the_last_claim(events: &[EventRow], zone: &Zone) -> String {
    let claim = events.iter().rposition(|event| event.kind == "claimed").unwrap_or_default();
    lines(&events[claim..], zone)
}

/// A line an event, and below a decision what it was made from.
fn lines(events: &[EventRow], zone: &Zone) -> String {
    let mut text = String::new();
    for event in events {
        text += &format!("  {}  {}\n", instant(event.at, zone), happening(event));
        for ground in event.evidence.iter().flat_map(grounds) {
            text += &format!("{:27}{ground}\n", "");
        }
    }
    text
}

fn instant(at: DateTime<Utc>, zone: &Zone) -> String {
    zone.local(at).format("%a %Y-%m-%d %H:%M:%S").to_string()
}

/// What a decision was made from, in sentences.
fn grounds(evidence: &Evidence) -> Vec<String> {
    let hours = evidence.zones.iter().take(ZONES).map(|hours| {
        let open = hours.open.as_ref().map_or_else(|| "closed that day".to_owned(), |open| format!("open {open}"));
        format!("{} in {}, {open}", hours.local.format("%H:%M"), hours.zone)
    });
    let mut hours: Vec<String> = hours.collect();
    if evidence.zones.len() > ZONES {
        hours.push(format!("and {} more zones", evidence.zones.len() - ZONES));
    }
    let known = known_by(evidence.known_by);
    let mut lines = vec![format!("hours: {} ({}; {known})", hours.join("; "), evidence.preset)];
    lines.push(format!("number: {}; {}", calls(evidence), suppressed(evidence)));
    lines.push(match evidence.consent {
        Some(Consent::OnFile) => "consent: on file for the whole list, the practice attests".into(),
        Some(Consent::Column) | None => "consent: as the list's own column says".to_owned(),
    });
    lines
}

fn known_by(source: ZoneSource) -> &'static str {
    match source {
        ZoneSource::Row => "the row names the zone",
        ZoneSource::State => "the row names the state",
        ZoneSource::Postcode => "by the row's postcode",
        ZoneSource::AreaCode => "by the area code",
        ZoneSource::Unknown => "the place is not known",
    }
}

fn suppressed(evidence: &Evidence) -> &'static str {
    if evidence.suppressed { "on the suppression list" } else { "not on the suppression list" }
}

fn calls(evidence: &Evidence) -> String {
    let Evidence { calls_in_24_hours, calls_in_7_days, calls_in_30_days, failures_in_a_row, .. } = evidence;
    if *calls_in_30_days == 0 {
        return "no call in 30 days".into();
    }
    let busy = if evidence.number_busy { ", one of them not settled" } else { "" };
    let in_vain = match failures_in_a_row {
        0 => String::new(),
        1 => ", the last one in vain".into(),
        count => format!(", the last {count} in vain"),
    };
    format!(
        "called {calls_in_24_hours} × in 24 hours, {calls_in_7_days} × in 7 days, {calls_in_30_days} × in 30 days\
         {busy}{in_vain}"
    )
}

/// What happened, its evidence, where the entry stood then, and by which rule.
fn happening(event: &EventRow) -> String {
    let mut line = in_words(&event.kind).map_or_else(|| event.kind.replace('_', " "), str::to_owned);
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
fn in_words(kind: &str) -> Option<&'static str> {
    Some(match kind {
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
        "too_late" => "too late for the call",
        "listed" => "on the list again",
        "declared_not_placed" => "not placed, says an operator",
        "cancelled" => "cancelled by an operator",
        "taken_over" => "a call that the ledger did not know, put down to this patient",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Fact, Reason};
    use crate::ids::ConversationId;
    use crate::policy::evidence::LocalHours;

    fn event(kind: &str, after: State) -> EventRow {
        EventRow {
            at: DateTime::UNIX_EPOCH,
            kind: kind.into(),
            before: None,
            after: Some(after),
            reason: None,
            detail: None,
            evidence: None,
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
    fn what_a_decision_was_made_from_is_told_in_sentences() {
        let local = |zone: &str, at: &str, open: Option<&str>| LocalHours {
            zone: zone.into(),
            local: at.parse().expect("a local time"),
            open: open.map(ToOwned::to_owned),
        };
        let evidence = Evidence {
            preset: "vendor-safe".into(),
            zones: vec![
                local("America/Chicago", "2026-11-24T19:40:00", Some("09:30-20:00")),
                local("America/New_York", "2026-11-24T20:40:00", None),
            ],
            regions: Vec::new(),
            known_by: ZoneSource::AreaCode,
            calls_in_24_hours: 0,
            calls_in_7_days: 1,
            calls_in_30_days: 2,
            failures_in_a_row: 2,
            calls_to_entry: 2,
            number_busy: false,
            suppressed: false,
            consent: Some(Consent::OnFile),
            not_after: None,
        };
        let never = Evidence { calls_in_30_days: 0, suppressed: true, consent: None, ..evidence.clone() };
        assert_eq!(
            grounds(&evidence),
            [
                "hours: 19:40 in America/Chicago, open 09:30-20:00; 20:40 in America/New_York, closed that day (vendor-safe; by the area code)",
                "number: called 0 × in 24 hours, 1 × in 7 days, 2 × in 30 days, the last 2 in vain; not on the suppression list",
                "consent: on file for the whole list, the practice attests",
            ]
        );
        assert_eq!(
            grounds(&never)[1..],
            ["number: no call in 30 days; on the suppression list", "consent: as the list's own column says"]
        );
    }

    #[test]
    fn every_fact_and_every_reason_has_words_of_its_own() {
        let wordless: Vec<_> =
            Fact::every_shape().iter().map(Fact::name).filter(|kind| in_words(kind).is_none()).collect();
        assert!(wordless.is_empty(), "{wordless:?}");
        assert!(Reason::ALL.iter().all(|reason| lowercase(reason.says()) != reason.says()));
    }
}
