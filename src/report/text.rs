//! A run for people.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};

use comfy_table::{Table, presets};

use crate::engine::Requests;
use crate::entry::{ListTally, State};
use crate::error::Exit;
use crate::ids::Location;
use crate::ledger::{AttemptCounts, EntryRow, ListChanges};
use crate::visible;
use crate::zone::Zone;

use super::summary::Summary;

/// What fits beside a label on a terminal of 80 columns.
const COLUMNS: usize = 62;

/// Locations shown in a summary.
const LOCATIONS: usize = 20;

/// Endings that a sentence explains.
const EXPLAINED: [&str; 6] = ["stop_rule", "exclusions", "vendor_refused", "behind", "clock", "paused"];

/// The summary of a run, in a few lines; instants in the practice's zone.
#[must_use]
pub fn summary(summary: &Summary, zone: &Zone) -> String {
    let mut text = String::new();
    let Summary { run, campaign, list, attempts, .. } = summary;
    line(&mut text, "", format_args!("{campaign}, run {run}: {}", how_it_ended(summary)));
    let is_explained = summary.ending.as_deref().is_some_and(|ending| EXPLAINED.contains(&ending));
    if let Some(why) = summary.why.as_ref().filter(|_| is_explained) {
        line(&mut text, "why", visible::value(why));
    }
    line(&mut text, "list", rows(list));
    if let Some(changes) = changes(summary) {
        line(&mut text, "changes", changes);
    }
    line(&mut text, "entries", listed(&summary.entries));
    if !summary.earlier_entries.is_empty() {
        line(&mut text, "earlier lists", listed(&summary.earlier_entries));
    }
    locations(&mut text, &summary.locations);
    if !summary.outcomes.is_empty() {
        line(&mut text, "outcomes", listed(&summary.outcomes));
    }
    for (reason, count) in &summary.reasons {
        line(&mut text, "reasons", format_args!("{count} × {}", lowercase(reason.says())));
    }
    line(&mut text, "calls", calls(*attempts));
    if let Some(Requests { calls, pages, conversations, other }) = summary.requests {
        let reads = pages + conversations + other;
        let requests = match calls + reads {
            0 => "none: nothing was sent".into(),
            all => format!("{all}: {calls} to call, {reads} to read"),
        };
        line(&mut text, "requests", requests);
    }
    line(&mut text, "next", what_next(summary, zone));
    text
}

/// Where each location stands; of many, those where there is something left to do or to decide.
fn locations(text: &mut String, all: &BTreeMap<Location, BTreeMap<State, u64>>) {
    let is_settled = |states: &BTreeMap<State, u64>| states.keys().all(|state| !wants_attention(*state));
    let shown: Vec<_> =
        all.iter().filter(|(_, states)| all.len() <= LOCATIONS || !is_settled(states)).take(LOCATIONS).collect();
    let mut label = "locations";
    for (location, states) in &shown {
        line(text, label, format_args!("{location}: {}", told(states)));
        label = "\u{20}";
    }
    if shown.len() < all.len() {
        line(text, label, format_args!("and {} more, in `--json`", all.len() - shown.len()));
    }
}

fn told(states: &BTreeMap<State, u64>) -> String {
    states.iter().map(|(state, count)| format!("{count} {state}")).collect::<Vec<_>>().join(", ")
}

/// Whether somebody is still to be called there, or a person must decide.
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

fn calls(attempts: AttemptCounts) -> String {
    let AttemptCounts { placed, ended, not_placed, unresolved } = attempts;
    let parts = [(placed - ended, "not seen to end yet"), (not_placed, "not placed"), (unresolved, "unresolved")];
    let open: Vec<_> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}")).collect();
    match (placed, ended) {
        (0, _) => format!("none placed by this run{}", open.concat()),
        (placed, ended) if placed == ended => format!("{placed} placed by this run, all of them over{}", open.concat()),
        (placed, _) => format!("{placed} placed by this run{}", open.concat()),
    }
}

/// What the list changed; nothing where the campaign had no entries before.
fn changes(summary: &Summary) -> Option<String> {
    let ListChanges { new, changed, renumbered, renumbered_under_way, withdrawn } = summary.changes;
    if new == summary.list.accepted && withdrawn == 0 {
        return None;
    }
    let counts = [
        (new, "new"),
        (changed, "changed"),
        (renumbered - renumbered_under_way, "with another number"),
        (renumbered_under_way, "with another number while a call to the old one is not settled"),
        (withdrawn, "withdrawn"),
    ];
    let told = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let told = told.collect::<Vec<_>>().join(", ");
    Some(if told.is_empty() { "none: the list is as it was".into() } else { told })
}

/// The first letter in lower case, for the middle of a sentence.
pub(crate) fn lowercase(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn how_it_ended(summary: &Summary) -> &str {
    match summary.ending.as_deref() {
        Some("window_closed") => "stopped, the calling window is closed",
        Some("max_calls") => "stopped, max_calls calls were placed",
        Some("stop_rule") => "stopped by a stop_on rule of the campaign",
        Some("unreachable") => "stopped, the vendor cannot be reached",
        Some("vendor_refused") => "stopped, the vendor refused us",
        Some("paused") => "paused",
        Some("exclusions") => "stopped, the exclude file cannot be read",
        Some("clock") => "stopped, this machine's clock is wrong",
        Some("behind") => "stopped, the ledger lacks calls that the vendor's list shows",
        Some("superseded") => "a later run went on",
        Some(ending) => ending,
        None if summary.ended_at.is_none() => "not ended: it goes on at the moment, or was killed",
        None => "ended",
    }
}

/// Where a list's rows went: `5 rows = 3 accepted + 1 rejected + 0 duplicate + 1 merged`.
#[must_use]
pub fn rows(list: &ListTally) -> String {
    let ListTally { read, accepted, rejected, duplicate, merged } = list;
    let noun = if *read == 1 { "row" } else { "rows" };
    format!("{read} {noun} = {accepted} accepted + {rejected} rejected + {duplicate} duplicate + {merged} merged")
}

fn listed<K: Display>(counts: &BTreeMap<K, u64>) -> String {
    let mut text = String::new();
    let mut width = 0;
    for (key, count) in counts {
        let part = format!("{count} {key}");
        if width + part.len() > COLUMNS {
            let _ = write!(text, ",\n{:16}", "");
            width = 0;
        } else if width > 0 {
            text.push_str(", ");
        }
        width += part.len() + 2;
        text.push_str(&part);
    }
    if text.is_empty() { "none".into() } else { text }
}

fn what_next(summary: &Summary, zone: &Zone) -> String {
    let due = || summary.next_due.map(|at| zone.local(at).format("%a %Y-%m-%d %H:%M").to_string());
    match summary.standing {
        Exit::DueWorkLeft => format!(
            "{} left to finish: run again{}",
            summary.due,
            due().map_or_else(String::new, |at| format!("; the next call is due on {at}"))
        ),
        Exit::NeedsAPerson => format!("{} need a person: `callrounds report` says who and why", summary.need_a_person),
        Exit::Done
        | Exit::Internal
        | Exit::Usage
        | Exit::List
        | Exit::VendorRefused
        | Exit::Ledger
        | Exit::ListProvesNothing => due().map_or_else(
            || "nothing is left to do".into(),
            |at| format!("nothing due now; the next call is due on {at}"),
        ),
    }
}

/// What a person is shown of each patient.
pub(super) const COLUMNS_OF_A_PATIENT: [&str; 8] =
    ["entry", "patient", "name", "state", "outcome", "why", "calls", "last call"];

/// The same of one patient; instants in `zone`.
pub(super) fn cells(row: &EntryRow, zone: &Zone) -> [String; COLUMNS_OF_A_PATIENT.len()] {
    let name = [Some(row.patient.first_name.as_str()), row.patient.last_name.as_deref()];
    let last_call = row.last_call_at.map(|at| zone.local(at).format("%Y-%m-%d %H:%M").to_string());
    [
        row.entry.to_string(),
        visible::value(&row.key.parts().collect::<Vec<_>>().join(" ")).into_owned(),
        visible::value(&name.into_iter().flatten().collect::<Vec<_>>().join(" ")).into_owned(),
        state(row).into(),
        row.outcome.filter(|_| row.state == State::Finished).map_or_else(String::new, |outcome| outcome.to_string()),
        row.reason.map_or_else(String::new, |reason| lowercase(reason.says())),
        row.calls.to_string(),
        last_call.unwrap_or_default(),
    ]
}

/// Collects the rows of a report, and lays them out as a table.
pub struct Rows {
    table: Table,
    zone: Zone,
}

impl Rows {
    /// No rows yet; instants in `zone`.
    #[must_use]
    pub fn new(zone: Zone) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(COLUMNS_OF_A_PATIENT);
        Self { table, zone }
    }

    /// Adds a patient.
    pub fn add(&mut self, row: &EntryRow) {
        self.table.add_row(cells(row, &self.zone));
    }

    /// The table.
    #[must_use]
    pub fn into_text(self) -> String {
        let trimmed: Vec<_> = self.table.lines().map(|line| line.trim_end().to_owned()).collect();
        trimmed.join("\n") + "\n"
    }
}

/// The word for where a patient stands: a household member's is its own.
#[must_use]
pub fn state(row: &EntryRow) -> &'static str {
    if row.covered_by_household { "covered_by_household" } else { row.state.name() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Outcome;

    #[test]
    fn every_outcome_at_once_fits_on_a_terminal_of_80_columns() {
        let counts: BTreeMap<_, _> = Outcome::ALL.iter().map(|outcome| (*outcome, 1000)).collect();
        let mut text = String::new();
        line(&mut text, "outcomes", listed(&counts));
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(Outcome::ALL.iter().all(|outcome| text.contains(&format!("1000 {outcome}"))), "{text}");
    }

    #[test]
    fn calls_say_only_what_happened() {
        let cases = [
            ((0, 0, 0, 0), "none placed by this run"),
            ((90, 90, 0, 0), "90 placed by this run, all of them over"),
            ((9, 7, 1, 2), "9 placed by this run, 2 not seen to end yet, 1 not placed, 2 unresolved"),
        ];
        for ((placed, ended, not_placed, unresolved), expected) in cases {
            assert_eq!(calls(AttemptCounts { placed, ended, not_placed, unresolved }), expected);
        }
    }
}
