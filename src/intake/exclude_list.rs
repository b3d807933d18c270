//! The exclude list: a second list, of patients who must not be called, for example because they have booked since the
//! export. It needs only the columns of the campaign's key; if it has only some of them, those are compared.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::campaign_columns::position;
use super::date::DateOrderProfile;
use super::error::ListError;
use super::field::{Field, Heading};
use super::key::{KeyColumn, KeyDates, comparable};
use super::list::{Header, List, ListExpectations, ListRow, ListSource, RowPer};
use crate::campaign::{Campaign, DateOrder, ListRules};
use crate::ids::EntryKey;
use crate::zone::Zone;

/// The patients of an exclude list, by their keys. It holds patients' identifiers and is never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ExcludeList {
    /// The parts of the key that are compared.
    parts: Vec<ComparedPart>,
    /// The values of these parts, each with the number of its patient among the list's.
    keys: HashMap<Vec<String>, usize>,
    /// The number of different patients.
    patients: usize,
}

/// A part of the key that is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ComparedPart {
    /// Its index in the key.
    index: usize,
    /// Whether it is a start, of which the exclude list may have the day only.
    is_start: bool,
}

impl std::fmt::Debug for ExcludeList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ExcludeList({}, masked)", self.patients)
    }
}

impl ExcludeList {
    /// Reads an exclude list. A row with an empty key cell is an error, because it might mean any patient.
    pub fn read(source: &ListSource, campaign: &Campaign, now: DateTime<Utc>) -> Result<Self, ListError> {
        let rules = &campaign.list;
        let is_key = |name: &str| rules.key.iter().any(|key| key == name);
        let is_known = |name: &str| is_key(name) || Field::from_column(name).is_some();
        let encoding = None;
        let expected = ListExpectations { is_known: &is_known, encoding, row_per: RowPer::Patient, now };
        let list = List::open(source, &expected)?;
        let columns = key_columns(list.header(), rules)?;
        let orders = date_orders(&list, &columns, rules.date_order)?;
        let dates = ExcludeDates { zone: &campaign.practice.zone, today: campaign.practice.zone.local(now).date() };
        let mut excluded = Self { parts: compared_parts(&columns), ..Self::default() };
        for row in list.rows()? {
            let row = whole_row(row?, &list)?;
            let readings = orders.iter().map(|order| dates.key(&columns, &row, *order)).collect::<Vec<_>>();
            if readings.iter().flatten().any(String::is_empty) {
                return Err(ListError::Malformed { line: row.line, what: "the key is empty" });
            }
            excluded.insert(readings);
        }
        Ok(excluded)
    }

    /// Adds a patient by each way in which the dates of the key may be read.
    fn insert(&mut self, readings: Vec<Vec<String>>) {
        let known = readings.iter().find_map(|key| self.keys.get(key).copied());
        let patient = known.unwrap_or(self.patients);
        self.patients += usize::from(known.is_none());
        self.keys.extend(readings.into_iter().map(|key| (key, patient)));
    }

    /// Whether the list contains the entry or household member with this key.
    #[must_use]
    pub fn has(&self, key: &EntryKey) -> bool {
        self.patient(key).is_some()
    }

    /// The number of the patient with this key among those of the list.
    pub(super) fn patient(&self, key: &EntryKey) -> Option<usize> {
        let parts: Vec<&str> = key.parts().collect();
        let part = |part: &ComparedPart| parts.get(part.index).copied().unwrap_or_default();
        let whole = self.parts.iter().map(|compared| comparable(part(compared)));
        let day_of = |compared: &ComparedPart| {
            let text = part(compared);
            if compared.is_start { text.split_once('T').map_or(text, |(day, _)| day) } else { text }
        };
        let by_day = || self.parts.iter().map(|compared| comparable(day_of(compared))).collect::<Vec<_>>();
        let found = self.keys.get(&whole.collect::<Vec<_>>());
        let has_start = self.parts.iter().any(|compared| compared.is_start);
        found.or_else(|| if has_start { self.keys.get(&by_day()) } else { None }).copied()
    }

    /// The number of different patients.
    #[must_use]
    pub fn count(&self) -> usize {
        self.patients
    }
}

/// How the dates of an exclude list are read, except for their order.
struct ExcludeDates<'a> {
    zone: &'a Zone,
    today: NaiveDate,
}

impl ExcludeDates<'_> {
    fn key(&self, columns: &[(usize, KeyColumn)], row: &ListRow, order: DateOrder) -> Vec<String> {
        let order = |_: Field| order;
        let dates = KeyDates { order: &order, today: self.today, zone: self.zone };
        columns.iter().map(|(_, column)| comparable(&column.part(row, &dates))).collect()
    }
}

fn whole_row(row: ListRow, list: &List) -> Result<ListRow, ListError> {
    if let Some(fault) = row.fault {
        return Err(ListError::Malformed { line: row.line, what: fault.text() });
    }
    if row.cells.len() != list.header().names().len() {
        return Err(ListError::Malformed { line: row.line, what: "not as many cells as columns" });
    }
    Ok(row)
}

/// The orders of day and month in which the dates of the key may be read: both if the cells do not decide, so that nobody
/// is called that the list may mean.
fn date_orders(
    list: &List,
    columns: &[(usize, KeyColumn)],
    configured: Option<DateOrder>,
) -> Result<Vec<DateOrder>, ListError> {
    let dates: Vec<(Field, usize)> = columns.iter().flat_map(|(_, column)| column.date_columns()).collect();
    if dates.is_empty() || configured.is_some() {
        return Ok(vec![configured.unwrap_or(DateOrder::Mdy)]);
    }
    let mut profile = DateOrderProfile::default();
    for row in list.rows()? {
        let row = row?;
        for (_, at) in &dates {
            profile.add(row.cell(*at));
        }
    }
    Ok(profile.decide().map_or_else(|_| vec![DateOrder::Mdy, DateOrder::Dmy], |order| vec![order]))
}

fn compared_parts(columns: &[(usize, KeyColumn)]) -> Vec<ComparedPart> {
    let part = |(index, column): &(usize, KeyColumn)| ComparedPart {
        index: *index,
        is_start: column.date_field().is_some_and(|field| field != Field::DateOfBirth),
    };
    columns.iter().map(part).collect()
}

/// The key columns of an exclude list, each with its index in the campaign's key. At least one.
fn key_columns(header: &Header, rules: &ListRules) -> Result<Vec<(usize, KeyColumn)>, ListError> {
    let names = header.names();
    let of_field = |field: Field| {
        let with = |is_weak: bool| {
            let is_part = |heading: Heading| heading.field == field && heading.is_weak == is_weak;
            names.iter().position(|name| Heading::of(name).is_some_and(is_part))
        };
        with(false).or_else(|| with(true))
    };
    let day_at = of_field(Field::NextAppointment);
    let column_of = |part: &String| {
        let mapped = rules.columns.iter().find(|(field, _)| field == part).map(|(_, column)| column);
        let field = Field::named(part);
        let by_mapping = mapped.and_then(|column| position(names, column));
        let own = by_mapping.or_else(|| field.and_then(of_field)).or_else(|| position(names, part));
        let by_day = || day_at.filter(|_| field == Some(Field::AppointmentStart));
        own.map(|at| KeyColumn::new(part, at, field, day_at))
            .or_else(|| by_day().map(|at| KeyColumn::new(part, at, Some(Field::NextAppointment), None)))
    };
    let found: Vec<(usize, KeyColumn)> =
        rules.key.iter().enumerate().filter_map(|(part, name)| Some((part, column_of(name)?))).collect();
    if found.is_empty() {
        return Err(ListError::NoColumn {
            fields: vec![rules.key.join(" or ")],
            found: names.to_vec(),
            has_start: false,
        });
    }
    Ok(found)
}
