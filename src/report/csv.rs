//! A run as CSV: one row per patient. The export can be read back in as a list.

use std::io::Write;

use crate::entry::{Doubt, Outcome, Reason, State};
use crate::ledger::EntryRow;
use crate::visible::cell_without_formula;
use crate::zone::Zone;

use super::exporter::{ExportError, Exporter};
use super::summary::RunSummary;

/// The columns, in order.
pub(super) const HEADER: [&str; 15] = [
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
];

/// The index of the column with the count of calls.
pub(super) const CALLS: usize = 10;

/// Writes a report row by row.
pub struct CsvExporter<'o> {
    out: csv::Writer<&'o mut dyn Write>,
}

impl<'o> Exporter<'o> for CsvExporter<'o> {
    fn begin(out: &'o mut dyn Write, _: &RunSummary, _: &Zone) -> Result<Self, ExportError> {
        let mut out = csv::Writer::from_writer(out);
        out.write_record(HEADER)?;
        Ok(Self { out })
    }

    fn row(&mut self, row: EntryRow) -> Result<(), ExportError> {
        Ok(self.out.write_record(cells(&row).iter().map(|cell| cell_without_formula(cell).into_owned()))?)
    }

    fn finish(mut self) -> Result<(), ExportError> {
        Ok(self.out.flush()?)
    }
}

impl From<csv::Error> for ExportError {
    fn from(error: csv::Error) -> Self {
        let text = error.to_string();
        if let csv::ErrorKind::Io(error) = error.into_kind() { Self::Output(error) } else { Self::Format(text) }
    }
}

/// A patient's cells.
pub(super) fn cells(row: &EntryRow) -> [String; HEADER.len()] {
    let patient = &row.patient;
    let instant = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    let key = row.key.parts().collect::<Vec<_>>().join(" ");
    [
        patient.patient_id.clone().unwrap_or(key),
        patient.first_name.clone(),
        patient.last_name.clone().unwrap_or_default(),
        patient.date_of_birth.map(|date| date.to_string()).unwrap_or_default(),
        row.phone.expose(),
        if must_not_be_called(row.state, row.reason, row.outcome) { "yes".into() } else { String::new() },
        row.entry.to_string(),
        state_word(row).into(),
        row.outcome.map(|outcome| outcome.name().into()).unwrap_or_default(),
        row.reason.map(|reason: Reason| reason.name().into()).unwrap_or_default(),
        row.calls.to_string(),
        instant(row.last_call_at).unwrap_or_default(),
        instant(row.due_at).unwrap_or_default(),
        row.conversation.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default(),
        row.location.as_ref().map(|location| location.as_str().to_owned()).unwrap_or_default(),
    ]
}

/// The machine word for a patient's state; a household member covered by another's call has its own word.
pub(super) fn state_word(row: &EntryRow) -> &'static str {
    if row.covered_by_household { "covered_by_household" } else { row.state.name() }
}

/// Whether the exported row gets `do_not_call`. Otherwise a campaign that reads the report as its list would call a patient
/// although a rule or a conversation has excluded further calls.
fn must_not_be_called(state: State, reason: Option<Reason>, outcome: Option<Outcome>) -> bool {
    let settled = [Outcome::OptOut, Outcome::WrongNumber, Outcome::DeceasedOrMoved, Outcome::InvalidNumber];
    let is_in_doubt = Doubt::ALL.into_iter().any(|doubt| reason == Some(doubt.reason()));
    state == State::Suppressed || is_in_doubt || outcome.is_some_and(|outcome| settled.contains(&outcome))
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
        ];
        for (state, reason, outcome, expected) in cases {
            assert_eq!(must_not_be_called(state, reason, outcome), expected, "{state} {outcome:?}");
        }
    }

    #[test]
    fn a_reader_that_stops_reading_is_known_as_such() {
        let closed = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        let error = ExportError::from(csv::Error::from(closed));
        assert!(
            matches!(&error, ExportError::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe),
            "{error}"
        );
    }

    #[test]
    fn no_cell_is_a_formula() {
        for cell in ["=1+1", "+13125550142", "-2", "@SUM(A1)", "\tx"] {
            assert_eq!(cell_without_formula(cell), format!("'{cell}"));
        }
        assert_eq!(cell_without_formula("O'Brien"), "O'Brien");
    }
}
