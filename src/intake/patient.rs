//! From a row to a patient: parses every mapped cell once.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};

use super::called_party_zone::{self, ZoneCells};
use super::columns::Columns;
use super::date::{Century, DateCell, DateError, DateReader, iso_date, start_of};
use super::eligibility::{Eligibility, ExclusionCells, contact_method_name, status_name};
use super::exclude_list::ExcludeList;
use super::field::Field;
use super::list::ListRow;
use super::name::{NameCells, PatientNames};
use super::phone_choice::PhoneChoice;
use super::profile::ListProfile;
use super::rejection::RejectReason;
use crate::campaign::{Campaign, Consent, Practice, Purpose};
use crate::entry::{Appointment, CalledPartyZones, ListEligibility, PatientInfo, Reason, ZoneSource};
use crate::ids::{EntryKey, Location};
use crate::template::TemplateCells;
use crate::zone::Zone;

/// The age of majority in years. For a younger patient the call speaks to an adult of the household, if there is one.
const ADULT_AGE: u32 = 18;

/// A patient, parsed from a row. It holds patient data and has no `Debug`.
#[derive(Clone)]
pub(super) struct Patient {
    pub(super) key: EntryKey,
    pub(super) info: PatientInfo,
    /// The name by which the call addresses the patient.
    pub(super) spoken_name: String,
    pub(super) phones: PhoneChoice,
    /// The household's number, which its members share.
    pub(super) household: Option<String>,
    /// The date of birth is known and the patient is under 18.
    pub(super) is_minor: bool,
    pub(super) eligibility: Eligibility,
    pub(super) zones: CalledPartyZones,
    pub(super) appointment: Option<Appointment>,
    /// The local day of the appointment.
    pub(super) appointment_day: Option<NaiveDate>,
    /// The campaign's location for the patient.
    pub(super) location: Option<Location>,
    /// The last instant at which a call may start.
    pub(super) not_after: Option<DateTime<Utc>>,
    /// The cells for templates, in the order of [`Columns::template_columns`].
    pub(super) template_cells: Arc<TemplateCells>,
}

/// Reads rows as patients.
#[derive(Debug, Clone, Copy)]
pub(super) struct PatientReader<'a> {
    pub(super) columns: &'a Columns,
    pub(super) profile: &'a ListProfile,
    pub(super) campaign: &'a Campaign,
    pub(super) consent: Consent,
    pub(super) exclude_list: Option<&'a ExcludeList>,
    pub(super) context: RowContext<'a>,
    pub(super) now: DateTime<Utc>,
}

/// The practice or location for which a row is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowContext<'a> {
    zone: &'a Zone,
    location: Option<&'a Location>,
    /// The present in `zone`.
    local: NaiveDateTime,
}

impl<'a> RowContext<'a> {
    pub(super) fn new(practice: &'a Practice, location: Option<&'a Location>, now: DateTime<Utc>) -> Self {
        Self { zone: &practice.zone, location, local: practice.zone.local(now) }
    }
}

impl<'a> PatientReader<'a> {
    /// The row's key. An empty cell in a key column is an error.
    pub(super) fn key(&self, row: &ListRow) -> Result<EntryKey, RejectReason> {
        let missing = self.columns.key(row).find(|(_, cell)| cell.is_empty());
        if let Some((name, _)) = missing {
            return Err(RejectReason::Missing(name.to_owned()));
        }
        Ok(EntryKey::from_parts(self.columns.key(row).map(|(_, cell)| cell)))
    }

    /// Reads the other cells, in the context of the row's location.
    pub(super) fn read(&self, row: &ListRow, key: EntryKey, phones: PhoneChoice) -> Result<Patient, RejectReason> {
        Self { context: self.row_context(row)?, ..*self }.read_in_context(row, key, phones)
    }

    fn row_context(&self, row: &ListRow) -> Result<RowContext<'a>, RejectReason> {
        if !self.campaign.locations.are_defined() {
            return Ok(self.context);
        }
        let cell = self.columns.cell(row, Field::Location);
        if cell.is_empty() {
            return Err(RejectReason::Missing(Field::Location.to_string()));
        }
        let campaign = self.campaign;
        let location = campaign.locations.named(cell).ok_or(RejectReason::Location)?;
        let practice = campaign.practice_at(Some(location)).ok_or(RejectReason::Location)?;
        Ok(RowContext::new(practice, Some(location), self.now))
    }

    fn read_in_context(&self, row: &ListRow, key: EntryKey, phones: PhoneChoice) -> Result<Patient, RejectReason> {
        let names = self.names(row)?;
        let birth_date = self.date_cell(row, Field::DateOfBirth)?.date;
        if birth_date.is_some_and(|date| date > self.today()) {
            return Err(RejectReason::Date { field: Field::DateOfBirth, problem: DateError::Future });
        }
        let cell = |field| self.columns.cell(row, field);
        let zone_cells =
            ZoneCells { zone: cell(Field::Zone), state: cell(Field::State), postcode: cell(Field::Postcode) };
        let zones = called_party_zone::zones_of(zone_cells, phones.best.number, &self.campaign.calling)
            .map_err(|_| RejectReason::Zone)?;
        let (appointment, day) = self.appointment(row)?;
        let start = appointment.as_ref().and_then(|appointment| appointment.start);
        let eligibility = self.eligibility(row, &phones, &zones)?;
        Ok(Patient {
            eligibility: if self.exclude_list.is_some_and(|list| list.has(&key)) {
                eligibility.or_excluded()
            } else {
                eligibility
            },
            template_cells: self.template_cells(row, &names)?.into(),
            info: PatientInfo {
                first_name: names.first,
                last_name: (!names.last.is_empty()).then_some(names.last),
                date_of_birth: birth_date,
                patient_id: non_empty(self.columns.cell(row, Field::PatientId)),
            },
            household: non_empty(self.columns.cell(row, Field::Household)),
            is_minor: birth_date.and_then(|date| self.today().years_since(date)).is_some_and(|age| age < ADULT_AGE),
            not_after: start.and_then(|start| self.not_after(start.to_utc())),
            appointment_day: day,
            location: self.context.location.cloned(),
            spoken_name: names.preferred,
            key,
            phones,
            zones,
            appointment,
        })
    }

    fn names(&self, row: &ListRow) -> Result<PatientNames, RejectReason> {
        let cell = |field| self.columns.cell(row, field);
        let cells = NameCells {
            first: cell(Field::FirstName),
            last: cell(Field::LastName),
            preferred: cell(Field::PreferredName),
            full: cell(Field::FullName),
        };
        let names = PatientNames::from_cells(cells, self.campaign.vendor.kind.limits().name_chars);
        if names.first.is_empty() { Err(RejectReason::Missing(Field::FirstName.to_string())) } else { Ok(names) }
    }

    fn today(&self) -> NaiveDate {
        self.context.local.date()
    }

    fn date_cell(&self, row: &ListRow, field: Field) -> Result<DateCell, RejectReason> {
        let century = if field == Field::DateOfBirth { Century::Past } else { Century::Near };
        DateReader { order: self.profile.date_order(field), today: self.today(), century }
            .read(self.columns.cell(row, field))
            .map_err(|problem| RejectReason::Date { field, problem })
    }

    /// The last instant for a call about an appointment that starts at `start`.
    fn not_after(&self, start: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let margin: TimeDelta = self.campaign.redial.stop_before_appointment?;
        start.checked_sub_signed(margin)
    }

    /// The appointment that the call is about, and its local day. A reminder needs an appointment with a start, if the
    /// list has the column.
    fn appointment(&self, row: &ListRow) -> Result<(Option<Appointment>, Option<NaiveDate>), RejectReason> {
        let zone = self.context.zone;
        let text = |field| non_empty(self.columns.cell(row, field));
        let start = self.appointment_time(row, Field::AppointmentStart, None)?;
        let end = self.appointment_time(row, Field::AppointmentEnd, start.date)?;
        let appointment = Appointment {
            id: text(Field::AppointmentId),
            start: start.in_zone(zone),
            end: end.in_zone(zone),
            type_id: text(Field::AppointmentTypeId),
            description: text(Field::AppointmentDescription),
        };
        let must_start = self.campaign.purpose == Purpose::Reminder && self.columns.has(Field::AppointmentStart);
        if must_start && appointment.start.is_none() {
            let problem = DateError::NotADate;
            return Err(match text(Field::AppointmentStart) {
                None => RejectReason::Missing(Field::AppointmentStart.to_string()),
                Some(_) => RejectReason::Date { field: Field::AppointmentStart, problem },
            });
        }
        let is_some = appointment != Appointment::default();
        Ok((is_some.then_some(appointment), start.local_date(zone)))
    }

    /// The start or end. A cell with a time of day only gets its date from `day` or from the next appointment.
    fn appointment_time(&self, row: &ListRow, field: Field, day: Option<NaiveDate>) -> Result<DateCell, RejectReason> {
        let cell = self.date_cell(row, field)?;
        if cell.time.is_none() || cell.date.is_some() {
            return Ok(cell);
        }
        let day = match day {
            Some(day) => Some(day),
            None => self.date_cell(row, Field::NextAppointment)?.date,
        };
        Ok(DateCell { date: day, ..cell })
    }

    fn eligibility(
        &self,
        row: &ListRow,
        phones: &PhoneChoice,
        zones: &CalledPartyZones,
    ) -> Result<Eligibility, RejectReason> {
        let cell = |field| self.columns.has(field).then(|| self.columns.cell(row, field));
        let consent = [Field::Consent, Field::ConsentDate, Field::ConsentSource].into_iter().find_map(cell);
        let exclusions = ExclusionCells {
            status: self.status(row),
            contact_method: self.contact_method(row),
            inactive: cell(Field::Inactive),
            active: cell(Field::Active),
            deceased: cell(Field::Deceased),
            do_not_call: cell(Field::DoNotCall),
            ok_to_call: cell(Field::OkToCall),
            disabled: cell(Field::Disabled),
            consent,
            is_disabled_now: self.is_disabled(row)?,
            is_booked: self.is_booked(row)?,
        };
        let eligibility = exclusions.eligibility(self.campaign.purpose, self.consent);
        let hold = match () {
            () if eligibility.status != ListEligibility::Ready => return Ok(eligibility),
            () if phones.best.extension => Reason::Extension,
            () if zones.source == ZoneSource::Unknown => Reason::UnknownAreaCode,
            () => return Ok(eligibility),
        };
        Ok(Eligibility { status: ListEligibility::Held(hold), ..eligibility })
    }

    /// The status cell. Only in Open Dental's column `PatStatus` is a number a status.
    fn status<'r>(&self, row: &'r ListRow) -> Option<&'r str> {
        let status = self.columns.has(Field::Status).then(|| self.columns.cell(row, Field::Status))?;
        let is_open_dental = self.columns.name_of(Field::Status).eq_ignore_ascii_case("PatStatus");
        Some(if is_open_dental { status_name(status) } else { status })
    }

    /// The contact method cell. Only in Open Dental's `PreferRecallMethod` and `PreferContactMethod` is a number a
    /// method.
    fn contact_method<'r>(&self, row: &'r ListRow) -> Option<&'r str> {
        let field = Field::PreferredContact;
        let method = self.columns.has(field).then(|| self.columns.cell(row, field))?;
        let name = self.columns.name_of(field);
        let is_open_dental =
            ["PreferRecallMethod", "PreferContactMethod"].iter().any(|column| name.eq_ignore_ascii_case(column));
        Some(if is_open_dental { contact_method_name(method) } else { method })
    }

    fn is_disabled(&self, row: &ListRow) -> Result<bool, RejectReason> {
        let until = self.date_cell(row, Field::DisabledUntil)?.date;
        Ok(until.is_some_and(|until| until > self.today()))
    }

    /// Whether an appointment lies ahead. Dentrix marks one by a plus; others give its date. One of today without a
    /// time may be still to come.
    fn is_booked(&self, row: &ListRow) -> Result<bool, RejectReason> {
        if self.campaign.purpose != Purpose::Recall {
            return Ok(false);
        }
        if self.columns.cell(row, Field::NextAppointment) == "+" {
            return Ok(true);
        }
        let cell = self.date_cell(row, Field::NextAppointment)?;
        Ok(match (cell.date, cell.time) {
            (Some(date), None) => date >= self.today(),
            _ => start_of(cell).is_some_and(|start| start > self.context.local),
        })
    }

    /// The cells for templates: dates as `YYYY-MM-DD`, other cells unchanged.
    fn template_cells(&self, row: &ListRow, names: &PatientNames) -> Result<TemplateCells, RejectReason> {
        let PatientNames { first, last, preferred } = names;
        let mut cells = TemplateCells::with_capacity(self.columns.width() + 3);
        for name in [first, last, preferred] {
            cells.push(name);
        }
        for field in self.columns.template_fields() {
            if field.is_date() {
                cells.push(&self.iso_date_cell(row, field)?);
            } else {
                cells.push(self.columns.cell(row, field));
            }
        }
        self.columns.unmapped(row).for_each(|cell| cells.push(cell));
        Ok(cells)
    }

    fn iso_date_cell<'r>(&self, row: &'r ListRow, field: Field) -> Result<Cow<'r, str>, RejectReason> {
        let cell = self.columns.cell(row, field);
        if cell == "+" {
            return Ok("".into());
        }
        let date = self.date_cell(row, field)?.date;
        let is_iso = date.is_some() && date == iso_date(cell);
        Ok(if is_iso { cell.into() } else { date.map(|date| date.to_string()).unwrap_or_default().into() })
    }
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
