//! The mapping of columns to fields: by the campaign's `[list] columns` first, otherwise by the column's name.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::campaign_columns::{mapped_by_campaign, names_without_column, position};
use super::cell_value::value;
use super::cell_words::words_of;
use super::column_sample::ColumnSample;
use super::error::ListError;
use super::field::{Exclusion, Field, Heading, variable_name};
use super::heading_by_cells::{drop_needless_visits, drop_worse_columns, heading_by_cells, read_name_as_first};
use super::key::{KeyColumn, KeyDates};
use super::list::{Header, ListRow};
use super::mapping_report::MappingReport;
use super::number_columns::NumberColumn;
use super::word_lists::WordList;
use crate::campaign::{ListRules, Purpose, ValueMeaning};
use crate::template::TemplateColumns;

/// A list's columns with their fields. Positions are indices of a row's cells.
#[derive(Debug, Clone)]
pub struct Columns {
    names: Vec<String>,
    /// The column of each field; of the phone fields, only those that the campaign maps.
    fields: BTreeMap<Field, usize>,
    /// The phone columns, best first.
    phones: Vec<(Field, usize)>,
    /// The columns that may forbid a call: every one of such a field.
    forbidding: Vec<ForbiddingColumn>,
    /// The columns that the campaign ignores.
    ignored: Vec<usize>,
    /// The columns without a field, by their variable names.
    unmapped: Vec<(String, usize)>,
    /// The columns of the campaign's key, in its order.
    key: Vec<KeyColumn>,
    duplicates: Vec<DuplicateColumns>,
    /// The columns about single phone columns.
    numbers: Vec<NumberColumn>,
    /// Sentences about names in the campaign that no column has.
    names_without_column: Vec<String>,
}

/// What is read instead of a number that another column forbids.
const BARRED_NUMBER: &str = "do not use";

/// A column that may forbid a call.
#[derive(Debug, Clone)]
pub(super) struct ForbiddingColumn {
    pub(super) field: Field,
    pub(super) exclusion: Exclusion,
    pub(super) at: usize,
    /// What the campaign says of words in the column, in small letters.
    values: Vec<(String, ValueMeaning)>,
}

/// Two columns with the same name that is a field's. The first counts, provided that their cells are equal.
#[derive(Debug, Clone, Copy)]
struct DuplicateColumns {
    field: Field,
    first: usize,
    second: usize,
}

impl ForbiddingColumn {
    /// What the campaign says of the words in a cell.
    pub(super) fn meaning_of(&self, cell: &str) -> Option<ValueMeaning> {
        if self.values.is_empty() {
            return None;
        }
        let cell = cell.to_lowercase();
        self.values.iter().find(|(word, _)| *word == cell).map(|(_, meaning)| *meaning)
    }
}

impl Columns {
    /// Maps the columns of `header` to fields, and finds the columns of the campaign's key.
    pub(super) fn from_header(
        header: &Header,
        sample: &ColumnSample,
        rules: &ListRules,
        purpose: Purpose,
    ) -> Result<Self, ListError> {
        let names = header.names();
        if names.is_empty() {
            return Err(ListError::NoRows);
        }
        let mut columns = Self {
            names: names.to_vec(),
            fields: BTreeMap::new(),
            phones: vec![],
            forbidding: vec![],
            ignored: rules.ignore.iter().filter_map(|name| position(names, name)).collect(),
            unmapped: vec![],
            key: vec![],
            duplicates: vec![],
            numbers: vec![],
            names_without_column: names_without_column(names, rules),
        };
        let mapped = mapped_by_campaign(names, &rules.columns)?;
        for (field, at) in &mapped {
            columns.assign(*field, *at, true)?;
        }
        let mut headings = columns.free_headings(header, sample, &mapped, purpose);
        drop_worse_columns(&mut headings, header, sample);
        for (at, name) in names.iter().enumerate().filter(|(at, _)| !mapped.iter().any(|(_, column)| column == at)) {
            match (headings[at], header.first_of_name(at)) {
                (Some(field), Some(first)) if field.phone_rank().is_none() && field.exclusion().is_none() => {
                    columns.duplicates.push(DuplicateColumns { field, first, second: at });
                    columns.unmapped.push((variable_name(name), at));
                }
                (Some(field), _) => columns.assign(field, at, false)?,
                (None, _) => columns.unmapped.push((variable_name(name), at)),
            }
        }
        let free = columns.unmapped.iter().map(|(_, at)| *at).filter(|at| !columns.ignored.contains(at));
        columns.numbers = NumberColumn::all(names, &columns.phones, free);
        columns.require(rules, purpose)?;
        columns.take_values(&rules.values)?;
        Ok(columns)
    }

    /// The field of each column by its heading: not of columns that the campaign maps or ignores, nor of a field that the
    /// campaign maps, unless every column of the field counts. A weak heading counts only if its field has no other.
    fn free_headings(
        &self,
        header: &Header,
        sample: &ColumnSample,
        mapped: &[(Field, usize)],
        purpose: Purpose,
    ) -> Vec<Option<Field>> {
        let names = header.names();
        let is_mapped = |field: Field| mapped.iter().any(|(other, _)| *other == field);
        let heading_of = |at: usize| {
            let is_free = !mapped.iter().any(|(_, column)| *column == at) && !self.ignored.contains(&at);
            let name = header.first_of_name(at).map_or(&names[at], |first| &names[first]);
            let heading = Heading::of(name).filter(|_| is_free)?;
            let heading = heading_by_cells(heading, at, sample);
            if heading.is_of_visit && purpose == Purpose::Recall {
                return None;
            }
            let reads_all = heading.field.phone_rank().is_some() || heading.field.exclusion().is_some();
            (reads_all || !is_mapped(heading.field)).then_some(heading)
        };
        let mut found: Vec<Option<Heading>> = (0..names.len()).map(heading_of).collect();
        drop_needless_visits(&mut found);
        read_name_as_first(&mut found, sample);
        self.read_patient_as_name(&mut found, mapped);
        // Phone fields are one: an address book's `Phone 2 - Value` is not needed next to a mobile number.
        let kind = |field: Field| field.phone_rank().map_or(field, |_| Field::Phone);
        let strong: BTreeSet<Field> =
            found.iter().flatten().filter(|heading| !heading.is_weak).map(|heading| kind(heading.field)).collect();
        let counts = |heading: Heading| {
            let is_needed = heading.field.exclusion().is_some() || !strong.contains(&kind(heading.field));
            (!heading.is_weak || is_needed).then_some(heading.field)
        };
        found.into_iter().map(|heading| heading.and_then(counts)).collect()
    }

    /// A column `Patient` next to another that has the patient's number is the patient's name, if no other column is.
    fn read_patient_as_name(&self, found: &mut [Option<Heading>], mapped: &[(Field, usize)]) {
        let is = |field: Field| {
            let by_heading =
                found.iter().flatten().filter(move |heading| heading.field == field && !heading.is_weak).count();
            by_heading > 0 || mapped.iter().any(|(other, _)| *other == field)
        };
        if is(Field::PatientId) && !is(Field::FirstName) && !is(Field::FullName) {
            let is_patient = |name: &String| name.trim().eq_ignore_ascii_case("patient");
            for (heading, _) in found.iter_mut().zip(&self.names).filter(|(_, name)| is_patient(name)) {
                *heading = heading.map(|heading| Heading { field: Field::FullName, ..heading });
            }
        }
    }

    /// Notes what the campaign says of words, under the name of a column or of a field.
    fn take_values(&mut self, values: &[(String, String, ValueMeaning)]) -> Result<(), ListError> {
        for (column, word, meaning) in values {
            let at = position(&self.names, column);
            let mut is_used = false;
            for forbidding in &mut self.forbidding {
                if forbidding.field.name() == column || at == Some(forbidding.at) {
                    forbidding.values.push((word.trim().to_lowercase(), *meaning));
                    is_used = true;
                }
            }
            if !is_used && at.is_some() {
                return Err(ListError::ValuesOfNoField { column: column.clone() });
            }
        }
        Ok(())
    }

    /// Assigns the column at `at` to `field`. A phone column that the campaign maps (`explicit`) precedes all others.
    fn assign(&mut self, field: Field, at: usize, explicit: bool) -> Result<(), ListError> {
        if let Some(rank) = field.phone_rank() {
            let rank = if explicit { 0 } else { rank + 1 };
            let rank_of = |(other, column): &(Field, usize)| {
                let explicit = self.fields.get(other) == Some(column);
                if explicit { 0 } else { other.phone_rank().unwrap_or(0) + 1 }
            };
            let before = self.phones.iter().take_while(|phone| rank_of(phone) <= rank).count();
            self.phones.insert(before, (field, at));
            if explicit {
                self.fields.insert(field, at);
            }
            return Ok(());
        }
        if let Some(exclusion) = field.exclusion() {
            self.forbidding.push(ForbiddingColumn { field, exclusion, at, values: Vec::new() });
            self.fields.entry(field).or_insert(at);
            return Ok(());
        }
        match self.fields.insert(field, at) {
            None => Ok(()),
            Some(first) => {
                Err(ListError::TwoColumns { field, first: self.names[first].clone(), second: self.names[at].clone() })
            }
        }
    }

    /// Finds the columns of the campaign's key, and names every field that the list lacks.
    fn require(&mut self, rules: &ListRules, purpose: Purpose) -> Result<(), ListError> {
        let mut missing = Vec::new();
        if self.phones.is_empty() {
            missing.push(Field::Phone.name().to_owned());
        }
        if !self.has(Field::FirstName) && !self.has(Field::FullName) {
            missing.push(Field::FirstName.name().to_owned());
        }
        for name in &rules.key {
            match self.key_part(name, purpose) {
                Some(at) => {
                    let day_at = self.fields.get(&Field::NextAppointment).copied();
                    self.key.push(KeyColumn::new(name, at, self.field_at(at), day_at));
                }
                None if missing.contains(name) => {}
                None => missing.push(name.clone()),
            }
        }
        let has_start = self.has(Field::AppointmentStart) || self.has(Field::NextAppointment);
        if purpose == Purpose::Reminder
            && !has_start
            && rules.key.iter().any(|name| Field::named(name) == Some(Field::AppointmentId))
        {
            missing.push(Field::AppointmentStart.name().to_owned());
        }
        if missing.is_empty() {
            Ok(())
        } else {
            let has_start = self.has(Field::AppointmentStart) || self.has(Field::NextAppointment);
            Err(ListError::NoColumn { fields: missing, found: self.names.clone(), has_start })
        }
    }

    /// Refuses a row in which duplicate columns of a field have different cells.
    pub(super) fn check_duplicates(&self, row: &ListRow) -> Result<(), ListError> {
        match self.duplicates.iter().find(|pair| row.cell(pair.first) != row.cell(pair.second)) {
            None => Ok(()),
            Some(DuplicateColumns { field, first, second }) => Err(ListError::DuplicateColumnsDiffer {
                field: *field,
                name: self.names[*first].clone(),
                columns: [first + 1, second + 1],
                line: row.line,
            }),
        }
    }

    /// The column of a part of the key. In a reminder the day of the appointment is its start if the list has no other.
    fn key_part(&self, name: &str, purpose: Purpose) -> Option<usize> {
        let by_field = Field::named(name).and_then(|field| {
            let phone = self.phones.iter().find(|(other, _)| *other == field || field == Field::Phone);
            self.fields.get(&field).copied().or(phone.filter(|_| field.phone_rank().is_some()).map(|(_, at)| *at))
        });
        let by_name = || self.names.iter().position(|column| variable_name(column) == variable_name(name));
        let is_start = purpose == Purpose::Reminder && Field::named(name) == Some(Field::AppointmentStart);
        let by_day = || self.fields.get(&Field::NextAppointment).copied().filter(|_| is_start);
        by_field.or_else(by_name).or_else(by_day)
    }

    /// The field in the column at `at`.
    fn field_at(&self, at: usize) -> Option<Field> {
        let of_phone = self.phones.iter().find(|(_, column)| *column == at).map(|(field, _)| *field);
        self.fields.iter().find(|(_, column)| **column == at).map(|(field, _)| *field).or(of_phone)
    }

    /// Whether the list has a column for this field. Of the phone fields, only those count that the campaign maps.
    #[must_use]
    pub fn has(&self, field: Field) -> bool {
        self.fields.contains_key(&field)
    }

    /// The row's cell of this field, without surrounding space; empty if there is no column, or if the cell is what
    /// software writes for nothing.
    #[must_use]
    pub fn cell<'r>(&self, row: &'r ListRow, field: Field) -> &'r str {
        self.fields.get(&field).map_or("", |at| value(row, *at))
    }

    /// The columns that may forbid a call.
    pub(super) fn forbidding(&self) -> &[ForbiddingColumn] {
        &self.forbidding
    }

    /// The row's cells of this field, of which there may be several columns, with what the campaign says of their words.
    pub(super) fn cells<'r>(
        &self,
        row: &'r ListRow,
        field: Field,
    ) -> impl Iterator<Item = (&'r str, Option<ValueMeaning>)> {
        self.forbidding.iter().filter(move |column| column.field == field).map(|column| {
            let cell = value(row, column.at);
            (cell, column.meaning_of(cell))
        })
    }

    /// The name of the field's column in the list; the field's own name if there is no column.
    #[must_use]
    pub fn name_of(&self, field: Field) -> &str {
        self.fields.get(&field).map_or(field.name(), |at| &self.names[*at])
    }

    /// The column names, in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The positions of the phone columns, best first.
    pub(super) fn phone_positions(&self) -> impl Iterator<Item = usize> {
        self.phones.iter().map(|(_, at)| *at)
    }

    /// The positions of the key's columns.
    pub(super) fn key_positions(&self) -> impl Iterator<Item = usize> {
        self.key.iter().map(|column| column.at)
    }

    /// Whether the column at `at` holds one name, date, number or key, and no text.
    pub(super) fn is_single_value(&self, at: usize) -> bool {
        let of_field = |(field, column): (&Field, &usize)| *column == at && (field.is_name() || field.is_date());
        self.phone_positions().chain(self.key_positions()).any(|column| column == at)
            || self.fields.iter().any(of_field)
    }

    /// The number of cells that a row must have.
    #[must_use]
    pub fn width(&self) -> usize {
        self.names.len()
    }

    /// The row's phone cells, best column first.
    pub fn phones<'r>(&self, row: &'r ListRow) -> impl Iterator<Item = &'r str> {
        self.phones.iter().map(|(_, at)| {
            let cell = value(row, *at);
            let mut about = self.numbers.iter().filter(|number| number.phone == *at);
            if about.any(|number| number.bars(value(row, number.at))) && !cell.is_empty() {
                BARRED_NUMBER
            } else {
                cell
            }
        })
    }

    /// The columns, but for ignored ones, whose cells could be words of a status: those without a field, but
    /// for those about a number, and those of words for templates. Each with its position and name.
    pub(super) fn columns_of_words(&self) -> impl Iterator<Item = (usize, &str)> {
        const OF_WORDS: [Field; 3] = [Field::Type, Field::Interval, Field::AppointmentDescription];
        let of_words = OF_WORDS.into_iter().filter_map(|field| self.fields.get(&field).copied());
        let positions = self.unmapped.iter().map(|(_, at)| *at).chain(of_words);
        let is_meant = |at: &usize| !self.ignored.contains(at) && !self.numbers.iter().any(|number| number.at == *at);
        positions.filter(is_meant).map(|at| (at, self.names[at].as_str()))
    }

    /// The row's notes about the appointment.
    pub(super) fn appointment_notes<'r>(&self, row: &'r ListRow) -> impl Iterator<Item = &'r str> {
        let description = self.fields.get(&Field::AppointmentDescription).copied();
        let is_note = |name: &str| WordList::named("note_heading").has_any(&words_of(name));
        let notes = self.unmapped.iter().map(|(_, at)| *at).filter(move |at| is_note(&self.names[*at]));
        notes.chain(description).filter(|at| !self.ignored.contains(at)).map(|at| value(row, at))
    }

    /// The columns that templates may use: the patient's names, then [`Columns::template_fields`], then
    /// [`Columns::unmapped`]. Of two with the same name, the first counts.
    #[must_use]
    pub fn template_columns(&self) -> TemplateColumns {
        TemplateColumns::new(self.variables())
    }

    /// The variables that templates may use.
    pub(super) fn variables(&self) -> Vec<String> {
        let names = [Field::FirstName, Field::LastName, Field::PreferredName];
        let fields = names.into_iter().chain(self.template_fields()).map(|field| field.name().to_owned());
        fields.chain(self.unmapped.iter().map(|(name, _)| name.clone())).collect()
    }

    /// The fields that templates may use, without names, phones and the appointment, which are handled separately.
    pub fn template_fields(&self) -> impl Iterator<Item = Field> {
        self.fields().filter(|field| !field.is_name() && !field.is_of_appointment())
    }

    /// The fields that have a column, without phones.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        self.fields.keys().copied().filter(|field| field.phone_rank().is_none())
    }

    /// The row's cells that may hold a note: not those of phones, of columns that forbid by themselves and of ignored ones.
    pub(super) fn note_cells<'r>(&self, row: &'r ListRow) -> impl Iterator<Item = &'r str> {
        let is_read = |at: &usize| {
            let is_other = self.ignored.contains(at) || self.phone_positions().any(|phone| phone == *at);
            !is_other && !self.forbidding.iter().any(|column| column.at == *at)
        };
        (0..self.width()).filter(is_read).map(|at| value(row, at))
    }

    /// The row's cells in columns without a field.
    pub fn unmapped<'r>(&self, row: &'r ListRow) -> impl Iterator<Item = &'r str> {
        self.unmapped.iter().map(|(_, at)| value(row, *at))
    }

    /// The parts of the row's key, each with its name in the campaign.
    pub(super) fn key<'r>(&self, row: &'r ListRow, dates: &KeyDates<'_>) -> impl Iterator<Item = (&str, Cow<'r, str>)> {
        self.key.iter().map(move |column| (column.name.as_str(), column.part(row, dates)))
    }

    /// Whether the key tells the appointments of a patient apart.
    pub(super) fn has_appointment_in_key(&self) -> bool {
        const APART: [Field; 3] = [Field::AppointmentId, Field::AppointmentStart, Field::NextAppointment];
        self.key.iter().any(|column| self.field_at(column.at).is_some_and(|field| APART.contains(&field)))
    }

    /// A hash of the row's key without its dates, whose order is not known before the whole list has been read. `None` if a
    /// cell of the key is empty.
    pub(super) fn key_hash(&self, row: &ListRow) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        for column in &self.key {
            if value(row, column.at).is_empty() {
                return None;
            }
            column.part_without_dates(row).hash(&mut hasher);
        }
        Some(hasher.finish())
    }

    /// Sentences about names in the campaign that no column has.
    pub(super) fn names_without_column(&self) -> &[String] {
        &self.names_without_column
    }

    /// The mapping, for display.
    #[must_use]
    pub fn report(&self) -> MappingReport {
        const BEST_FIRST: [&str; 3] = ["phone", "second_phone", "third_phone"];
        let phone = |rank: usize| BEST_FIRST.get(rank).copied().unwrap_or("another_phone");
        let phones = self.phones.iter().enumerate().map(|(rank, (_, at))| (*at, phone(rank)));
        let fields = self.fields.iter().filter(|(field, _)| field.phone_rank().is_none());
        let fields = fields.map(|(field, at)| (*at, field.name()));
        let forbidding = self.forbidding.iter().map(|column| (column.at, column.field.name()));
        let by_column: BTreeMap<usize, &'static str> = phones.chain(fields).chain(forbidding).collect();
        MappingReport {
            mapped: by_column.into_iter().map(|(at, meaning)| (self.names[at].clone(), meaning)).collect(),
            unmapped: self.unmapped.iter().map(|(_, at)| self.names[*at].clone()).collect(),
        }
    }
}
