//! From a row to a patient: parses every mapped cell once.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use super::called_party_zone::{self, ZoneCells};
use super::cell_value::whole_id;
use super::cell_words::{YesNo, words_of};
use super::columns::{Columns, ForbiddingColumn};
use super::date::{Century, DateCell, DateError, DateReader, is_minor, iso_date, start_of};
use super::eligibility::{Eligibility, ExclusionCell, ExclusionCells, gravest};
use super::exclude_list::ExcludeList;
use super::field::{Field, NAME_FIELDS};
use super::key::KeyDates;
use super::key_bans::KeyBans;
use super::list::ListRow;
use super::name::{NameCells, PatientNames, are_different};
use super::notes;
use super::phone_choice::PhoneChoice;
use super::profile::ListProfile;
use super::rejection::RejectReason;
use crate::campaign::{Campaign, Consent, Practice, Purpose, ValueMeaning};
use crate::entry::{Appointment, CalledPartyZones, ListEligibility, PatientInfo, Reason, ZoneSource};
use crate::ids::{EntryKey, Location};
use crate::template::TemplateCells;
use crate::zone::Zone;

/// A patient, parsed from a row. It holds patient data and has no `Debug`.
#[derive(Clone)]
pub(super) struct Patient {
    pub(super) key: EntryKey,
    pub(super) info: PatientInfo,
    /// The name by which the call addresses the patient.
    pub(super) spoken_name: String,
    /// The first name is not certain; the names above hold the whole name.
    pub(super) name_is_doubtful: bool,
    pub(super) phones: PhoneChoice,
    /// The household's number, which its members share.
    pub(super) household: Option<String>,
    /// The date of birth is known and the patient is under 18.
    pub(super) is_minor: bool,
    pub(super) eligibility: Eligibility,
    /// Nothing but another row, which has the same number, forbids the call.
    pub(super) number_is_forbidden: bool,
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

impl Patient {
    /// The patient, not to be called because another row of the key says so.
    pub(super) fn with_ban(mut self, ban: Option<Reason>) -> Self {
        let own = match self.eligibility.status {
            ListEligibility::Suppressed(reason) => Some(reason),
            ListEligibility::Ready | ListEligibility::Held(_) => None,
        };
        if let Some(reason) = gravest(own.into_iter().chain(ban)) {
            self.eligibility = Eligibility { status: ListEligibility::Suppressed(reason), consent_is_blank: false };
        }
        self
    }

    /// The patient, not to be called because another row forbids every number.
    fn with_forbidden_number(mut self) -> Self {
        if !matches!(self.eligibility.status, ListEligibility::Suppressed(_)) {
            self.number_is_forbidden = true;
            self.eligibility.status = ListEligibility::Suppressed(Reason::DoNotCall);
            self.eligibility.consent_is_blank = false;
        }
        self
    }
}

/// Reads rows as patients.
#[derive(Debug, Clone, Copy)]
pub(super) struct PatientReader<'a> {
    pub(super) columns: &'a Columns,
    pub(super) profile: &'a ListProfile,
    pub(super) key_bans: &'a KeyBans,
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
        let order = |field| self.profile.date_order(field);
        let zone = &self.campaign.practice.zone;
        let dates = KeyDates { order: &order, today: self.today(), zone };
        let parts: Vec<(&str, Cow<'_, str>)> = self.columns.key(row, &dates).collect();
        if let Some((name, _)) = parts.iter().find(|(_, part)| part.is_empty()) {
            return Err(RejectReason::Missing((*name).to_owned()));
        }
        Ok(EntryKey::from_parts(parts.iter().map(|(_, part)| part.as_ref())))
    }

    /// Reads the other cells, in the context of the row's location. A number that another row forbids is not dialled.
    pub(super) fn read(&self, row: &ListRow, key: EntryKey, phones: PhoneChoice) -> Result<Patient, RejectReason> {
        let reader = Self { context: self.row_context(row)?, ..*self };
        match self.profile.list_numbers.allowed(&phones) {
            Some(allowed) => reader.read_in_context(row, key, allowed),
            None => Ok(reader.read_in_context(row, key, phones)?.with_forbidden_number()),
        }
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
                patient_id: non_empty(whole_id(self.columns.cell(row, Field::PatientId))),
            },
            household: self.profile.list_numbers.household(self.columns, row),
            is_minor: is_minor(birth_date, self.today()),
            not_after: match start {
                Some(start) => self.not_after(start.to_utc()),
                None => day.and_then(|day| self.end_of_day(day)),
            },
            appointment_day: day,
            location: self.context.location.cloned(),
            spoken_name: names.preferred,
            name_is_doubtful: names.is_doubtful,
            number_is_forbidden: false,
            key,
            phones,
            zones,
            appointment,
        })
    }

    fn names(&self, row: &ListRow) -> Result<PatientNames, RejectReason> {
        let cell = |field| self.columns.cell(row, field);
        let is_damaged = |field: &Field| cell(*field).contains(char::REPLACEMENT_CHARACTER);
        if let Some(damaged) = NAME_FIELDS.into_iter().find(is_damaged) {
            return Err(RejectReason::Damaged(damaged));
        }
        let cells = NameCells {
            first: cell(Field::FirstName),
            last: cell(Field::LastName),
            preferred: cell(Field::PreferredName),
            full: cell(Field::FullName),
        };
        // Another column may be of a parent.
        let is_of_patient = || {
            let words = words_of(self.columns.name_of(Field::FullName));
            words.iter().any(|word| matches!(word.as_str(), "patient" | "pt" | "client" | "full"))
        };
        if are_different(cells) && is_of_patient() {
            return Err(RejectReason::NamesDiffer(Field::FullName));
        }
        PatientNames::from_cells(cells, self.campaign.vendor.kind.limits().name_chars)
    }

    fn today(&self) -> NaiveDate {
        self.context.local.date()
    }

    fn date_cell(&self, row: &ListRow, field: Field) -> Result<DateCell, RejectReason> {
        if field == Field::NextAppointment
            && self.columns.cells(row, field).next().is_some_and(|(_, meaning)| meaning.is_some())
        {
            // A word that the campaign explains.
            return Ok(DateCell::default());
        }
        self.date_of(field, self.columns.cell(row, field))
    }

    fn date_of(&self, field: Field, cell: &str) -> Result<DateCell, RejectReason> {
        if field == Field::NextAppointment && booking_words(cell).is_some() {
            return Ok(DateCell::default());
        }
        let century = if field == Field::DateOfBirth { Century::Past } else { Century::Near };
        DateReader { order: self.profile.date_order(field), today: self.today(), century }
            .read(cell)
            .map_err(|problem| RejectReason::Date { field, problem })
    }

    /// The last instant for a call about an appointment that starts at `start`.
    fn not_after(&self, start: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let margin: TimeDelta = self.campaign.redial.stop_before_appointment?;
        start.checked_sub_signed(margin)
    }

    /// The last instant for a call about an appointment of which only the day is known.
    fn end_of_day(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        self.campaign.redial.stop_before_appointment?;
        let next = day.succ_opt()?.and_time(NaiveTime::MIN);
        Some(self.context.zone.first_instant(next) - TimeDelta::seconds(1))
    }

    /// The appointment that the call is about, and its local day. A reminder needs an appointment with a start, if the
    /// list has the column.
    fn appointment(&self, row: &ListRow) -> Result<(Option<Appointment>, Option<NaiveDate>), RejectReason> {
        let zone = self.context.zone;
        let text = |field| non_empty(self.columns.cell(row, field));
        // A reminder's list may give the day of the appointment under the name of a next appointment.
        let is_by_day = self.campaign.purpose == Purpose::Reminder && !self.columns.has(Field::AppointmentStart);
        let start = if is_by_day {
            self.date_cell(row, Field::NextAppointment)?
        } else {
            self.appointment_time(row, Field::AppointmentStart, None)?
        };
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
        let exclusions = self.exclusion_cells(row)?;
        let eligibility = exclusions.eligibility(self.campaign.purpose, self.consent);
        let hold = match () {
            () if eligibility.status != ListEligibility::Ready => return Ok(eligibility),
            () if phones.best.extension => Reason::Extension,
            () if zones.source == ZoneSource::Unknown => Reason::UnknownAreaCode,
            () => return Ok(eligibility),
        };
        Ok(Eligibility { status: ListEligibility::Held(hold), ..eligibility })
    }

    fn exclusion_cells<'r>(&self, row: &'r ListRow) -> Result<ExclusionCells<'r>, RejectReason> {
        Ok(ExclusionCells {
            is_disabled_now: self.is_disabled(row)?,
            is_booked: self.is_booked(row)?,
            ..self.undated_exclusions(row)
        })
    }

    fn undated_exclusions<'r>(&self, row: &'r ListRow) -> ExclusionCells<'r> {
        let cell = |column: &ForbiddingColumn| {
            let cell = ExclusionCell::read(column, self.columns, row);
            let is_unmarked = cell.text.is_empty() && self.profile.ticked_columns.contains(&column.at);
            ExclusionCell { is_unmarked, ..cell }
        };
        ExclusionCells {
            cells: self.columns.forbidding().iter().map(cell).collect(),
            note: self.forbidding_note(row),
            ..ExclusionCells::default()
        }
    }

    /// The reason for which the row says that the patient must not be called.
    pub(super) fn exclusion(&self, row: &ListRow) -> Option<Reason> {
        // A date that cannot be read takes nothing away from what the other cells forbid.
        let exclusions = ExclusionCells {
            is_disabled_now: self.is_disabled(row).unwrap_or_default(),
            is_booked: self.is_booked(row).unwrap_or_default(),
            ..self.undated_exclusions(row)
        };
        let eligibility = exclusions.eligibility(self.campaign.purpose, self.consent);
        match eligibility.status {
            ListEligibility::Suppressed(reason) => Some(reason),
            ListEligibility::Ready | ListEligibility::Held(_) => None,
        }
    }

    /// What a note forbids, of the rows that were seen to have one.
    fn forbidding_note(&self, row: &ListRow) -> Option<Reason> {
        let has_one = self.profile.noted_lines.contains(&row.line);
        if has_one { notes::in_row(self.columns, row, self.campaign.purpose) } else { None }
    }

    fn is_disabled(&self, row: &ListRow) -> Result<bool, RejectReason> {
        let until = self.date_cell(row, Field::DisabledUntil)?.date;
        Ok(until.is_some_and(|until| until > self.today()))
    }

    /// Whether an appointment lies ahead, by any column of appointments. Dentrix marks one by a plus, others say yes or
    /// give its date. One of today without a time may be still to come.
    fn is_booked(&self, row: &ListRow) -> Result<bool, RejectReason> {
        if self.campaign.purpose != Purpose::Recall {
            return Ok(false);
        }
        let start = self.date_cell(row, Field::AppointmentStart)?;
        let mut is_booked = self.lies_ahead(start);
        for (cell, meaning) in self.columns.cells(row, Field::NextAppointment) {
            is_booked |= match (meaning, booking_words(cell)) {
                (Some(meaning), _) => meaning != ValueMeaning::Call,
                (None, Some(is_booked)) => is_booked,
                (None, None) => self.lies_ahead(self.date_of(Field::NextAppointment, cell)?),
            };
        }
        Ok(is_booked)
    }

    fn lies_ahead(&self, cell: DateCell) -> bool {
        match (cell.date, cell.time) {
            (Some(date), None) => date >= self.today(),
            _ => start_of(cell).is_some_and(|start| start > self.context.local),
        }
    }

    /// The cells for templates: dates as `YYYY-MM-DD`, other cells unchanged.
    fn template_cells(&self, row: &ListRow, names: &PatientNames) -> Result<TemplateCells, RejectReason> {
        let PatientNames { first, last, preferred, is_doubtful: _ } = names;
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
        let date = self.date_cell(row, field)?.date;
        let is_iso = date.is_some() && date == iso_date(cell);
        Ok(if is_iso { cell.into() } else { date.map(|date| date.to_string()).unwrap_or_default().into() })
    }
}

/// What a cell of appointments says without a date: `+`, yes, no, `booked`, `none`.
fn booking_words(cell: &str) -> Option<bool> {
    const BOOKED: [&str; 8] =
        ["+", "booked", "scheduled", "sched", "already booked", "already scheduled", "has appointment", "pending"];
    const FREE: [&str; 8] =
        ["unscheduled", "not scheduled", "not booked", "no appointment", "no appt", "none scheduled", "never", "open"];
    let is = |words: &[&str]| words.iter().any(|word| cell.eq_ignore_ascii_case(word));
    match YesNo::parse(cell) {
        YesNo::Yes => Some(true),
        YesNo::No | YesNo::Blank => Some(false),
        YesNo::Other if is(&BOOKED) => Some(true),
        YesNo::Other if is(&FREE) => Some(false),
        // The number of appointments ahead.
        YesNo::Other if cell.len() < 3 && cell.bytes().all(|byte| byte.is_ascii_digit()) => Some(true),
        YesNo::Other => None,
    }
}

fn non_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
