//! From a row to a patient: every cell that means something, parsed once.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};

use super::columns::Columns;
use super::contact::Contact;
use super::date::{Century, DateProblem, DateReader, Moment, iso_date, start_of};
use super::exclusions::Excluded;
use super::field::Field;
use super::list::Row;
use super::name::{NameCells, Names};
use super::place::{self, RowPlace};
use super::rejection::RejectReason;
use super::standing::{Exclusions, Judgement, contact_word, status_word};
use super::survey::Survey;
use crate::campaign::{Campaign, Consent, Practice, Purpose};
use crate::entry::{Appointment, CalledPartyZones, PatientInfo, Reason, Standing, ZoneSource};
use crate::ids::{EntryKey, Location};
use crate::template::Cells;
use crate::zone::Zone;

/// Below this age somebody else is spoken to.
const FULL_AGE: u32 = 18;

/// A patient as the list has one. It holds a patient's data and is never printed.
#[derive(Clone)]
pub(super) struct Patient {
    pub(super) key: EntryKey,
    pub(super) info: PatientInfo,
    /// The name to speak to.
    pub(super) spoken: String,
    pub(super) contact: Contact,
    /// What members of one household share.
    pub(super) household: Option<String>,
    /// Known to be under 18.
    pub(super) is_minor: bool,
    pub(super) judgement: Judgement,
    pub(super) zones: CalledPartyZones,
    pub(super) appointment: Option<Appointment>,
    /// The local day of the appointment.
    pub(super) appointment_day: Option<NaiveDate>,
    /// Where the patient is at home, of the campaign's lines.
    pub(super) location: Option<Location>,
    pub(super) not_after: Option<DateTime<Utc>>,
    /// The cells that templates may say, as [`Columns::said`] names them.
    pub(super) said: Arc<Cells>,
}

/// What it takes to read a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct PatientReader<'a> {
    pub(super) columns: &'a Columns,
    pub(super) survey: &'a Survey,
    pub(super) campaign: &'a Campaign,
    pub(super) consent: Consent,
    /// Patients whom another list takes off.
    pub(super) excluded: Option<&'a Excluded>,
    pub(super) at: Desk<'a>,
    /// The present.
    pub(super) now: DateTime<Utc>,
}

/// Where a row is read: at the practice, or at one of its locations.
#[derive(Debug, Clone, Copy)]
pub(super) struct Desk<'a> {
    zone: &'a Zone,
    location: Option<&'a Location>,
    /// The present, by the clock on its wall.
    local: NaiveDateTime,
}

impl<'a> Desk<'a> {
    pub(super) fn of(practice: &'a Practice, location: Option<&'a Location>, now: DateTime<Utc>) -> Self {
        Self { zone: &practice.zone, location, local: practice.zone.local(now) }
    }
}

impl<'a> PatientReader<'a> {
    /// The row's key; an empty cell in any of its columns makes none.
    pub(super) fn key(&self, row: &Row) -> Result<EntryKey, RejectReason> {
        let missing = self.columns.key(row).find(|(_, cell)| cell.is_empty());
        if let Some((name, _)) = missing {
            return Err(RejectReason::Missing(name.to_owned()));
        }
        Ok(EntryKey::of_parts(self.columns.key(row).map(|(_, cell)| cell)))
    }

    /// Reads everything else, at the row's location.
    pub(super) fn read(&self, row: &Row, key: EntryKey, contact: Contact) -> Result<Patient, RejectReason> {
        Self { at: self.desk(row)?, ..*self }.read_there(row, key, contact)
    }

    fn desk(&self, row: &Row) -> Result<Desk<'a>, RejectReason> {
        if !self.campaign.lines.are_written() {
            return Ok(self.at);
        }
        let cell = self.columns.cell(row, Field::Location);
        if cell.is_empty() {
            return Err(RejectReason::Missing(Field::Location.to_string()));
        }
        let campaign = self.campaign;
        let location = campaign.lines.named(cell).ok_or(RejectReason::Location)?;
        let practice = campaign.practice_at(Some(location)).ok_or(RejectReason::Location)?;
        Ok(Desk::of(practice, Some(location), self.now))
    }

    fn read_there(&self, row: &Row, key: EntryKey, contact: Contact) -> Result<Patient, RejectReason> {
        let names = self.names(row)?;
        let born = self.moment(row, Field::DateOfBirth)?.date;
        if born.is_some_and(|born| born > self.today()) {
            return Err(RejectReason::Date { field: Field::DateOfBirth, problem: DateProblem::Future });
        }
        let cell = |field| self.columns.cell(row, field);
        let said = RowPlace { zone: cell(Field::Zone), state: cell(Field::State), postcode: cell(Field::Postcode) };
        let zones =
            place::zones_of(said, contact.phone.number, &self.campaign.calling).map_err(|_| RejectReason::Zone)?;
        let (appointment, day) = self.appointment(row)?;
        let start = appointment.as_ref().and_then(|appointment| appointment.start);
        let judgement = self.judge(row, &contact, &zones)?;
        Ok(Patient {
            judgement: if self.excluded.is_some_and(|excluded| excluded.has(&key)) {
                judgement.or_excluded()
            } else {
                judgement
            },
            said: self.said(row, &names)?.into(),
            info: PatientInfo {
                first_name: names.first,
                last_name: (!names.last.is_empty()).then_some(names.last),
                date_of_birth: born,
                patient_id: some(self.columns.cell(row, Field::PatientId)),
            },
            household: some(self.columns.cell(row, Field::Household)),
            is_minor: born.and_then(|born| self.today().years_since(born)).is_some_and(|age| age < FULL_AGE),
            not_after: start.and_then(|start| self.last_moment(start.to_utc())),
            appointment_day: day,
            location: self.at.location.cloned(),
            spoken: names.preferred,
            key,
            contact,
            zones,
            appointment,
        })
    }

    fn names(&self, row: &Row) -> Result<Names, RejectReason> {
        let cell = |field| self.columns.cell(row, field);
        let names = Names::of(NameCells {
            first: cell(Field::FirstName),
            last: cell(Field::LastName),
            preferred: cell(Field::PreferredName),
            full: cell(Field::FullName),
        });
        if names.first.is_empty() { Err(RejectReason::Missing(Field::FirstName.to_string())) } else { Ok(names) }
    }

    fn today(&self) -> NaiveDate {
        self.at.local.date()
    }

    fn moment(&self, row: &Row, field: Field) -> Result<Moment, RejectReason> {
        let century = if field == Field::DateOfBirth { Century::Past } else { Century::Near };
        DateReader { order: self.survey.order(field), today: self.today(), century }
            .read(self.columns.cell(row, field))
            .map_err(|problem| RejectReason::Date { field, problem })
    }

    fn last_moment(&self, start: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let margin: TimeDelta = self.campaign.redial.stop_before_appointment?;
        start.checked_sub_signed(margin)
    }

    /// The appointment that the call is about, and its local day. A reminder of no appointment reminds of nothing.
    fn appointment(&self, row: &Row) -> Result<(Option<Appointment>, Option<NaiveDate>), RejectReason> {
        let zone = self.at.zone;
        let text = |field| some(self.columns.cell(row, field));
        let start = self.appointment_moment(row, Field::AppointmentStart, None)?;
        let end = self.appointment_moment(row, Field::AppointmentEnd, start.date)?;
        let appointment = Appointment {
            id: text(Field::AppointmentId),
            start: start.in_zone(zone),
            end: end.in_zone(zone),
            type_id: text(Field::AppointmentTypeId),
            description: text(Field::AppointmentDescription),
        };
        let must_start = self.campaign.purpose == Purpose::Reminder && self.columns.has(Field::AppointmentStart);
        if must_start && appointment.start.is_none() {
            let problem = DateProblem::NotADate;
            return Err(match text(Field::AppointmentStart) {
                None => RejectReason::Missing(Field::AppointmentStart.to_string()),
                Some(_) => RejectReason::Date { field: Field::AppointmentStart, problem },
            });
        }
        let is_some = appointment != Appointment::default();
        Ok((is_some.then_some(appointment), start.local_date(zone)))
    }

    /// A start or end may be a time of day alone, on the day that another column gives.
    fn appointment_moment(&self, row: &Row, field: Field, day: Option<NaiveDate>) -> Result<Moment, RejectReason> {
        let moment = self.moment(row, field)?;
        if moment.time.is_none() || moment.date.is_some() {
            return Ok(moment);
        }
        let day = match day {
            Some(day) => Some(day),
            None => self.moment(row, Field::NextAppointment)?.date,
        };
        Ok(Moment { date: day, ..moment })
    }

    fn judge(&self, row: &Row, contact: &Contact, zones: &CalledPartyZones) -> Result<Judgement, RejectReason> {
        let cell = |field| self.columns.has(field).then(|| self.columns.cell(row, field));
        let consent = [Field::Consent, Field::ConsentDate, Field::ConsentSource].into_iter().find_map(cell);
        let exclusions = Exclusions {
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
        let judgement = exclusions.judge(self.campaign.purpose, self.consent);
        let doubt = match () {
            () if judgement.standing != Standing::Ready => return Ok(judgement),
            () if contact.phone.extension => Reason::Extension,
            () if zones.source == ZoneSource::Unknown => Reason::UnknownAreaCode,
            () => return Ok(judgement),
        };
        Ok(Judgement { standing: Standing::Held(doubt), ..judgement })
    }

    /// Open Dental's own column holds numbers where the export does not spell them out; elsewhere a number means nothing.
    fn status<'r>(&self, row: &'r Row) -> Option<&'r str> {
        let status = self.columns.has(Field::Status).then(|| self.columns.cell(row, Field::Status))?;
        let is_open_dentals = self.columns.name_of(Field::Status).eq_ignore_ascii_case("PatStatus");
        Some(if is_open_dentals { status_word(status) } else { status })
    }

    /// Likewise for `PreferRecallMethod` and `PreferContactMethod`.
    fn contact_method<'r>(&self, row: &'r Row) -> Option<&'r str> {
        let field = Field::PreferredContact;
        let method = self.columns.has(field).then(|| self.columns.cell(row, field))?;
        let name = self.columns.name_of(field);
        let is_open_dentals =
            ["PreferRecallMethod", "PreferContactMethod"].iter().any(|own| name.eq_ignore_ascii_case(own));
        Some(if is_open_dentals { contact_word(method) } else { method })
    }

    fn is_disabled(&self, row: &Row) -> Result<bool, RejectReason> {
        let until = self.moment(row, Field::DisabledUntil)?.date;
        Ok(until.is_some_and(|until| until > self.today()))
    }

    /// Dentrix marks a booked appointment by a plus; others give its date, which today's may be still to come.
    fn is_booked(&self, row: &Row) -> Result<bool, RejectReason> {
        if self.campaign.purpose != Purpose::Recall {
            return Ok(false);
        }
        if self.columns.cell(row, Field::NextAppointment) == "+" {
            return Ok(true);
        }
        let moment = self.moment(row, Field::NextAppointment)?;
        Ok(match (moment.date, moment.time) {
            (Some(date), None) => date >= self.today(),
            _ => start_of(moment).is_some_and(|start| start > self.at.local),
        })
    }

    /// Dates as `YYYY-MM-DD`, everything else as the list has it; an empty cell is an empty text.
    fn said(&self, row: &Row, names: &Names) -> Result<Cells, RejectReason> {
        let Names { first, last, preferred } = names;
        let mut said = Cells::with_capacity(self.columns.width() + 3);
        for name in [first, last, preferred] {
            said.push(name);
        }
        for field in self.columns.said_fields() {
            if field.is_date() {
                said.push(&self.said_date(row, field)?);
            } else {
                said.push(self.columns.cell(row, field));
            }
        }
        self.columns.others(row).for_each(|cell| said.push(cell));
        Ok(said)
    }

    fn said_date<'r>(&self, row: &'r Row, field: Field) -> Result<Cow<'r, str>, RejectReason> {
        let cell = self.columns.cell(row, field);
        if cell == "+" {
            return Ok("".into());
        }
        let date = self.moment(row, field)?.date;
        let is_written_so = date.is_some() && date == iso_date(cell);
        Ok(if is_written_so { cell.into() } else { date.map(|date| date.to_string()).unwrap_or_default().into() })
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
