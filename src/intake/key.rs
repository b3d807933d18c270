//! A row's key: what tells one entry from another. It is in one form for every list, however the list writes it: dates are
//! `2026-12-18`, starts `2026-12-18T09:00` with a separate column's date, numbers E.164, names without accents and in one
//! case. So a patient is the same on the next list, and is found by an exclude list, however these are written.

use std::borrow::Cow;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::cell_value::{value, whole_id};
use super::date::{Century, DateCell, DateReader};
use super::field::Field;
use super::list::ListRow;
use super::normal_form::{composed, folded};
use crate::campaign::DateOrder;
use crate::phone::parse_cell::all_numbers_in;
use crate::zone::Zone;

/// A column of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyColumn {
    /// The part's name in the campaign.
    pub(super) name: String,
    pub(super) at: usize,
    form: KeyForm,
    /// The column that has the day, if this one may have a time of day only.
    day_at: Option<usize>,
}

/// In what form the cells of a key column are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyForm {
    /// A number or code of the practice's software.
    Id,
    Name,
    Phone,
    /// A date, perhaps with a time of day.
    Date(Field),
    Text,
}

impl KeyForm {
    fn of(field: Option<Field>) -> Self {
        match field {
            Some(field) if field.is_date() => Self::Date(field),
            Some(field) if field.is_name() => Self::Name,
            Some(field) if field.phone_rank().is_some() => Self::Phone,
            Some(Field::PatientId | Field::AppointmentId | Field::Household | Field::AppointmentTypeId) => Self::Id,
            Some(_) | None => Self::Text,
        }
    }
}

impl KeyColumn {
    /// The column at `at` for the part `name`, which holds `field`. `day_at` is the column of the appointment's day.
    pub(super) fn new(name: &str, at: usize, field: Option<Field>, day_at: Option<usize>) -> Self {
        let is_time = matches!(field, Some(Field::AppointmentStart | Field::AppointmentEnd));
        Self { name: name.to_owned(), at, form: KeyForm::of(field), day_at: day_at.filter(|day| is_time && *day != at) }
    }

    /// The date field in the column; `None` for other fields.
    pub(super) fn date_field(&self) -> Option<Field> {
        match self.form {
            KeyForm::Date(field) => Some(field),
            KeyForm::Id | KeyForm::Name | KeyForm::Phone | KeyForm::Text => None,
        }
    }

    /// The columns that have dates, each with its field.
    pub(super) fn date_columns(&self) -> impl Iterator<Item = (Field, usize)> {
        let day = self.day_at.map(|at| (Field::NextAppointment, at));
        self.date_field().map(|field| (field, self.at)).into_iter().chain(day)
    }

    /// The row's part of the key; empty if it has none.
    pub(super) fn part<'r>(&self, row: &'r ListRow, dates: &KeyDates<'_>) -> Cow<'r, str> {
        let cell = value(row, self.at);
        match self.form {
            KeyForm::Id => single_spaced(whole_id(cell)),
            KeyForm::Name => Cow::Owned(name_form(cell)),
            KeyForm::Phone => number_form(cell),
            KeyForm::Date(field) => {
                let day = self.day_at.and_then(|at| dates.read(Field::NextAppointment, value(row, at)).date);
                let found = dates.read(field, cell);
                let whole = DateCell { date: found.date.or(day), ..found };
                dates.form(field, whole).map_or_else(|| single_spaced(cell), Cow::Owned)
            }
            KeyForm::Text => single_spaced(cell),
        }
    }

    /// The row's part of the key as far as no date has to be read for it.
    pub(super) fn part_without_dates<'r>(&self, row: &'r ListRow) -> Cow<'r, str> {
        match self.form {
            KeyForm::Date(_) => "".into(),
            KeyForm::Id => single_spaced(whole_id(value(row, self.at))),
            KeyForm::Name => Cow::Owned(name_form(value(row, self.at))),
            KeyForm::Phone => number_form(value(row, self.at)),
            KeyForm::Text => single_spaced(value(row, self.at)),
        }
    }
}

/// How the dates in keys are read.
pub(super) struct KeyDates<'a> {
    /// The order of day and month in the column of a field.
    pub(super) order: &'a dyn Fn(Field) -> DateOrder,
    pub(super) today: NaiveDate,
    /// The zone for cells with an offset.
    pub(super) zone: &'a Zone,
}

impl KeyDates<'_> {
    /// The cell's date; none if it cannot be read.
    fn read(&self, field: Field, cell: &str) -> DateCell {
        let century = if field == Field::DateOfBirth { Century::Past } else { Century::Near };
        let reader = DateReader { order: (self.order)(field), today: self.today, century };
        reader.read(cell).unwrap_or_default()
    }

    /// A date, with the time of day if it is an appointment's. Nobody has one at midnight.
    fn form(&self, field: Field, cell: DateCell) -> Option<String> {
        let date = cell.date?;
        let has_time = [Field::AppointmentStart, Field::AppointmentEnd, Field::NextAppointment].contains(&field);
        let time = cell.time.filter(|time| has_time && *time != NaiveTime::MIN);
        let Some(time) = time else { return Some(date.to_string()) };
        let in_zone = cell.offset.and_then(|_| cell.in_zone(self.zone)).map(|instant| instant.naive_local());
        Some(start_form(in_zone.unwrap_or(date.and_time(time))))
    }
}

fn start_form(start: NaiveDateTime) -> String {
    let form = if start.second() == 0 { "%Y-%m-%dT%H:%M" } else { "%Y-%m-%dT%H:%M:%S" };
    start.format(form).to_string()
}

/// A text as a patient's id is kept that a list writes so.
#[must_use]
pub fn id_text(text: &str) -> String {
    single_spaced(&composed(text)).into_owned()
}

/// A text with single spaces.
fn single_spaced(cell: &str) -> Cow<'_, str> {
    let is_single = cell.is_ascii() && !cell.contains("  ") && !cell.contains(|c: char| c.is_ascii_control());
    if is_single { cell.into() } else { cell.split_whitespace().collect::<Vec<_>>().join(" ").into() }
}

/// A name without accents, in single spaces, each word with a capital.
fn name_form(cell: &str) -> String {
    let plain = folded(cell);
    let mut name = String::with_capacity(plain.len());
    let mut starts = true;
    for c in plain.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        if starts {
            name.extend(c.to_uppercase());
        } else {
            name.push(c);
        }
        starts = !c.is_alphanumeric();
    }
    name
}

/// The first number of a phone cell.
fn number_form(cell: &str) -> Cow<'_, str> {
    let first = all_numbers_in(cell).ok().and_then(|numbers| numbers.into_iter().next());
    first.map_or_else(|| single_spaced(cell), |number| number.expose().into())
}

/// A part of a key in the form in which an exclude list is compared: without case, accents, `#` and leading zeros, which
/// spreadsheets take away.
pub(super) fn comparable(part: &str) -> String {
    let plain = folded(part);
    let plain = plain.trim().trim_start_matches('#').trim();
    let is_number = !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit());
    let significant = plain.trim_start_matches('0');
    (if is_number && !significant.is_empty() { significant } else { plain }).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_however_it_is_written() {
        for name in ["José  Núñez", "JOSE NUNEZ", " jose\u{301} nunez "] {
            assert_eq!(name_form(name.trim()), "Jose Nunez");
        }
        assert_eq!(name_form("o'brien-smith"), "O'Brien-Smith");
    }

    #[test]
    fn an_exclude_list_may_have_lost_zeros() {
        for (part, expected) in
            [("0042", "42"), ("#42", "42"), ("0", "0"), ("AB01", "ab01"), ("2026-12-18", "2026-12-18")]
        {
            assert_eq!(comparable(part), expected);
        }
    }
}
