//! A run as text: the summary, and a table with a row for each patient.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::io::Write;

use chrono::{DateTime, Utc};

use crate::ending::RecordedEnding;
use crate::engine::RequestCounts;
use crate::entry::{Doubt, ListCounts, Outcome, Reason, State};
use crate::exit_status::ExitStatus;
use crate::ids::{CampaignName, Location};
use crate::ledger::{AttemptCounts, EntryRow, ListChanges};
use crate::visible;
use crate::wording::{counted, patients as patients_text, plural};
use crate::zone::Zone;

use super::exporter::{ExportError, Exporter};
use super::outcome_tally::percent;
use super::summary::{PausedCampaign, RunSummary};
use super::table::TextTable;

/// The width next to a label on a terminal of 80 columns.
const CONTENT_WIDTH: usize = 62;

/// The label of a line that continues the one above.
const NO_LABEL: &str = "\u{20}";

/// A space at which no line is broken.
const NO_BREAK: &str = "\u{a0}";

/// The share of a run's conversations, in percent, from which it is said that they match no rule.
const LOUD_SHARE: u64 = 10;

/// Locations shown in a summary; the others are counted.
const LOCATIONS_SHOWN: usize = 20;

/// The summary of a run in a few lines; instants are in the practice's zone.
#[must_use]
pub fn summary(summary: &RunSummary, zone: &Zone) -> String {
    let mut text = String::new();
    let RunSummary { run, campaign, list, attempts, .. } = summary;
    line(&mut text, "", format_args!("{campaign}, run {run}: {}", how_it_ended(summary)));
    line(&mut text, "when", span(summary.started_at, summary.ended_at, zone));
    let shows_why = summary.ending.as_ref().is_some_and(RecordedEnding::shows_why);
    if let Some(why) = summary.why.as_ref().filter(|_| shows_why) {
        line(&mut text, "why", visible::value(why));
    }
    if let Some(PausedCampaign { by, since, until }) = &summary.paused {
        let until = until.map_or_else(String::new, |until| format!(", until {}", zone.date_and_time(until)));
        line(
            &mut text,
            "paused",
            format_args!("by {} since {}{until}", visible::value(by), zone.date_and_time(*since)),
        );
    }
    line(&mut text, "list", rows(list));
    if let Some(changes) = changes(summary) {
        line(&mut text, "changes", changes);
    }
    line(&mut text, "patients", patients(&summary.entries, list.merged));
    if !summary.earlier_entries.is_empty() {
        line(&mut text, "earlier lists", wrapped(&state_counts(&summary.earlier_entries)));
    }
    locations(&mut text, &summary.locations);
    if !summary.outcomes.is_empty() {
        line(&mut text, "outcomes", wrapped(&outcome_counts(&summary.outcomes)));
    }
    let labels = std::iter::once("reasons").chain(std::iter::repeat(NO_LABEL));
    for ((reason, count), label) in summary.reasons.iter().zip(labels) {
        line(&mut text, label, format_args!("{count} × {}", reason.label()));
    }
    line(&mut text, "calls", wrapped(&calls(*attempts)));
    if !summary.outcomes_of_this_run.is_empty() {
        let mut outcomes = outcome_counts(&summary.outcomes_of_this_run);
        outcomes[0].insert_str(0, "outcomes of this run: ");
        line(&mut text, NO_LABEL, wrapped(&outcomes));
    }
    let placed = attempts.placed + attempts.taken_over;
    if summary.calls_in_all > placed {
        line(
            &mut text,
            "in all",
            format_args!("{} of the campaign so far", counted(summary.calls_in_all, "call", "calls")),
        );
    }
    if let Some(RequestCounts { calls, pages, conversations, other }) = summary.requests {
        let reads = pages + conversations + other;
        let requests = match calls + reads {
            0 => "none: nothing was sent".into(),
            all => format!("{all}: {calls} to call, {reads} to read"),
        };
        line(&mut text, "requests", requests);
    }
    if let Some(unclear) = unclear(*attempts, campaign) {
        line(&mut text, "unclear", unclear);
    }
    if let Some(review) = review(&summary.to_review) {
        line(&mut text, "review", review);
    }
    line(&mut text, "next", sentence(&what_next(summary, zone)));
    if summary.front_desk > 0 {
        let RunSummary { front_desk, campaign, .. } = summary;
        line(
            &mut text,
            "",
            format_args!("for the front desk: {front_desk}; `callrounds worklist --campaign {}`", quoted(campaign)),
        );
    }
    text
}

/// Where a campaign stands, by the summary of its newest run.
#[must_use]
pub fn standing(summary: &RunSummary, zone: &Zone) -> String {
    let mut states = summary.entries.clone();
    for (state, count) in &summary.earlier_entries {
        *states.entry(*state).or_default() += count;
    }
    let mut text = String::new();
    line(&mut text, "", format_args!("{} in all", summary.campaign));
    line(&mut text, "calls", summary.calls_in_all);
    line(&mut text, "patients", patients(&states, summary.list.merged));
    line(&mut text, "next", sentence(&what_next(summary, zone)));
    text
}

/// From when to when, with the date: `Tue 2026-11-24 09:30 to 11:12`.
#[must_use]
pub fn span(from: DateTime<Utc>, to: Option<DateTime<Utc>>, zone: &Zone) -> String {
    let start = zone.local(from);
    let end = to.map(|to| zone.local(to));
    let end = end.map(|end| {
        let form = if end.date() == start.date() { " to %H:%M" } else { " to %a %Y-%m-%d %H:%M" };
        end.format(form).to_string()
    });
    format!("{}{}", start.format("%a %Y-%m-%d %H:%M"), end.unwrap_or_default())
}

/// The states of each location's entries. Of many locations, only those with calls or decisions left.
fn locations(text: &mut String, all: &BTreeMap<Location, BTreeMap<State, u64>>) {
    let is_settled = |states: &BTreeMap<State, u64>| states.keys().all(|state| !wants_attention(*state));
    let shown =
        all.iter().filter(|(_, states)| all.len() <= LOCATIONS_SHOWN || !is_settled(states)).take(LOCATIONS_SHOWN);
    let shown: Vec<_> = shown.collect();
    let mut label = "locations";
    for (location, states) in &shown {
        line(text, label, format_args!("{location}: {}", state_counts(states).join(", ")));
        label = NO_LABEL;
    }
    if shown.len() < all.len() {
        line(text, label, format_args!("and {} more, in `--json`", all.len() - shown.len()));
    }
}

/// The states of a list's entries. An entry may stand for a household, if the list has `merged` rows.
fn patients(entries: &BTreeMap<State, u64>, merged: u64) -> String {
    let mut counts = state_counts(entries);
    if let Some(last) = counts.last_mut().filter(|_| merged > 0) {
        last.push_str("; a household counts once");
    }
    wrapped(&counts)
}

fn state_counts(states: &BTreeMap<State, u64>) -> Vec<String> {
    states.iter().map(|(state, count)| format!("{count} {}", state.label())).collect()
}

fn outcome_counts(outcomes: &BTreeMap<Outcome, u64>) -> Vec<String> {
    outcomes.iter().map(|(outcome, count)| format!("{count} × {}", outcome.label())).collect()
}

/// Whether an entry in this state is still to be called or needs a person's decision.
fn wants_attention(state: State) -> bool {
    match state {
        State::Ready
        | State::Waiting
        | State::Submitting
        | State::Open
        | State::Unknown
        | State::Held
        | State::Failed
        | State::LostTrack => true,
        State::Finished | State::Suppressed | State::Withdrawn | State::Expired | State::Cancelled => false,
    }
}

fn line(text: &mut String, label: &str, content: impl Display) {
    let _ = if label.is_empty() { writeln!(text, "{content}") } else { writeln!(text, "  {label:<14}{content}") };
}

/// What became of the calls that the run placed.
fn calls(attempts: AttemptCounts) -> Vec<String> {
    let AttemptCounts { placed, ended, unclassified: _, not_placed, unresolved, absent, taken_over } = attempts;
    let parts = [
        (placed - ended, "not seen to end yet"),
        (not_placed, "not placed"),
        (unresolved, "maybe placed"),
        (absent, "maybe placed and held: the vendor's list did not settle it"),
        (taken_over, "taken over from the vendor's list"),
    ];
    let open = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let first = match (placed, ended) {
        (0, _) => "none placed by this run".to_owned(),
        (placed, ended) if placed == ended && unresolved + absent == 0 => {
            format!("{placed} placed by this run, all of them over")
        }
        (placed, _) => format!("{placed} placed by this run"),
    };
    std::iter::once(first).chain(open).collect()
}

/// The share of the run's conversations that match no rule, with the command that mends it; `None` if it is small.
fn unclear(attempts: AttemptCounts, campaign: &CampaignName) -> Option<String> {
    let AttemptCounts { ended, unclassified, .. } = attempts;
    let share = percent(unclassified, ended);
    (share >= LOUD_SHARE).then(|| {
        format!(
            "{share} % of conversations match no rule ({unclassified} of {ended}):\n{:16}`callrounds outcomes {} --suggest` \
             proposes rules",
            "",
            visible::value(campaign.as_str())
        )
    })
}

/// What a person has to read, with the command that shows it; `None` if there is nothing.
fn review(to_review: &BTreeMap<Doubt, u64>) -> Option<String> {
    let counts: Vec<_> = to_review.iter().map(|(doubt, count)| format!("{count} × {}", doubt.label())).collect();
    let text = counts.join(", ");
    (!counts.is_empty()).then(|| format!("{text}:\n{:16}not called until you decide, see `callrounds review`", ""))
}

/// The list's changes; `None` if the campaign had no entries before.
fn changes(summary: &RunSummary) -> Option<String> {
    let ListChanges {
        new,
        changed,
        renumbered,
        renumbered_under_way,
        corrected,
        excluded,
        allowed,
        returned,
        withdrawn,
    } = summary.changes;
    if new == summary.list.accepted && withdrawn == 0 {
        return None;
    }
    let counts = [
        (new, "new"),
        (changed, "changed"),
        (renumbered - renumbered_under_way - corrected, "with another number"),
        (corrected, "with a corrected number, to be called again"),
        (renumbered_under_way, "with another number while a call to the old one is not settled"),
        (excluded, "newly excluded"),
        (allowed, "no longer excluded"),
        (returned, "back on the list"),
        (withdrawn, "withdrawn"),
    ];
    let parts = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let text = parts.collect::<Vec<_>>().join(", ");
    Some(if text.is_empty() { "none: the list is as it was".into() } else { text })
}

fn how_it_ended(summary: &RunSummary) -> &str {
    match &summary.ending {
        Some(ending) => ending.label(),
        None if summary.ended_at.is_none() => "not ended: in progress, or killed",
        None => "ended",
    }
}

/// A list's rows by result: `5 rows = 3 accepted + 1 rejected + 0 duplicate + 1 merged`.
#[must_use]
pub fn rows(list: &ListCounts) -> String {
    let ListCounts { read, accepted, rejected, duplicate, merged } = list;
    let rows = counted(*read, "row", "rows");
    format!("{rows} = {accepted} accepted + {rejected} rejected + {duplicate} duplicate + {merged} merged")
}

/// `parts` with commas, wrapped to the width next to a label.
fn wrapped(parts: &[String]) -> String {
    let mut text = String::new();
    let mut width = 0;
    for part in parts {
        let length = part.chars().count();
        if width + length > CONTENT_WIDTH {
            let _ = write!(text, ",\n{:16}", "");
            width = 0;
        } else if width > 0 {
            text.push_str(", ");
        }
        width += length + 2;
        text.push_str(part);
    }
    if text.is_empty() { "none".into() } else { text }
}

/// A sentence, wrapped between words to the width next to a label. A command in backticks is not broken.
fn sentence(text: &str) -> String {
    let quoted = text.split('`').enumerate();
    let kept: Vec<_> =
        quoted.map(|(at, part)| if at % 2 == 1 { part.replace(' ', NO_BREAK) } else { part.to_owned() }).collect();
    let (mut wrapped, mut width) = (String::new(), 0);
    for word in kept.join("`").split(' ') {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > CONTENT_WIDTH {
            let _ = write!(wrapped, "\n{:16}", "");
            width = 0;
        } else if width > 0 {
            wrapped.push(' ');
            width += 1;
        }
        width += length;
        wrapped.push_str(word);
    }
    wrapped.replace(NO_BREAK, " ")
}

/// The commands that show the `all` who need a person: those whose words are to be read, those whose reminder came too
/// late, and the others.
fn where_to_look(all: u64, to_review: u64, expired: u64) -> String {
    let to_review = to_review.min(all);
    let to_settle = all.saturating_sub(to_review + expired);
    let kinds = [
        (to_review, "review", "and what was said"),
        (expired, "worklist", "since their reminder came too late"),
        (to_settle, "resolve", "why, and what settles it"),
    ];
    let shown = kinds.into_iter().filter(|(count, ..)| *count > 0).map(|(count, command, what)| {
        let who = if count == all { "who".to_owned() } else { format!("{count} of them") };
        format!("`callrounds {command}` shows {who}, {what}")
    });
    shown.collect::<Vec<_>>().join("; ")
}

fn what_next(summary: &RunSummary, zone: &Zone) -> String {
    if let Some(next) = summary.next_run {
        return format!("run {next} followed: what stood then is above");
    }
    // A date is not broken.
    let due = || summary.next_due.map(|at| zone.date_and_time(at).replace(' ', NO_BREAK));
    match summary.standing {
        ExitStatus::DueWorkLeft => format!(
            "{} left to finish: run again{}",
            summary.due,
            due().map_or_else(String::new, |at| format!("; the next call is due on {at}"))
        ),
        ExitStatus::NeedsAPerson => {
            let count = summary.need_a_person;
            let commands = where_to_look(count, summary.to_review.values().sum(), summary.expired_uncalled);
            let due = due().map_or_else(String::new, |at| format!("; the next call is due on {at}"));
            format!("{} {} a person: {commands}{due}", patients_text(count), plural(count, "needs", "need"))
        }
        ExitStatus::Done
        | ExitStatus::Internal
        | ExitStatus::Usage
        | ExitStatus::List
        | ExitStatus::VendorRefused
        | ExitStatus::Ledger
        | ExitStatus::ListProvesNothing => due().map_or_else(
            || "nothing is left to call".into(),
            |at| format!("nothing due now; the next call is due on {at}"),
        ),
    }
}

/// A campaign's name as a shell takes it.
fn quoted(campaign: &CampaignName) -> String {
    let name = campaign.to_string();
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if is_plain { name } else { format!("'{}'", name.replace('\'', "'\\''")) }
}

/// The headings of the patients' table. `#` is the entry's number in the ledger.
pub(super) const HEADINGS: [&str; 8] = ["#", "patient", "name", "state", "outcome", "why", "calls", "last call"];

/// One patient's cells in the order of [`HEADINGS`]; instants are in `zone`.
pub(super) fn cells(row: &EntryRow, zone: &Zone) -> [String; HEADINGS.len()] {
    let last_call = row.last_call_at.map(|at| zone.local(at).format("%Y-%m-%d %H:%M").to_string());
    [
        row.entry.to_string(),
        visible::value(&row.key.shown()).into_owned(),
        visible::value(&row.patient.full_name()).into_owned(),
        if row.covered_by_household { "with the household" } else { row.state.label() }.into(),
        row.outcome.filter(|_| row.state == State::Finished).map_or("", Outcome::label).into(),
        why(row),
        row.calls.to_string(),
        last_call.unwrap_or_default(),
    ]
}

/// Why the patient is not being called, and whether the number is suppressed.
fn why(row: &EntryRow) -> String {
    let reason = row.reason.map(Reason::label);
    let is_said = row.reason == Some(Reason::Suppressed);
    let suppressed = (row.number_suppressed && !is_said).then(|| "the number is on the suppression list".to_owned());
    reason.into_iter().chain(suppressed).collect::<Vec<_>>().join("; ")
}

/// Writes the summary, and collects the rows for a table.
pub struct TextExporter<'o> {
    out: &'o mut dyn Write,
    table: TextTable,
    zone: Zone,
}

impl<'o> Exporter<'o> for TextExporter<'o> {
    fn begin(out: &'o mut dyn Write, summary: &RunSummary, zone: &Zone) -> Result<Self, ExportError> {
        writeln!(out, "{}", self::summary(summary, zone))?;
        Ok(Self { out, table: TextTable::begin(&HEADINGS), zone: zone.clone() })
    }

    fn row(&mut self, row: EntryRow) -> Result<(), ExportError> {
        self.table.row(&cells(&row, &self.zone));
        Ok(())
    }

    fn finish(self) -> Result<(), ExportError> {
        self.table.write(self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_and_state_at_once_fits_on_a_terminal_of_80_columns() {
        let outcomes: BTreeMap<_, _> = Outcome::ALL.iter().map(|outcome| (*outcome, 1000)).collect();
        let states: BTreeMap<_, _> = State::ALL.iter().map(|state| (*state, 1000)).collect();
        let mut text = String::new();
        line(&mut text, "patients", wrapped(&state_counts(&states)));
        line(&mut text, "outcomes", wrapped(&outcome_counts(&outcomes)));
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(State::ALL.iter().all(|state| text.contains(&format!("1000 {}", state.label()))), "{text}");
        assert!(Outcome::ALL.iter().all(|outcome| text.contains(&format!("1000 × {}", outcome.label()))), "{text}");
    }

    #[test]
    fn each_kind_of_need_names_its_own_command() {
        assert_eq!(where_to_look(1, 0, 0), "`callrounds resolve` shows who, why, and what settles it");
        assert_eq!(where_to_look(2, 2, 0), "`callrounds review` shows who, and what was said");
        assert_eq!(where_to_look(1, 0, 1), "`callrounds worklist` shows who, since their reminder came too late");
        assert_eq!(
            where_to_look(6, 1, 2),
            "`callrounds review` shows 1 of them, and what was said; `callrounds worklist` shows 2 of them, since their \
             reminder came too late; `callrounds resolve` shows 3 of them, why, and what settles it"
        );
    }

    #[test]
    fn a_sentence_is_wrapped_between_words_and_never_in_a_command() {
        let text =
            "1 patient or household needs a person to decide: `callrounds resolve` shows who, why, and what settles it";
        let expected = "1 patient or household needs a person to decide:\n                `callrounds resolve` shows who, why, and what settles it";
        assert_eq!(sentence(text), expected);
        assert_eq!(sentence("nothing is left to call"), "nothing is left to call");
    }

    #[test]
    fn patients_are_counted_by_state_and_a_household_once() {
        let entries = BTreeMap::from([(State::Finished, 55), (State::Suppressed, 3)]);
        assert_eq!(patients(&entries, 0), "55 finished, 3 not to be called");
        assert_eq!(patients(&entries, 4), "55 finished, 3 not to be called; a household counts once");
    }

    #[test]
    fn calls_are_counted_by_result() {
        let cases = [
            ((0, 0, 0, 0, 0, 0), "none placed by this run"),
            ((90, 90, 0, 0, 0, 0), "90 placed by this run, all of them over"),
            ((90, 90, 2, 1, 0, 0), "90 placed by this run, 2 not placed, 1 maybe placed"),
            ((9, 7, 1, 2, 0, 0), "9 placed by this run, 2 not seen to end yet, 1 not placed, 2 maybe placed"),
            ((1, 1, 0, 0, 1, 0), "1 placed by this run, 1 maybe placed and held: the vendor's list did not settle it"),
            ((0, 0, 0, 0, 0, 3), "none placed by this run, 3 taken over from the vendor's list"),
        ];
        for ((placed, ended, not_placed, unresolved, absent, taken_over), expected) in cases {
            let counts = AttemptCounts { placed, ended, unclassified: 0, not_placed, unresolved, absent, taken_over };
            assert_eq!(calls(counts).join(", "), expected);
        }
    }
}
