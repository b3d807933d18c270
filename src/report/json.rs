//! A run as one JSON document.

use std::io::Write;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::entry::{Outcome, Reason, State};
use crate::ids::{ConversationId, EntryId, Location};
use crate::ledger::EntryRow;
use crate::visible::{self, EscapingWriter};
use crate::zone::Zone;

use super::exporter::{ExportError, Exporter};
use super::summary::RunSummary;

/// The document: the numbers, then every patient.
#[derive(Serialize, schemars::JsonSchema)]
pub struct Report {
    /// The run in numbers.
    pub summary: RunSummary,
    /// Every patient of the campaign: first those of the run's list, in its order.
    pub patients: Vec<PatientResult>,
}

/// One patient's result.
#[derive(Serialize, schemars::JsonSchema)]
pub struct PatientResult {
    /// The patient's key: one value for each key column of the campaign.
    pub key: Vec<String>,
    /// The practice's own number for the patient.
    pub patient_id: Option<String>,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: Option<String>,
    /// Date of birth.
    pub date_of_birth: Option<NaiveDate>,
    /// The number, in E.164.
    pub phone: String,
    /// The practice's location, if the campaign has locations.
    pub location: Option<Location>,
    /// The line of the list file on which the row begins, counted from 1.
    pub line: u64,
    /// The entry's number in the ledger.
    pub entry: EntryId,
    /// Covered by the entry's call to another member of the household.
    pub covered_by_household: bool,
    /// The entry's state.
    pub state: State,
    /// What the last conversation meant.
    pub outcome: Option<Outcome>,
    /// Why the entry is not being called.
    pub reason: Option<Reason>,
    /// Calls placed, or maybe placed.
    pub calls: u64,
    /// When the last of them was.
    pub last_call_at: Option<DateTime<Utc>>,
    /// When the entry is due, if it is ready or waiting.
    pub due_at: Option<DateTime<Utc>>,
    /// The last conversation.
    pub conversation_id: Option<ConversationId>,
    /// Whether the suppression list forbids the campaign's calls to the number.
    #[schemars(default)]
    pub number_suppressed: bool,
    /// The key of the patient whose entry's call covers this one.
    pub covered_by: Option<Vec<String>>,
    /// Whether the patient is on the run's own list.
    pub listed: bool,
}

impl From<EntryRow> for PatientResult {
    fn from(row: EntryRow) -> Self {
        Self {
            key: row.key.parts().map(ToOwned::to_owned).collect(),
            patient_id: row.patient.patient_id,
            first_name: row.patient.first_name,
            last_name: row.patient.last_name,
            date_of_birth: row.patient.date_of_birth,
            phone: row.phone.expose(),
            location: row.location,
            line: row.line,
            entry: row.entry,
            covered_by_household: row.covered_by_household,
            state: row.state,
            outcome: row.outcome,
            reason: row.reason,
            calls: row.calls,
            last_call_at: row.last_call_at,
            due_at: row.due_at,
            conversation_id: row.conversation,
            number_suppressed: row.number_suppressed,
            covered_by: row.covered_by.map(|key| key.parts().map(ToOwned::to_owned).collect()),
            listed: row.listed,
        }
    }
}

/// Writes a [`Report`] patient by patient.
pub struct JsonExporter<'o> {
    out: EscapingWriter<&'o mut dyn Write>,
    is_first: bool,
}

impl<'o> Exporter<'o> for JsonExporter<'o> {
    fn begin(out: &'o mut dyn Write, summary: &RunSummary, _: &Zone) -> Result<Self, ExportError> {
        let mut out = EscapingWriter::new(out, visible::json);
        write!(out, "{{\n  \"summary\": {},\n  \"patients\": [", indented(summary, "  ")?)?;
        Ok(Self { out, is_first: true })
    }

    fn row(&mut self, row: EntryRow) -> Result<(), ExportError> {
        let comma = if std::mem::take(&mut self.is_first) { "" } else { "," };
        Ok(write!(self.out, "{comma}\n    {}", indented(&PatientResult::from(row), "    ")?)?)
    }

    fn finish(mut self) -> Result<(), ExportError> {
        let end = if self.is_first { "]\n}\n" } else { "\n  ]\n}\n" };
        Ok(self.out.write_all(end.as_bytes())?)
    }
}

/// `value` as JSON in lines, each but the first after `indent`.
fn indented(value: &impl Serialize, indent: &str) -> Result<String, ExportError> {
    let text = serde_json::to_string_pretty(value).map_err(std::io::Error::from)?;
    // A line break within a string is escaped.
    Ok(text.replace('\n', &format!("\n{indent}")))
}
