//! FHIR R4: converts `Patient` and `Appointment` resources, in Bundles or one after the other, to CSV. There is one row
//! for each patient or, if the campaign's entries are appointments, one for each appointment. What cannot be read is a
//! row with a fault; resources of other types are counted.
//!
//! The appointments are kept in memory, a few hundred bytes each and bounded in total, because a Bundle may have
//! appointments and patients in any order.
//!
//! Parsing is lenient: an element that is missing, or has another type, becomes an empty cell.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::csv_spool::{CsvSpool, spool_csv};
use super::expectations::RowPer;
use super::fhir_bans::{FhirBans, is_replaced};
use super::json::{JsonElements, shown_text};
use super::json_scanner::JsonElement;
use super::row::{RowFault, RowUnit};
use super::source::ListOrigin;
use crate::intake::error::ListError;

/// The columns, under names that the intake recognises.
const COLUMNS: [&str; 20] = [
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
    "do_not_call",
    "flags",
];

/// A FHIR list as CSV.
pub(super) struct FhirRows {
    pub(super) origin: ListOrigin,
    /// The resources that are neither patients nor appointments, by type.
    pub(super) others: BTreeMap<String, u64>,
}

/// Converts the resources to CSV. Each call of `elements` reads them from the start.
pub(super) fn to_csv(
    origin: &ListOrigin,
    elements: impl Fn() -> Result<JsonElements, ListError>,
    unit: RowUnit,
    row_per: RowPer,
    now: DateTime<Utc>,
) -> Result<FhirRows, ListError> {
    let (mut appointments, bans) = FhirAppointments::collect(elements()?, unit)?;
    let (mut others, mut patients) = (BTreeMap::new(), 0_u64);
    let spooled = spool_csv(origin.modified(), |rows| {
        rows.write_row(1, COLUMNS)?;
        let mut elements = elements()?;
        while let Some(element) = elements.next()? {
            let number = element.number(unit);
            let resource = match resource_of(&element.element)? {
                Ok(resource) => resource,
                Err(fault) => {
                    patients += 1;
                    rows.write_fault(number, fault, &shown_text(element.element.text))?;
                    continue;
                }
            };
            match text(&resource.body, "/resourceType").as_ref() {
                "Patient" => {
                    patients += 1;
                    let patient = FhirPatient { number, body: &resource.body, full_url: &resource.full_url };
                    patient.write(&appointments, &bans, row_per, now, rows)?;
                    if row_per == RowPer::Appointment {
                        appointments.mark_matched(&patient);
                    }
                }
                "Appointment" => {}
                other => *others.entry(shown_type(other)).or_insert(0) += 1,
            }
        }
        if row_per == RowPer::Appointment { appointments.write_orphans(rows) } else { Ok(()) }
    })?;
    if patients == 0 && !others.is_empty() && appointments.by_patient.is_empty() {
        return Err(ListError::NoPatientResource { kinds: others.into_keys().collect() });
    }
    Ok(FhirRows { origin: spooled, others })
}

/// The name of a resource's type, if it is one; anything else could be a patient's data.
fn shown_type(name: &str) -> String {
    const TYPES: [&str; 34] = [
        "Account",
        "AllergyIntolerance",
        "AppointmentResponse",
        "Basic",
        "CarePlan",
        "CareTeam",
        "Claim",
        "Communication",
        "Composition",
        "Condition",
        "Consent",
        "Coverage",
        "Device",
        "DiagnosticReport",
        "DocumentReference",
        "Encounter",
        "ExplanationOfBenefit",
        "Group",
        "Immunization",
        "List",
        "Location",
        "MedicationRequest",
        "Observation",
        "OperationOutcome",
        "Organization",
        "Person",
        "Practitioner",
        "PractitionerRole",
        "Procedure",
        "Provenance",
        "RelatedPerson",
        "Schedule",
        "Slot",
        "Task",
    ];
    if TYPES.contains(&name) { name.to_owned() } else { "another type".to_owned() }
}

/// A resource from a Bundle's `entry`, or a bare one.
struct Resource {
    body: Value,
    full_url: String,
}

fn resource_of(element: &JsonElement<'_>) -> Result<Result<Resource, RowFault>, ListError> {
    let mut value: Value = match element.parse()? {
        Ok(value) => value,
        Err(fault) => return Ok(Err(fault)),
    };
    let full_url = text(&value, "/fullUrl").into_owned();
    let body = match value.get_mut("resource") {
        Some(resource) => resource.take(),
        None => value,
    };
    Ok(match body.get("resourceType").and_then(Value::as_str) {
        None | Some("") => Err(RowFault::NoResource),
        Some("Bundle" | "Parameters") => Err(RowFault::UnreadableBundle),
        Some(_) => Ok(Resource { body, full_url }),
    })
}

/// The text at a JSON pointer, also if it is a number, or the first of several; empty if there is none.
fn text<'v>(value: &'v Value, pointer: &str) -> Cow<'v, str> {
    match value.pointer(pointer) {
        Some(Value::String(text)) => text.into(),
        Some(number @ Value::Number(_)) => number.to_string().into(),
        Some(Value::Array(texts)) => texts.first().and_then(Value::as_str).unwrap_or_default().into(),
        Some(Value::Null | Value::Bool(_) | Value::Object(_)) | None => "".into(),
    }
}

/// The elements of an array at a JSON pointer. A single value counts as an array of one.
fn elements<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    let (several, one): (&[Value], _) = match value.pointer(pointer) {
        Some(Value::Array(elements)) => (elements, None),
        Some(Value::Null) | None => (&[], None),
        other @ Some(_) => (&[], other),
    };
    several.iter().chain(one)
}

/// An appointment that is still to take place.
struct FhirAppointment {
    number: u64,
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
    /// Collects the appointments and, on the way, what resources say against calls.
    fn collect(mut resources: JsonElements, unit: RowUnit) -> Result<(Self, FhirBans), ListError> {
        let mut bans = FhirBans::default();
        let mut by_patient: HashMap<String, Vec<Rc<FhirAppointment>>> = HashMap::new();
        let mut left = MAX_BYTES;
        while let Some(element) = resources.next()? {
            let number = element.number(unit);
            let Ok(Resource { body, .. }) = resource_of(&element.element)? else { continue };
            bans.add(&body);
            if text(&body, "/resourceType") != "Appointment" || !is_open(&text(&body, "/status")) {
                continue;
            }
            let appointment = Rc::new(read_appointment(number, &body));
            let mut bytes = appointment.bytes();
            let mut references: Vec<String> = elements(&body, "/participant").filter_map(patient_reference).collect();
            if references.is_empty() {
                references.push(String::new());
            }
            for reference in references {
                bytes += OVERHEAD + reference.len();
                left = left.checked_sub(bytes).ok_or(ListError::TooManyAppointments)?;
                bytes = 0;
                by_patient.entry(reference).or_default().push(Rc::clone(&appointment));
            }
        }
        Ok((Self { by_patient, matched: HashSet::new() }, bans))
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
        orphans.sort_by_key(|(_, appointment)| appointment.number);
        for (reference, appointment) in orphans {
            let mut cells = Cells::default();
            cells[0] = reference.rsplit('/').next().unwrap_or_default().into();
            fill_appointment(&mut cells, appointment);
            rows.write_row(appointment.number, cells.iter().map(AsRef::as_ref))?;
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
        None if reference.starts_with("urn:uuid:") => Some(reference.into_owned()),
        None => None,
    }
}

fn read_appointment(number: u64, body: &Value) -> FhirAppointment {
    let owned = |pointer: &str| text(body, pointer).into_owned();
    let kinds = ["/description", "/appointmentType/text", "/appointmentType/coding/0/display", "/serviceType/0/text"];
    let description = kinds.into_iter().map(owned).find(|kind| !kind.is_empty()).unwrap_or_default();
    FhirAppointment { number, id: owned("/id"), start: owned("/start"), end: owned("/end"), description }
}

/// The cells of a row.
type Cells<'v> = [Cow<'v, str>; COLUMNS.len()];

fn fill_appointment<'a>(cells: &mut Cells<'a>, appointment: &'a FhirAppointment) {
    let FhirAppointment { id, start, end, description, .. } = appointment;
    for (at, text) in [(14, id), (15, start), (16, end), (17, description)] {
        cells[at] = text.into();
    }
}

/// A `Patient` resource.
struct FhirPatient<'v> {
    number: u64,
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
        bans: &FhirBans,
        row_per: RowPer,
        now: DateTime<Utc>,
        rows: &mut CsvSpool<'_>,
    ) -> Result<(), ListError> {
        let mut cells = self.cells(now);
        let references: Vec<String> = self.references().filter(|reference| !reference.is_empty()).collect();
        (cells[18], cells[19]) = (bans.ban(self.body, &references).into(), bans.flags(&references).into());
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
                cells[13] = next.map_or("", |appointment| &appointment.start).into();
                rows.write_row(self.number, cells.iter().map(AsRef::as_ref))
            }
            RowPer::Appointment => own.into_iter().try_for_each(|appointment| {
                fill_appointment(&mut cells, appointment);
                rows.write_row(self.number, cells.iter().map(AsRef::as_ref))
            }),
        }
    }

    /// The cells that do not depend on appointments.
    fn cells(&self, now: DateTime<Utc>) -> Cells<'v> {
        let (phone, others) = self.phones(now);
        let mut cells = Cells::default();
        self.fill_name(&mut cells);
        (cells[0], cells[5]) = (text(self.body, "/id"), text(self.body, "/birthDate"));
        (cells[6], cells[7]) = (phone.into(), others.into());
        let active = if is_replaced(self.body) { "false".into() } else { self.flag("/active") };
        (cells[8], cells[9]) = (active, self.deceased());
        cells[10] = self.language();
        if let Some(address) = elements(self.body, "/address").find(|address| !has_ended(address, now)) {
            (cells[11], cells[12]) = (text(address, "/state"), text(address, "/postalCode"));
        }
        cells
    }

    /// Fills in the official name, or else the usual one, one without a use, or any other; and the nickname.
    fn fill_name(&self, cells: &mut Cells<'v>) {
        let rank = |name: &&Value| match text(name, "/use").as_ref() {
            "official" => 0,
            "usual" => 1,
            "" => 2,
            "nickname" => 4,
            _ => 3,
        };
        let Some(name) = elements(self.body, "/name").min_by_key(rank) else { return };
        if let Value::String(name) = name {
            cells[3] = name.into();
            return;
        }
        (cells[1], cells[2], cells[3]) = (text(name, "/given"), text(name, "/family"), text(name, "/text"));
        let nickname = elements(self.body, "/name").find(|name| text(name, "/use") == "nickname");
        cells[4] = nickname.map_or("".into(), |name| text(name, "/given"));
    }

    /// The best phone number, and the others in one cell, sorted by rank, then by use. Old and expired numbers are
    /// omitted.
    fn phones(&self, now: DateTime<Utc>) -> (String, String) {
        let mut phones: Vec<&Value> = elements(self.body, "/telecom")
            .filter(|point| matches!(text(point, "/system").as_ref(), "phone" | "sms"))
            .filter(|point| text(point, "/use") != "old" && !has_ended(point, now))
            .collect();
        phones.sort_by_key(|point| {
            let rank = point.get("rank").and_then(Value::as_u64).unwrap_or(u64::MAX);
            let uses = ["mobile", "", "home", "temp", "work"];
            (rank, uses.iter().position(|one| *one == text(point, "/use")).unwrap_or(uses.len()))
        });
        let mut texts = phones.into_iter().map(|point| text(point, "/value"));
        let best = texts.next().unwrap_or_default().into_owned();
        (best, texts.collect::<Vec<_>>().join(" / "))
    }

    /// A flag as text. A flag of another type keeps its text, so that it is not taken for missing.
    fn flag(&self, pointer: &str) -> Cow<'v, str> {
        match self.body.pointer(pointer) {
            Some(Value::Null) | None => "".into(),
            Some(Value::String(text)) => text.into(),
            Some(other) => other.to_string().into(),
        }
    }

    fn deceased(&self) -> Cow<'v, str> {
        let date = self.flag("/deceasedDateTime");
        if date.is_empty() { self.flag("/deceasedBoolean") } else { date }
    }

    fn language(&self) -> Cow<'v, str> {
        let preferred = |one: &&Value| one.get("preferred").and_then(Value::as_bool) == Some(true);
        let all = || elements(self.body, "/communication");
        let one = all().find(preferred).or_else(|| all().next());
        one.map_or("".into(), |one| text(one, "/language/coding/0/code"))
    }
}

/// Whether the period of a contact point or an address has ended.
fn has_ended(point: &Value, now: DateTime<Utc>) -> bool {
    let end = text(point, "/period/end");
    !end.is_empty() && end.get(..10).unwrap_or(&end) < now.format("%Y-%m-%d").to_string().as_str()
}
