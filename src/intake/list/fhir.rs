//! FHIR R4: converts a Bundle of `Patient` and `Appointment` resources, or such resources one after the other, to CSV.
//! There is one row for each patient or, if the campaign's entries are appointments, one for each appointment.
//!
//! The appointments are kept in memory, a few hundred bytes each and bounded in total, because a Bundle may have
//! appointments and patients in any order.
//!
//! Parsing is lenient: an element that is missing, or has another type, becomes an empty cell.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::csv_spool::{CsvSpool, spool_csv};
use super::expectations::RowPer;
use super::json::{JsonRows, Wrapping};
use super::source::ListOrigin;
use crate::intake::error::ListError;

/// The columns, under names that the intake recognises.
const COLUMNS: [&str; 18] = [
    "patient_id",
    "first_name",
    "last_name",
    "full_name",
    "preferred_name",
    "date_of_birth",
    "phone",
    "other_phone",
    "active",
    "deceased",
    "language",
    "state",
    "postcode",
    "next_appointment",
    "appointment_id",
    "appointment_start",
    "appointment_end",
    "appointment_description",
];

/// Whether a JSON text holds FHIR resources, judged by its first element.
pub(super) fn is_fhir(mut elements: JsonRows) -> Result<bool, ListError> {
    let Some(element) = elements.element()? else { return Ok(false) };
    Ok(resource_of(element.text).is_some())
}

/// Converts the resources to CSV. Each call of `elements` reads them from the start.
pub(super) fn to_csv(
    origin: &ListOrigin,
    elements: impl Fn() -> Result<JsonRows, ListError>,
    row_per: RowPer,
    now: DateTime<Utc>,
) -> Result<ListOrigin, ListError> {
    let mut appointments = FhirAppointments::collect(elements()?)?;
    spool_csv(origin.modified(), |rows| {
        rows.write_row(1, COLUMNS)?;
        let mut elements = elements()?;
        while let Some(element) = elements.element()? {
            let Some(resource) = resource_of(element.text) else { continue };
            if text(&resource.body, "/resourceType") == "Patient" {
                let patient = FhirPatient { line: element.line, body: &resource.body, full_url: &resource.full_url };
                patient.write(&appointments, row_per, now, rows)?;
                if row_per == RowPer::Appointment {
                    appointments.mark_matched(&patient);
                }
            }
        }
        if row_per == RowPer::Appointment { appointments.write_orphans(rows) } else { Ok(()) }
    })
}

/// A resource from a Bundle's `entry`, or a bare one.
struct Resource {
    body: Value,
    full_url: String,
}

fn resource_of(element: &[u8]) -> Option<Resource> {
    let mut value: Value = serde_json::from_slice(element).ok()?;
    let full_url = text(&value, "/fullUrl").to_owned();
    let body = match value.get_mut("resource") {
        Some(resource) => resource.take(),
        None => value,
    };
    body.get("resourceType")?.as_str()?;
    Some(Resource { body, full_url })
}

/// The text at a JSON pointer; empty if there is none.
fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn elements<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// An appointment that is still to take place.
struct FhirAppointment {
    line: u64,
    id: String,
    start: String,
    end: String,
    description: String,
}

/// The maximum estimated memory of the appointments, in bytes: enough for several hundred thousand.
const MAX_BYTES: usize = 150 << 20;

/// The estimated memory of an appointment or of a reference to a patient, in bytes, without its texts.
const OVERHEAD: usize = 128;

impl FhirAppointment {
    /// The estimated memory in bytes.
    fn bytes(&self) -> usize {
        OVERHEAD + [&self.id, &self.start, &self.end, &self.description].iter().map(|text| text.len()).sum::<usize>()
    }

    fn starts(&self) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc3339(&self.start).ok().map(|start| start.to_utc())
    }
}

/// The appointments that are still to take place, by their references to patients.
struct FhirAppointments {
    by_patient: HashMap<String, Vec<Rc<FhirAppointment>>>,
    /// The references for which the Bundle has a patient.
    matched: HashSet<String>,
}

impl FhirAppointments {
    fn collect(mut resources: JsonRows) -> Result<Self, ListError> {
        let mut by_patient: HashMap<String, Vec<Rc<FhirAppointment>>> = HashMap::new();
        let mut left = MAX_BYTES;
        while let Some(element) = resources.element()? {
            let Some(Resource { body, .. }) = resource_of(element.text) else { continue };
            if text(&body, "/resourceType") != "Appointment" || !is_open(text(&body, "/status")) {
                continue;
            }
            let appointment = Rc::new(read_appointment(element.line, &body));
            let mut bytes = appointment.bytes();
            for reference in elements(&body, "/participant").filter_map(patient_reference) {
                bytes += OVERHEAD + reference.len();
                left = left.checked_sub(bytes).ok_or(ListError::TooManyAppointments)?;
                bytes = 0;
                by_patient.entry(reference).or_default().push(Rc::clone(&appointment));
            }
        }
        Ok(Self { by_patient, matched: HashSet::new() })
    }

    fn mark_matched(&mut self, patient: &FhirPatient<'_>) {
        self.matched.extend(patient.references().filter(|reference| self.by_patient.contains_key(reference)));
    }

    /// Writes the appointments whose patients are not in the Bundle, as rows without a phone number: they are rejected
    /// and so reported.
    fn write_orphans(&self, rows: &mut CsvSpool<'_>) -> Result<(), ListError> {
        let orphans = self.by_patient.iter().filter(|(reference, _)| !self.matched.contains(*reference));
        let mut orphans: Vec<_> =
            orphans.flat_map(|(reference, all)| all.iter().map(move |one| (reference, one))).collect();
        orphans.sort_by_key(|(_, appointment)| appointment.line);
        for (reference, appointment) in orphans {
            let mut cells = [""; COLUMNS.len()];
            cells[0] = reference.rsplit('/').next().unwrap_or_default();
            fill_appointment(&mut cells, appointment);
            rows.write_row(appointment.line, cells)?;
        }
        Ok(())
    }
}

/// Whether an appointment of this status is still to take place: not cancelled, fulfilled or missed.
fn is_open(status: &str) -> bool {
    matches!(status, "booked" | "pending" | "proposed" | "arrived" | "checked-in")
}

/// `Patient/123`, without the URL in front of it and the version after it; or a `urn:uuid:` reference.
fn patient_reference(participant: &Value) -> Option<String> {
    let reference = text(participant, "/actor/reference");
    let at = reference.rfind("Patient/");
    match at {
        Some(at) => Some(reference[at..].split("/_history").next().unwrap_or_default().to_owned()),
        None if reference.starts_with("urn:uuid:") => Some(reference.to_owned()),
        None => None,
    }
}

fn read_appointment(line: u64, body: &Value) -> FhirAppointment {
    let owned = |pointer: &str| text(body, pointer).to_owned();
    let kinds = ["/description", "/appointmentType/text", "/appointmentType/coding/0/display", "/serviceType/0/text"];
    let description = kinds.into_iter().map(owned).find(|kind| !kind.is_empty()).unwrap_or_default();
    FhirAppointment { line, id: owned("/id"), start: owned("/start"), end: owned("/end"), description }
}

fn fill_appointment<'a>(cells: &mut [&'a str; COLUMNS.len()], appointment: &'a FhirAppointment) {
    let FhirAppointment { id, start, end, description, .. } = appointment;
    (cells[14], cells[15], cells[16], cells[17]) = (id, start, end, description);
}

/// A `Patient` resource.
struct FhirPatient<'v> {
    line: u64,
    body: &'v Value,
    full_url: &'v str,
}

impl<'v> FhirPatient<'v> {
    fn references(&self) -> impl Iterator<Item = String> {
        [format!("Patient/{}", text(self.body, "/id")), self.full_url.to_owned()].into_iter()
    }

    fn write(
        &self,
        appointments: &FhirAppointments,
        row_per: RowPer,
        now: DateTime<Utc>,
        rows: &mut CsvSpool<'_>,
    ) -> Result<(), ListError> {
        let (phone, others) = self.phones(now);
        let mut cells = [""; COLUMNS.len()];
        self.fill_name(&mut cells);
        (cells[0], cells[5]) = (text(self.body, "/id"), text(self.body, "/birthDate"));
        (cells[6], cells[7]) = (&phone, &others);
        (cells[8], cells[9]) = (self.flag("/active"), self.deceased());
        cells[10] = self.language();
        let address = elements(self.body, "/address").find(|address| !has_ended(address, now));
        cells[11] = address.map_or("", |address| text(address, "/state"));
        cells[12] = address.map_or("", |address| text(address, "/postalCode"));
        let references: Vec<String> = self.references().collect();
        let own: Vec<&FhirAppointment> = references
            .iter()
            .filter_map(|reference| appointments.by_patient.get(reference))
            .flatten()
            .map(Rc::as_ref)
            .collect();
        match row_per {
            RowPer::Patient => {
                let next = own.iter().filter(|one| one.starts().is_some_and(|start| start > now));
                let next = next.min_by_key(|one| one.starts());
                cells[13] = next.map_or("", |appointment| &appointment.start);
                rows.write_row(self.line, cells)
            }
            RowPer::Appointment => own.into_iter().try_for_each(|appointment| {
                fill_appointment(&mut cells, appointment);
                rows.write_row(self.line, cells)
            }),
        }
    }

    /// Fills in the official name, or else the usual one, one without a use, or any other; and the nickname.
    fn fill_name(&self, cells: &mut [&'v str; COLUMNS.len()]) {
        let rank = |name: &&Value| match text(name, "/use") {
            "official" => 0,
            "usual" => 1,
            "" => 2,
            "nickname" => 4,
            _ => 3,
        };
        let Some(name) = elements(self.body, "/name").min_by_key(rank) else { return };
        (cells[1], cells[2], cells[3]) = (text(name, "/given/0"), text(name, "/family"), text(name, "/text"));
        let nickname = elements(self.body, "/name").find(|name| text(name, "/use") == "nickname");
        cells[4] = nickname.map_or("", |name| text(name, "/given/0"));
    }

    /// The best phone number, and the others in one cell, sorted by rank, then by use. Old and expired numbers are
    /// omitted.
    fn phones(&self, now: DateTime<Utc>) -> (String, String) {
        let mut phones: Vec<&Value> = elements(self.body, "/telecom")
            .filter(|point| matches!(text(point, "/system"), "phone" | "sms"))
            .filter(|point| text(point, "/use") != "old" && !has_ended(point, now))
            .collect();
        phones.sort_by_key(|point| {
            let rank = point.get("rank").and_then(Value::as_u64).unwrap_or(u64::MAX);
            let uses = ["mobile", "", "home", "temp", "work"];
            (rank, uses.iter().position(|one| *one == text(point, "/use")).unwrap_or(uses.len()))
        });
        let mut texts = phones.into_iter().map(|point| text(point, "/value"));
        let best = texts.next().unwrap_or_default().to_owned();
        (best, texts.collect::<Vec<_>>().join(" / "))
    }

    fn flag(&self, pointer: &str) -> &'static str {
        match self.body.pointer(pointer).and_then(Value::as_bool) {
            Some(true) => "true",
            Some(false) => "false",
            None => "",
        }
    }

    fn deceased(&self) -> &'v str {
        match text(self.body, "/deceasedDateTime") {
            "" => self.flag("/deceasedBoolean"),
            date => date,
        }
    }

    fn language(&self) -> &'v str {
        let preferred = |one: &&Value| one.get("preferred").and_then(Value::as_bool) == Some(true);
        let all = || elements(self.body, "/communication");
        let one = all().find(preferred).or_else(|| all().next());
        one.map_or("", |one| text(one, "/language/coding/0/code"))
    }
}

/// Whether the period of a contact point or an address has ended.
fn has_ended(point: &Value, now: DateTime<Utc>) -> bool {
    let end = text(point, "/period/end");
    !end.is_empty() && end.get(..10).unwrap_or(end) < now.format("%Y-%m-%d").to_string().as_str()
}

/// Refuses a Bundle that is one page of a search: the patients on the other pages would silently be left out.
pub(super) fn require_whole_bundle(wrapping: &Wrapping) -> Result<(), ListError> {
    match wrapping {
        Wrapping::Bundle { has_next: true } => Err(ListError::OnePage),
        Wrapping::Bundle { has_next: false } | Wrapping::Array | Wrapping::Key(_) | Wrapping::Bare => Ok(()),
    }
}
