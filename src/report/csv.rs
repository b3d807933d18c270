//! A run as CSV: one row per patient. The export can be read back in as a list.

use std::io::Write;

use crate::entry::{Doubt, Outcome, Reason, State};
use crate::ids::EntryKey;
use crate::ledger::EntryRow;
use crate::zone::Zone;

use super::exporter::{ExportError, Exporter};
use super::summary::RunSummary;
use super::table::CsvTable;

/// The columns, in order.
pub(super) const HEADER: [&str; 17] = [
    "patient_id",
    "first_name",
    "last_name",
    "date_of_birth",
    "phone",
    "do_not_call",
    "entry",
    "state",
    "outcome",
    "reason",
    "calls",
    "last_call_at",
    "due_at",
    "conversation_id",
    "location",
    "covered_by",
    "number_suppressed",
];

/// The index of the column with the count of calls.
pub(super) const CALLS: usize = 10;

/// Writes a report row by row.
pub struct CsvExporter<'o>(CsvTable<'o>);

impl<'o> Exporter<'o> for CsvExporter<'o> {
    fn begin(out: &'o mut dyn Write, _: &RunSummary, _: &Zone) -> Result<Self, ExportError> {
        Ok(Self(CsvTable::begin(out, &HEADER)?))
    }

    fn row(&mut self, row: EntryRow) -> Result<(), ExportError> {
        self.0.row(&cells(&row))
    }

    fn finish(self) -> Result<(), ExportError> {
        self.0.finish()
    }
}

/// A patient's cells.
pub(super) fn cells(row: &EntryRow) -> [String; HEADER.len()] {
    let patient = &row.patient;
    let is_barred_by_list = row.demanded_by_list == Some(State::Suppressed);
    let instant = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    [
        patient.id_or_key(&row.key),
        patient.first_name.clone(),
        patient.last_name.clone().unwrap_or_default(),
        patient.date_of_birth.map(|date| date.to_string()).unwrap_or_default(),
        row.phone.expose(),
        yes_if(row.number_suppressed || is_barred_by_list || must_not_be_called(row.state, row.reason, row.outcome)),
        row.entry.to_string(),
        state_word(row).into(),
        row.outcome.map(|outcome| outcome.name().into()).unwrap_or_default(),
        row.reason.map(|reason: Reason| reason.name().into()).unwrap_or_default(),
        row.calls.to_string(),
        instant(row.last_call_at).unwrap_or_default(),
        instant(row.due_at).unwrap_or_default(),
        row.conversation.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default(),
        row.location.as_ref().map(|location| location.as_str().to_owned()).unwrap_or_default(),
        row.covered_by.as_ref().map(EntryKey::shown).unwrap_or_default(),
        yes_if(row.number_suppressed),
    ]
}

fn yes_if(is_so: bool) -> String {
    if is_so { "yes".into() } else { String::new() }
}

/// The machine word for a patient's state; a household member covered by another's call has its own word.
#[must_use]
pub fn state_word(row: &EntryRow) -> &'static str {
    if row.covered_by_household { "covered_by_household" } else { row.state.name() }
}

/// The words for a patient's state, of [`state_word`].
#[must_use]
pub fn state_label(row: &EntryRow) -> &'static str {
    if row.covered_by_household { "with the household" } else { row.state.label() }
}

/// Whether the exported row gets `do_not_call`. Otherwise a campaign that reads the report as its list would call a patient
/// although a rule or a conversation has excluded further calls.
fn must_not_be_called(state: State, reason: Option<Reason>, outcome: Option<Outcome>) -> bool {
    let settled = [Outcome::OptOut, Outcome::DeceasedOrMoved];
    let is_in_doubt = Doubt::ALL.into_iter().any(|doubt| reason == Some(doubt.reason()));
    // A number after the wrong one may be called.
    let is_wrong = state == State::Finished && outcome.is_some_and(Outcome::means_wrong_number);
    let is_settled = outcome.is_some_and(|outcome| settled.contains(&outcome));
    state == State::Suppressed || is_in_doubt || is_wrong || is_settled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_not_to_be_called_stays_so_when_the_report_is_read_back() {
        let cases = [
            (State::Suppressed, None, None, true),
            (State::Held, Some(Reason::PossibleOptOut), Some(Outcome::Declined), true),
            (State::Held, Some(Reason::AnswerLost), None, false),
            (State::Finished, None, Some(Outcome::OptOut), true),
            (State::Finished, None, Some(Outcome::WrongNumber), true),
            (State::Finished, None, Some(Outcome::NoAnswer), false),
            (State::Waiting, None, Some(Outcome::Busy), false),
            (State::Ready, None, None, false),
            (State::Waiting, None, Some(Outcome::WrongNumber), false),
            (State::Ready, None, Some(Outcome::InvalidNumber), false),
        ];
        for (state, reason, outcome, expected) in cases {
            assert_eq!(must_not_be_called(state, reason, outcome), expected, "{state} {outcome:?}");
        }
    }
}
