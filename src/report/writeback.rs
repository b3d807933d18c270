//! A write-back file: the calls of a batch for the practice's own software, in each format. What cannot be written is
//! returned, never left out in silence.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::campaign::{Campaign, Purpose, WritebackField};
use crate::entry::{Outcome, PatientInfo};
use crate::ids::{AttemptId, EntryId, EntryKey};
use crate::ledger::Contact;
use crate::zone::Zone;

use super::exporter::ExportError;
use super::said_words;
use super::table::CsvTable;

/// The format of a write-back file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WritebackFormat {
    /// Requests to the Open Dental API as JSON lines.
    OpenDental,
    /// One row for each patient of each call, with the campaign's column names.
    Csv,
    /// One line for each patient, ready to paste.
    Notes,
}

impl WritebackFormat {
    /// Its word in the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenDental => "open-dental",
            Self::Csv => "csv",
            Self::Notes => "notes",
        }
    }
}

/// A rendered batch.
#[derive(Default)]
pub struct RenderedBatch {
    /// The bytes of the file.
    pub content: Vec<u8>,
    /// The calls that it tells.
    pub calls: Vec<AttemptId>,
    /// What it does not tell.
    pub unwritten: Vec<Unwritten>,
}

/// What cannot be written of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unwritten {
    /// The entry.
    pub entry: EntryId,
    /// Why.
    pub why: UnwrittenReason,
}

/// Why something cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnwrittenReason {
    /// A patient of the call has no number at the practice.
    NoPatientId,
    /// A patient's number at the practice is no whole number, as Open Dental's are.
    PatientIdNotAWholeNumber,
    /// Nothing is known any more of a patient of the call.
    PatientRemoved,
    /// The appointment has no number, or none that is a whole number: it cannot be marked as confirmed.
    AppointmentIdNotAWholeNumber,
}

impl UnwrittenReason {
    /// Whether the whole call is left out, and waits for a later batch.
    #[must_use]
    pub fn waits(self) -> bool {
        match self {
            Self::NoPatientId | Self::PatientIdNotAWholeNumber => true,
            Self::PatientRemoved | Self::AppointmentIdNotAWholeNumber => false,
        }
    }
}

impl fmt::Display for UnwrittenReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPatientId => "a patient has no patient_id; the call waits for a later batch",
            Self::PatientIdNotAWholeNumber => {
                "a patient_id is not a whole number, as PatNum must be; the call waits for a later batch"
            }
            Self::PatientRemoved => "a patient's data was removed from the ledger; the call can no longer be written",
            Self::AppointmentIdNotAWholeNumber => {
                "the appointment has no id that is a whole number, as AptNum must be: mark it as confirmed by hand"
            }
        })
    }
}

/// A request to the practice's software.
#[derive(Serialize)]
struct ApiRequest<B> {
    method: &'static str,
    path: String,
    body: B,
}

/// The body of `POST /commlogs`.
#[derive(Serialize)]
struct Commlog {
    #[serde(rename = "PatNum")]
    patient: u64,
    #[serde(rename = "Note")]
    note: String,
    /// Local time, `yyyy-MM-dd HH:mm:ss`.
    #[serde(rename = "CommDateTime")]
    at: String,
    #[serde(rename = "Mode_")]
    mode: &'static str,
    #[serde(rename = "SentOrReceived")]
    direction: &'static str,
}

/// The body of `PUT /appointments/{AptNum}/Confirm`.
#[derive(Serialize)]
struct Confirmation {
    #[serde(rename = "confirmVal")]
    value: &'static str,
}

/// Renders a campaign's calls.
pub fn render(
    format: WritebackFormat,
    contacts: &[Contact],
    campaign: &Campaign,
) -> Result<RenderedBatch, ExportError> {
    match format {
        WritebackFormat::OpenDental => open_dental(contacts, campaign),
        WritebackFormat::Csv => csv(contacts, campaign),
        WritebackFormat::Notes => Ok(notes(contacts, campaign)),
    }
}

/// The patients of a call, or why they cannot be written. A call is told for all of its patients or for none.
fn patients(contact: &Contact) -> Result<Vec<&PatientInfo>, UnwrittenReason> {
    let covered = contact.covered.iter().map(Option::as_ref);
    let all: Option<Vec<_>> = std::iter::once(Some(&contact.patient)).chain(covered).collect();
    let all = all.filter(|all| all.iter().all(|patient| **patient != PatientInfo::default()));
    all.ok_or(UnwrittenReason::PatientRemoved)
}

fn open_dental(contacts: &[Contact], campaign: &Campaign) -> Result<RenderedBatch, ExportError> {
    let mut batch = RenderedBatch::default();
    for contact in contacts {
        let numbers = patients(contact).and_then(|patients| patients.into_iter().map(patient_number).collect());
        let numbers: Vec<u64> = match numbers {
            Ok(numbers) => numbers,
            Err(why) => {
                batch.unwritten.push(Unwritten { entry: contact.entry, why });
                continue;
            }
        };
        for patient in numbers {
            push_line(&mut batch.content, &commlog(patient, contact, campaign))?;
        }
        if contact.outcome == Outcome::Confirmed {
            if let Some(number) = appointment_number(contact) {
                push_line(&mut batch.content, &confirmation(number))?;
            } else {
                let why = UnwrittenReason::AppointmentIdNotAWholeNumber;
                batch.unwritten.push(Unwritten { entry: contact.entry, why });
            }
        }
        batch.calls.push(contact.attempt);
    }
    Ok(batch)
}

fn commlog(patient: u64, contact: &Contact, campaign: &Campaign) -> ApiRequest<Commlog> {
    let at = zone(contact, campaign).local(contact.called_at).format("%Y-%m-%d %H:%M:%S").to_string();
    let note = note(contact, campaign);
    let body = Commlog { patient, note, at, mode: "Phone", direction: "Sent" };
    ApiRequest { method: "POST", path: "/commlogs".into(), body }
}

fn confirmation(appointment: u64) -> ApiRequest<Confirmation> {
    let path = format!("/appointments/{appointment}/Confirm");
    ApiRequest { method: "PUT", path, body: Confirmation { value: "Confirmed" } }
}

fn patient_number(patient: &PatientInfo) -> Result<u64, UnwrittenReason> {
    let id = patient.patient_id.as_deref().ok_or(UnwrittenReason::NoPatientId)?;
    whole_number(id).ok_or(UnwrittenReason::PatientIdNotAWholeNumber)
}

fn appointment_number(contact: &Contact) -> Option<u64> {
    whole_number(contact.appointment.as_ref()?.id.as_deref()?)
}

/// A number of digits only, above 0.
fn whole_number(id: &str) -> Option<u64> {
    let id = id.trim();
    let is_digits = id.bytes().all(|byte| byte.is_ascii_digit());
    id.parse().ok().filter(|number| is_digits && *number > 0 && i64::try_from(*number).is_ok())
}

fn push_line(content: &mut Vec<u8>, value: &impl Serialize) -> Result<(), ExportError> {
    serde_json::to_writer(&mut *content, value).map_err(std::io::Error::from)?;
    content.push(b'\n');
    Ok(())
}

fn csv(contacts: &[Contact], campaign: &Campaign) -> Result<RenderedBatch, ExportError> {
    let mut batch = RenderedBatch::default();
    let mut content = Vec::new();
    let columns = &campaign.writeback.columns;
    let header: Vec<&str> = columns.iter().map(|(_, name)| name.as_str()).collect();
    let mut table = CsvTable::begin(&mut content, &header)?;
    for contact in contacts {
        match patients(contact) {
            Ok(patients) => {
                for patient in patients {
                    let cell = |(field, _): &(WritebackField, String)| cell(*field, patient, contact, campaign);
                    table.row(&columns.iter().map(cell).collect::<Vec<_>>())?;
                }
                batch.calls.push(contact.attempt);
            }
            Err(why) => batch.unwritten.push(Unwritten { entry: contact.entry, why }),
        }
    }
    table.finish()?;
    Ok(RenderedBatch { content, ..batch })
}

fn cell(field: WritebackField, patient: &PatientInfo, contact: &Contact, campaign: &Campaign) -> String {
    match field {
        WritebackField::PatientId => patient.patient_id.clone().unwrap_or_default(),
        WritebackField::FirstName => patient.first_name.clone(),
        WritebackField::LastName => patient.last_name.clone().unwrap_or_default(),
        WritebackField::DateOfBirth => patient.date_of_birth.map(|date| date.to_string()).unwrap_or_default(),
        WritebackField::Phone => contact.phone.expose(),
        WritebackField::CalledAt => minute(contact.called_at, zone(contact, campaign)),
        WritebackField::Outcome => contact.outcome.name().into(),
        WritebackField::Note => note(contact, campaign),
        WritebackField::AppointmentId => {
            contact.appointment.as_ref().and_then(|appointment| appointment.id.clone()).unwrap_or_default()
        }
        WritebackField::Location => {
            contact.location.as_ref().map(|location| location.as_str().to_owned()).unwrap_or_default()
        }
        WritebackField::Entry => contact.entry.to_string(),
        WritebackField::Call => contact.number.to_string(),
    }
}

/// A line for each patient, with all of its calls.
fn notes(contacts: &[Contact], campaign: &Campaign) -> RenderedBatch {
    let mut batch = RenderedBatch::default();
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut line_of: BTreeMap<(EntryKey, usize), usize> = BTreeMap::new();
    for contact in contacts {
        match patients(contact) {
            Ok(patients) => {
                for (at, patient) in patients.into_iter().enumerate() {
                    let id = patient.patient_id.as_deref().unwrap_or_default();
                    let start = format!("{}\t{}", one_line(id), one_line(&patient.full_name()));
                    let line = *line_of.entry((contact.key.clone(), at)).or_insert_with(|| {
                        lines.push((start, String::new()));
                        lines.len() - 1
                    });
                    let text = &mut lines[line].1;
                    *text += if text.is_empty() { "" } else { " " };
                    *text += &note(contact, campaign);
                }
                batch.calls.push(contact.attempt);
            }
            Err(why) => batch.unwritten.push(Unwritten { entry: contact.entry, why }),
        }
    }
    batch.content = lines.into_iter().flat_map(|(start, text)| format!("{start}\t{text}\n").into_bytes()).collect();
    batch
}

/// The call in one line.
fn note(contact: &Contact, campaign: &Campaign) -> String {
    let purpose = match campaign.purpose {
        Purpose::Recall => "recall",
        Purpose::Reminder => "reminder",
        Purpose::FollowUp => "follow-up",
    };
    let (at, to) = (minute(contact.called_at, zone(contact, campaign)), contact.phone.expose());
    let household = if contact.covered.is_empty() { "" } else { " for the household" };
    let outcome = contact.outcome.label();
    let said = contact.words.as_ref().map(said_words::in_one_line).filter(|line| !line.is_empty());
    let said = said.map_or_else(String::new, |line| format!(" {line}."));
    let source = format!("(callrounds #{}, call {})", contact.entry, contact.number);
    one_line(&format!("Automated {purpose} call{household} on {at} to {to}: {outcome}.{said} {source}"))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn zone<'c>(contact: &Contact, campaign: &'c Campaign) -> &'c Zone {
    &campaign.practice_at(contact.location.as_ref()).unwrap_or(&campaign.practice).zone
}

fn minute(at: DateTime<Utc>, zone: &Zone) -> String {
    zone.local(at).format("%Y-%m-%d %H:%M").to_string()
}
