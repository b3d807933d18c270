//! FHIR R4: a Bundle of `Patient` and `Appointment` resources, or such resources one after the other, rewritten as one
//! row for each patient; or for each of a patient's appointments, where those are what the campaign calls about.
//!
//! The appointments wait in memory, some hundred bytes for each and bounded in all, since a Bundle has them and the patients
//! in any order.
//!
//! Read as leniently as it is written in practice: a part that is missing, or of another shape, is an empty cell.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::json::{JsonRows, Wrapping};
use super::rewritten::{Rewriter, rewritten};
use super::source::Origin;
use crate::intake::problem::ListProblem;

/// The columns, by names that the intake knows, but for the last two.
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

/// What one row of a list stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowPer {
    /// A patient, with the next appointment if there is one.
    Patient,
    /// An appointment, with its patient.
    Appointment,
}

/// Whether a JSON text holds FHIR resources, by its first element.
pub(super) fn is_fhir(mut elements: JsonRows) -> Result<bool, ListProblem> {
    let Some(element) = elements.element()? else { return Ok(false) };
    Ok(resource_of(element.text).is_some())
}

/// Rewrites resources that `elements` gives anew each time it is asked.
pub(super) fn as_text(
    origin: &Origin,
    elements: impl Fn() -> Result<JsonRows, ListProblem>,
    row_per: RowPer,
    now: DateTime<Utc>,
) -> Result<Origin, ListProblem> {
    let mut booked = Appointments::of(elements()?)?;
    rewritten(origin.modified(), |rows| {
        rows.row(1, COLUMNS)?;
        let mut elements = elements()?;
        while let Some(element) = elements.element()? {
            let Some(resource) = resource_of(element.text) else { continue };
            if text(&resource.body, "/resourceType") == "Patient" {
                let patient = Patient { line: element.line, body: &resource.body, full_url: &resource.full_url };
                patient.write(&booked, row_per, now, rows)?;
                if row_per == RowPer::Appointment {
                    booked.found(&patient);
                }
            }
        }
        if row_per == RowPer::Appointment { booked.write_orphans(rows) } else { Ok(()) }
    })
}

/// One resource of a Bundle's `entry`, or one that stands alone.
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

/// A text at a place in a resource; empty where there is none.
fn text<'v>(value: &'v Value, place: &str) -> &'v str {
    value.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

fn elements<'v>(value: &'v Value, place: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(place).and_then(Value::as_array).into_iter().flatten()
}

/// An appointment that still stands.
struct Appointment {
    line: u64,
    id: String,
    start: String,
    end: String,
    description: String,
}

/// What the appointments take in memory at most, as estimated: several hundred thousand of them.
const MOST_BYTES: usize = 150 << 20;

/// What an appointment takes beside its texts, and each reference to a patient.
const EACH: usize = 128;

impl Appointment {
    /// What it takes in memory.
    fn bytes(&self) -> usize {
        EACH + [&self.id, &self.start, &self.end, &self.description].iter().map(|text| text.len()).sum::<usize>()
    }

    fn starts(&self) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc3339(&self.start).ok().map(|start| start.to_utc())
    }
}

/// The appointments that still stand, by how they refer to their patients.
struct Appointments {
    of_patient: HashMap<String, Vec<Rc<Appointment>>>,
    found: HashSet<String>,
}

impl Appointments {
    fn of(mut resources: JsonRows) -> Result<Self, ListProblem> {
        let mut of_patient: HashMap<String, Vec<Rc<Appointment>>> = HashMap::new();
        let mut left = MOST_BYTES;
        while let Some(element) = resources.element()? {
            let Some(Resource { body, .. }) = resource_of(element.text) else { continue };
            if text(&body, "/resourceType") != "Appointment" || !stands(text(&body, "/status")) {
                continue;
            }
            let appointment = Rc::new(appointment_of(element.line, &body));
            let mut takes = appointment.bytes();
            for reference in elements(&body, "/participant").filter_map(patient_of) {
                takes += EACH + reference.len();
                left = left.checked_sub(takes).ok_or(ListProblem::TooManyAppointments)?;
                takes = 0;
                of_patient.entry(reference).or_default().push(Rc::clone(&appointment));
            }
        }
        Ok(Self { of_patient, found: HashSet::new() })
    }

    fn found(&mut self, patient: &Patient<'_>) {
        self.found.extend(patient.references().filter(|reference| self.of_patient.contains_key(reference)));
    }

    /// Appointments whose patients are not in the bundle: rows without a number, which say so.
    fn write_orphans(&self, rows: &mut Rewriter<'_>) -> Result<(), ListProblem> {
        let lost = self.of_patient.iter().filter(|(reference, _)| !self.found.contains(*reference));
        let mut lost: Vec<_> = lost.flat_map(|(reference, all)| all.iter().map(move |one| (reference, one))).collect();
        lost.sort_by_key(|(_, appointment)| appointment.line);
        for (reference, appointment) in lost {
            let mut cells = [""; COLUMNS.len()];
            cells[0] = reference.rsplit('/').next().unwrap_or_default();
            fill(&mut cells, appointment);
            rows.row(appointment.line, cells)?;
        }
        Ok(())
    }
}

/// The statuses of an appointment that is still to take place. Nobody is reminded of one that is cancelled.
fn stands(status: &str) -> bool {
    matches!(status, "booked" | "pending" | "proposed" | "arrived" | "checked-in")
}

/// `Patient/123`, however far in front of it the reference starts.
fn patient_of(participant: &Value) -> Option<String> {
    let reference = text(participant, "/actor/reference");
    let at = reference.rfind("Patient/");
    match at {
        Some(at) => Some(reference[at..].split("/_history").next().unwrap_or_default().to_owned()),
        None if reference.starts_with("urn:uuid:") => Some(reference.to_owned()),
        None => None,
    }
}

fn appointment_of(line: u64, body: &Value) -> Appointment {
    let owned = |place: &str| text(body, place).to_owned();
    let kinds = ["/description", "/appointmentType/text", "/appointmentType/coding/0/display", "/serviceType/0/text"];
    let description = kinds.into_iter().map(owned).find(|kind| !kind.is_empty()).unwrap_or_default();
    Appointment { line, id: owned("/id"), start: owned("/start"), end: owned("/end"), description }
}

fn fill<'a>(cells: &mut [&'a str; COLUMNS.len()], appointment: &'a Appointment) {
    let Appointment { id, start, end, description, .. } = appointment;
    (cells[14], cells[15], cells[16], cells[17]) = (id, start, end, description);
}

/// A patient's resource.
struct Patient<'v> {
    line: u64,
    body: &'v Value,
    full_url: &'v str,
}

impl<'v> Patient<'v> {
    fn references(&self) -> impl Iterator<Item = String> {
        [format!("Patient/{}", text(self.body, "/id")), self.full_url.to_owned()].into_iter()
    }

    fn write(
        &self,
        booked: &Appointments,
        row_per: RowPer,
        now: DateTime<Utc>,
        rows: &mut Rewriter<'_>,
    ) -> Result<(), ListProblem> {
        let (phone, others) = self.phones(now);
        let mut cells = [""; COLUMNS.len()];
        self.name_into(&mut cells);
        (cells[0], cells[5]) = (text(self.body, "/id"), text(self.body, "/birthDate"));
        (cells[6], cells[7]) = (&phone, &others);
        (cells[8], cells[9]) = (self.flag("/active"), self.deceased());
        cells[10] = self.language();
        let address = elements(self.body, "/address").find(|address| !is_over(address, now));
        cells[11] = address.map_or("", |address| text(address, "/state"));
        cells[12] = address.map_or("", |address| text(address, "/postalCode"));
        let references: Vec<String> = self.references().collect();
        let own: Vec<&Appointment> = references
            .iter()
            .filter_map(|reference| booked.of_patient.get(reference))
            .flatten()
            .map(Rc::as_ref)
            .collect();
        match row_per {
            RowPer::Patient => {
                let next = own.iter().filter(|one| one.starts().is_some_and(|start| start > now));
                let next = next.min_by_key(|one| one.starts());
                cells[13] = next.map_or("", |appointment| &appointment.start);
                rows.row(self.line, cells)
            }
            RowPer::Appointment => own.into_iter().try_for_each(|appointment| {
                fill(&mut cells, appointment);
                rows.row(self.line, cells)
            }),
        }
    }

    /// The official name, or else the usual one, or else the first that is not over; a nickname apart.
    fn name_into(&self, cells: &mut [&'v str; COLUMNS.len()]) {
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

    /// The best phone number, and the others in one cell: by rank, then by use. What is old or over is left out.
    fn phones(&self, now: DateTime<Utc>) -> (String, String) {
        let mut phones: Vec<&Value> = elements(self.body, "/telecom")
            .filter(|point| matches!(text(point, "/system"), "phone" | "sms"))
            .filter(|point| text(point, "/use") != "old" && !is_over(point, now))
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

    fn flag(&self, place: &str) -> &'static str {
        match self.body.pointer(place).and_then(Value::as_bool) {
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

/// Whether a contact point or an address has an end that has passed.
fn is_over(point: &Value, now: DateTime<Utc>) -> bool {
    let end = text(point, "/period/end");
    !end.is_empty() && end.get(..10).unwrap_or(end) < now.format("%Y-%m-%d").to_string().as_str()
}

/// Refuses a page of a search: the patients of the other pages would be missed by nobody.
pub(super) fn refuse_a_page(wrapping: &Wrapping) -> Result<(), ListProblem> {
    match wrapping {
        Wrapping::Bundle { has_next: true } => Err(ListProblem::OnePage),
        Wrapping::Bundle { has_next: false } | Wrapping::Array | Wrapping::Key(_) | Wrapping::Bare => Ok(()),
    }
}
