//! The history of one entry: its events, the rules that decided them and their evidence.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::campaign::Consent;
use crate::entry::{Outcome, Reason, State, ZoneSource};
use crate::ids::{CampaignName, EntryId, Location, RunId};
use crate::ledger::{EntryRow, EventRow, KeptWords, RunReport, SuppressionRow};
use crate::policy::DecisionEvidence;
use crate::visible;
use crate::wording::counted;
use crate::zone::Zone;

use super::csv::state_word;
use super::said_words::SaidWords;

/// Zones shown one by one; a called party without known zones has all zones of the United States and Canada.
const ZONES_SHOWN: usize = 4;

/// The history of one entry.
#[derive(Debug, Serialize)]
pub struct EntryTimeline {
    campaign: CampaignName,
    /// The patient's key: one value for each key column of the campaign.
    patient: Vec<String>,
    entry: EntryId,
    /// The practice's location; `None` if the campaign has no `[[line]]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Covered by the entry's call to another member of the household.
    covered_by_household: bool,
    state: &'static str,
    #[serde(skip)]
    state_label: &'static str,
    /// Why it is not being called.
    reason: Option<Reason>,
    /// The outcome of the last conversation.
    outcome: Option<Outcome>,
    /// Calls that were placed, or may have been.
    calls: u64,
    /// When the entry is due, if it is ready or waiting.
    due_at: Option<DateTime<Utc>>,
    /// The patient's name, if the patient was asked for by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The suppression list's rows for its number.
    suppressions: Vec<SuppressionStatus>,
    events: Vec<EventRow>,
    /// What was said in the entry's calls and is still kept.
    said: Vec<SaidWords>,
    /// The end of the campaign's last run, if it left the entry due.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_by: Option<LeftDueBy>,
}

/// The end of a run that left an entry due.
#[derive(Debug, Serialize)]
pub struct LeftDueBy {
    run: RunId,
    at: DateTime<Utc>,
    why: String,
}

impl LeftDueBy {
    fn from_report(run: &RunReport, row: &EntryRow) -> Option<Self> {
        let (at, why) = (run.ended_at?, run.why.clone()?);
        let was_due = row.due_at.is_some_and(|due| due <= at);
        was_due.then_some(Self { run: run.handle.run, at, why })
    }
}

/// A number's row on the suppression list.
#[derive(Debug, Serialize)]
pub struct SuppressionStatus {
    scope: &'static str,
    source: String,
    since: DateTime<Utc>,
    /// `None`: permanently.
    until: Option<DateTime<Utc>>,
}

impl From<SuppressionRow> for SuppressionStatus {
    fn from(row: SuppressionRow) -> Self {
        Self { scope: row.scope.name(), source: row.source, since: row.at, until: row.expires }
    }
}

impl EntryTimeline {
    /// The history of the patient in `row`. `run` is the campaign's last run.
    #[must_use]
    pub fn new(
        run: &RunReport,
        row: &EntryRow,
        events: Vec<EventRow>,
        said: Vec<KeptWords>,
        suppressions: Vec<SuppressionRow>,
    ) -> Self {
        let covered = "covered by the call to another patient of the household";
        Self {
            campaign: run.campaign.clone(),
            patient: row.key.parts().map(ToOwned::to_owned).collect(),
            entry: row.entry,
            location: row.location.clone(),
            covered_by_household: row.covered_by_household,
            state: state_word(row),
            state_label: if row.covered_by_household { covered } else { row.state.label() },
            reason: row.reason,
            outcome: row.outcome,
            calls: row.calls,
            due_at: row.due_at,
            name: None,
            suppressions: suppressions.into_iter().map(SuppressionStatus::from).collect(),
            events,
            said: said.into_iter().map(SaidWords::from).collect(),
            left_by: LeftDueBy::from_report(run, row),
        }
    }
}

/// A rejected row, from the rejects file of a campaign's last list.
#[derive(Debug, Serialize)]
pub struct RejectedRow {
    /// The campaign's name.
    pub campaign: CampaignName,
    /// The line of the list file on which the row begins, counted from 1.
    pub line: String,
    /// Why the row was rejected.
    pub reason: String,
    /// The path of the rejects file.
    pub file: String,
}

/// A rejected row as one line of text.
#[must_use]
pub fn rejected(row: &RejectedRow) -> String {
    let RejectedRow { campaign, line, reason, file } = row;
    format!(
        "{campaign}: rejected, not called: line {} of the last list: {} (see {})\n",
        visible::value(line),
        visible::value(reason),
        visible::value(file)
    )
}

/// A row of the suppression list as one line of text.
#[must_use]
pub fn suppression(status: &SuppressionStatus, zone: &Zone, now: DateTime<Utc>) -> String {
    let SuppressionStatus { scope, source, since, until } = status;
    let is_over = until.is_some_and(|until| until <= now);
    let until = until.map_or_else(String::new, |until| format!(" until {}", zone.date_and_second(until)));
    format!(
        "the number {} on the suppression list for {} calls since {}{until}: {}",
        if is_over { "was" } else { "is" },
        scope.replace('_', "-"),
        zone.date_and_second(*since),
        visible::value(source)
    )
}

/// The history as text with a line for each event; instants are in `zone`, the practice's.
#[must_use]
pub fn render(timeline: &EntryTimeline, zone: &Zone, now: DateTime<Utc>) -> String {
    let at = |at| zone.date_and_second(at);
    let EntryTimeline { campaign, patient, entry, state_label, outcome, calls, due_at, .. } = timeline;
    let name = timeline.name.as_ref().map_or_else(String::new, |name| format!(", {}", visible::value(name)));
    let mut text =
        format!("{campaign}: patient {}{name} (#{entry}): {state_label}", visible::value(&patient.join(" ")));
    text += &outcome.map_or_else(String::new, |outcome| format!(", {}", outcome.label()));
    text += &match calls {
        0 => ", no calls".into(),
        calls => format!(", {}", counted(*calls, "call", "calls")),
    };
    text += &timeline.location.as_ref().map_or_else(String::new, |location| format!(", at {location}"));
    text += &due_at.map_or_else(String::new, |due| format!(", due on {}", at(due)));
    text.push('\n');
    for status in &timeline.suppressions {
        text += &format!("  {}\n", suppression(status, zone, now));
    }
    text += &lines(&timeline.events, zone);
    for said in &timeline.said {
        text += &format!("  in the call of {}\n{}", at(said.at), indented(&said.lines()));
    }
    if let Some(LeftDueBy { run, at: ended, why }) = &timeline.left_by {
        text += &format!("  {}  run {run} ended while it was due: {}\n", at(*ended), visible::value(why));
    }
    text
}

/// An entry's events since the intent of its last call: the evidence for a person who decides about that call.
#[must_use]
pub fn since_the_last_claim(events: &[EventRow], zone: &Zone) -> String {
    lines(events_since_the_last_claim(events), zone)
}

/// An entry's events since the intent of its last call; all of them if it was never called.
#[must_use]
pub fn events_since_the_last_claim(events: &[EventRow]) -> &[EventRow] {
    let claim = events.iter().rposition(|event| event.kind == "claimed").unwrap_or_default();
    &events[claim..]
}

/// A line for each event, with the evidence of a decision below it.
fn lines(events: &[EventRow], zone: &Zone) -> String {
    let mut text = String::new();
    for event in events {
        text += &format!("  {}  {}\n", zone.date_and_second(event.at), event_line(event));
        for line in event.evidence.iter().flat_map(evidence_lines) {
            text += &format!("{:27}{line}\n", "");
        }
    }
    text
}

fn indented(lines: &str) -> String {
    lines.lines().flat_map(|line| ["  ", line, "\n"]).collect()
}

/// The evidence of a decision: hours, calls to the number and consent.
fn evidence_lines(evidence: &DecisionEvidence) -> Vec<String> {
    // Without `..`, so that a new fact is shown or left out on purpose.
    let DecisionEvidence {
        preset,
        zones,
        known_by: source,
        consent,
        // By `calls` and `suppressed`.
        calls_in_24_hours: _,
        calls_in_7_days: _,
        calls_in_30_days: _,
        failures_in_a_row: _,
        number_busy: _,
        suppressed: _,
        // The zones follow from the regions; the other two decide only with a reason that says so.
        regions: _,
        calls_to_entry: _,
        not_after: _,
    } = evidence;
    let hours = zones.iter().take(ZONES_SHOWN).map(|hours| {
        let open = hours.open.as_ref().map_or_else(|| "closed that day".to_owned(), |open| format!("open {open}"));
        format!("{} in {}, {open}", hours.local.format("%H:%M"), hours.zone)
    });
    let mut hours: Vec<String> = hours.collect();
    if zones.len() > ZONES_SHOWN {
        hours.push(format!("and {}", counted((zones.len() - ZONES_SHOWN) as u64, "more zone", "more zones")));
    }
    let mut lines = vec![format!("hours: {} ({preset}; {})", hours.join("; "), known_by(*source))];
    lines.push(format!("number: {}; {}", calls(evidence), suppressed(evidence)));
    lines.push(match consent {
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
        ZoneSource::Unknown => "the zone is not known",
    }
}

fn suppressed(evidence: &DecisionEvidence) -> &'static str {
    if evidence.suppressed { "on the suppression list" } else { "not on the suppression list" }
}

fn calls(evidence: &DecisionEvidence) -> String {
    let DecisionEvidence { calls_in_24_hours, calls_in_7_days, calls_in_30_days, failures_in_a_row, .. } = evidence;
    if *calls_in_30_days == 0 {
        return "no call in 30 days".into();
    }
    let busy = if evidence.number_busy { ", one of them not settled" } else { "" };
    let failures = match failures_in_a_row {
        0 => String::new(),
        1 => ", the last one without contact".into(),
        count => format!(", the last {count} without contact"),
    };
    format!(
        "called {calls_in_24_hours} × in 24 hours, {calls_in_7_days} × in 7 days, {calls_in_30_days} × in 30 days\
         {busy}{failures}"
    )
}

/// An event in words: what happened, its detail, the state after it and the rule.
fn event_line(event: &EventRow) -> String {
    // Only an operator resolves a held entry in this way.
    let is_by_operator = event.kind == "adopted" && event.before == Some(State::Held);
    let label = if is_by_operator { Some("placed, says an operator") } else { kind_label(&event.kind) };
    let mut line = label.map_or_else(|| event.kind.replace('_', " "), str::to_owned);
    if let Some(outcome) = event.outcome {
        line += &format!(": {}", outcome.label());
    }
    if let Some(conversation) = &event.conversation {
        line += &format!(", conversation {conversation}");
    }
    if let Some(detail) = &event.detail {
        line += &format!(" ({})", visible::value(detail));
    }
    if let Some(after) = event.after {
        line += &format!(" → {}", after.label());
    }
    // The detail says why an answer was lost. The reason says that the vendor's list does not show the call, which is
    // not known yet. A detail also names the person who decided.
    let is_left_out = |reason: &Reason| {
        event.after == Some(State::Unknown) || (*reason == Reason::Operator && event.detail.is_some())
    };
    if let Some(reason) = event.reason.filter(|reason| !is_left_out(reason)) {
        line += &format!(": {}", reason.label());
    }
    line
}

/// The words for people of an event's machine word; `None` for an unknown one.
fn kind_label(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "enrolled" => "read from the list",
        "claimed" => "every rule allows the call; recorded, then sent",
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
        "settled_before" => "an earlier call has settled this, too",
        "number_corrected" => "a new number on the list, after a wrong one",
        "declared_not_placed" => "not placed, says an operator",
        "cancelled" => "cancelled by an operator",
        "ended_in_doubt" => "conversation over, a person must read it",
        "ended_late" => "conversation over, read late",
        "review_needed" => "a person must read what was said",
        "reviewed" => "what was said was read by an operator",
        "reclassified" => "newer outcome rules",
        "bar_lifted" => "the number may be called again",
        "worklist_done" => "done by the front desk",
        "worklist_undone" => "to be done by the front desk after all",
        "transcript_read" => "its transcript was shown",
        "to_be_cancelled" => "cancelled by an operator: followed to the end of the call, and not called again",
        "cancellation_undone" | "reinstated" => "an operator took the cancellation back",
        "taken_over" => "a call unknown to the ledger, assigned to this patient",
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
    fn every_event_shows_its_detail_the_state_after_it_and_the_rule() {
        let ended = EventRow {
            outcome: Some(Outcome::NoAnswer),
            detail: Some("outcome rule 15".into()),
            reason: Some(Reason::RedialGap),
            ..event("ended", State::Waiting)
        };
        let accepted = EventRow { conversation: Some(ConversationId::new("c-1")), ..event("accepted", State::Open) };
        let found = |before| EventRow { before: Some(before), ..event("adopted", State::Open) };
        let cases = [
            (
                ended,
                "conversation over: no answer (outcome rule 15) → waiting: nobody was reached; to be called again after a gap",
            ),
            (accepted, "placed, conversation c-1 → in a call"),
            (event("some_new_word", State::Held), "some new word → held for a person"),
            (found(State::Unknown), "found on the vendor's list → in a call"),
            (found(State::Held), "placed, says an operator → in a call"),
        ];
        for (event, expected) in cases {
            assert_eq!(event_line(&event), expected);
        }
    }

    #[test]
    fn the_events_since_the_last_claim_are_shown_for_a_decision() {
        let events = ["enrolled", "claimed", "not_placed", "claimed", "answer_lost", "scanned", "absent"];
        let events: Vec<_> = events.iter().map(|kind| event(kind, State::Held)).collect();
        let zone = Zone::named("America/Chicago").expect("a zone");
        let text = since_the_last_claim(&events, &zone);
        let first = "  Wed 1969-12-31 18:00:00  every rule allows the call; recorded, then sent → held for a person";
        assert_eq!((text.lines().next(), text.lines().count()), (Some(first), 4));
    }

    #[test]
    fn a_decisions_evidence_is_shown_in_sentences() {
        let local = |zone: &str, at: &str, open: Option<&str>| LocalHours {
            zone: zone.into(),
            local: at.parse().expect("a local time"),
            open: open.map(ToOwned::to_owned),
        };
        let evidence = DecisionEvidence {
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
        let never = DecisionEvidence { calls_in_30_days: 0, suppressed: true, consent: None, ..evidence.clone() };
        assert_eq!(
            evidence_lines(&evidence),
            [
                "hours: 19:40 in America/Chicago, open 09:30-20:00; 20:40 in America/New_York, closed that day (vendor-safe; by the area code)",
                "number: called 0 × in 24 hours, 1 × in 7 days, 2 × in 30 days, the last 2 without contact; not on the suppression list",
                "consent: on file for the whole list, the practice attests",
            ]
        );
        assert_eq!(
            evidence_lines(&never)[1..],
            ["number: no call in 30 days; on the suppression list", "consent: as the list's own column says"]
        );
    }

    #[test]
    fn every_fact_has_words_for_people() {
        let without: Vec<_> =
            Fact::every_shape().iter().map(Fact::name).filter(|kind| kind_label(kind).is_none()).collect();
        assert!(without.is_empty(), "{without:?}");
    }
}
