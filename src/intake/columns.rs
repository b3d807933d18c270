//! Which column is which field: by the campaign's explicit mapping first, by the column's name otherwise.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::field::{Field, variable_name};
use super::list::{Header, Row};
use super::problem::ListProblem;
use crate::campaign::ListRules;
use crate::nearest::nearest;
use crate::template;

/// A list's columns, understood.
#[derive(Debug, Clone)]
pub struct Columns {
    names: Vec<String>,
    fields: BTreeMap<Field, usize>,
    phones: Vec<(Field, usize)>,
    others: Vec<(String, usize)>,
    key: Vec<(String, usize)>,
    twins: Vec<Twins>,
}

/// Two columns of one name that mean a field. The first counts, as long as they say the same.
#[derive(Debug, Clone, Copy)]
struct Twins {
    field: Field,
    first: usize,
    second: usize,
}

impl Columns {
    /// Finds the fields among the columns of `header`, and the columns of the campaign's key.
    pub fn of(header: &Header, rules: &ListRules) -> Result<Self, ListProblem> {
        let names = header.names();
        if names.is_empty() {
            return Err(ListProblem::NoRows);
        }
        let mut columns = Self {
            names: names.to_vec(),
            fields: BTreeMap::new(),
            phones: vec![],
            others: vec![],
            key: vec![],
            twins: vec![],
        };
        let mapped = mapped_by_campaign(names, &rules.columns)?;
        for (field, at) in &mapped {
            columns.claim(*field, *at, true)?;
        }
        for (at, name) in names.iter().enumerate() {
            let free = !mapped.iter().any(|(_, taken)| *taken == at);
            let twin = header.first_of_name(at);
            let meant = Field::of_column(twin.map_or(name, |first| &names[first]))
                .filter(|field| field.phone_rank().is_some() || !mapped.iter().any(|(taken, _)| taken == field));
            match (meant, twin) {
                (Some(field), Some(first)) if free && field.phone_rank().is_none() => {
                    columns.twins.push(Twins { field, first, second: at });
                    columns.others.push((variable_name(name), at));
                }
                (Some(field), _) if free => columns.claim(field, at, false)?,
                _ if free => columns.others.push((variable_name(name), at)),
                _ => {}
            }
        }
        columns.require_who_and_where()?;
        columns.key = rules.key.iter().map(|name| columns.key_part(name)).collect::<Result<_, _>>()?;
        Ok(columns)
    }

    /// Gives the column at `at` to `field`. A phone column that the campaign names goes before all others.
    fn claim(&mut self, field: Field, at: usize, explicit: bool) -> Result<(), ListProblem> {
        if let Some(rank) = field.phone_rank() {
            let rank = if explicit { 0 } else { rank + 1 };
            let place = |(other, column): &(Field, usize)| {
                let explicit = self.fields.get(other) == Some(column);
                if explicit { 0 } else { other.phone_rank().unwrap_or(0) + 1 }
            };
            let before = self.phones.iter().take_while(|phone| place(phone) <= rank).count();
            self.phones.insert(before, (field, at));
            if explicit {
                self.fields.insert(field, at);
            }
            return Ok(());
        }
        match self.fields.insert(field, at) {
            None => Ok(()),
            Some(first) => {
                Err(ListProblem::TwoColumns { field, first: self.names[first].clone(), second: self.names[at].clone() })
            }
        }
    }

    /// A list without numbers or names is the wrong list, or needs a mapping.
    fn require_who_and_where(&self) -> Result<(), ListProblem> {
        if self.phones.is_empty() {
            return Err(self.no_column(Field::Phone.name()));
        }
        if !self.has(Field::FirstName) && !self.has(Field::FullName) {
            return Err(self.no_column(Field::FirstName.name()));
        }
        Ok(())
    }

    /// Refuses a row in which two columns of one name that mean a field say different things.
    pub(super) fn refuse_differing_twins(&self, row: &Row) -> Result<(), ListProblem> {
        match self.twins.iter().find(|twins| row.cell(twins.first) != row.cell(twins.second)) {
            None => Ok(()),
            Some(Twins { field, first, second }) => Err(ListProblem::TwinsDiffer {
                field: *field,
                name: self.names[*first].clone(),
                columns: [first + 1, second + 1],
                line: row.line,
            }),
        }
    }

    /// Whether one of the row's cells holds other rows, separated by `separator`: then a quote was never closed, and who
    /// follows would be left out, or called for somebody else. A note may have lines and commas, a name or a number has not
    /// both.
    pub(super) fn swallows(&self, row: &Row, separator: char) -> bool {
        let is_ours = |at: usize| {
            let of_field = |(field, place): (&Field, &usize)| *place == at && (field.is_name() || field.is_date());
            self.phones.iter().any(|(_, place)| *place == at)
                || self.key.iter().any(|(_, place)| *place == at)
                || self.fields.iter().any(of_field)
        };
        let is_a_row = |line: &str| self.width() >= 4 && line.matches(separator).count() == self.width() - 1;
        row.cells.iter().enumerate().any(|(at, cell)| {
            let mut lines = cell.split(['\n', '\r']);
            let first = lines.next().unwrap_or_default();
            first.len() < cell.len() && ((is_ours(at) && cell.contains(separator)) || lines.any(is_a_row))
        })
    }

    fn key_part(&self, name: &str) -> Result<(String, usize), ListProblem> {
        let by_field = Field::named(name).and_then(|field| self.fields.get(&field).copied());
        let by_name = || self.names.iter().position(|column| variable_name(column) == variable_name(name));
        let at = by_field.or_else(by_name).ok_or_else(|| self.no_column(name))?;
        Ok((name.to_owned(), at))
    }

    fn no_column(&self, field: &str) -> ListProblem {
        ListProblem::NoColumn { field: field.to_owned(), found: self.names.clone() }
    }

    /// Whether the list has a column of this field.
    #[must_use]
    pub fn has(&self, field: Field) -> bool {
        self.fields.contains_key(&field)
    }

    /// The row's cell of this field, without surrounding space: empty where the cell is or where there is no column.
    #[must_use]
    pub fn cell<'r>(&self, row: &'r Row, field: Field) -> &'r str {
        self.fields.get(&field).map_or("", |at| row.cell(*at))
    }

    /// The column's name, as the list has it; the field's own where there is no column.
    #[must_use]
    pub fn name_of(&self, field: Field) -> &str {
        self.fields.get(&field).map_or(field.name(), |at| &self.names[*at])
    }

    /// The columns' names, in order.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many cells a row should have.
    #[must_use]
    pub fn width(&self) -> usize {
        self.names.len()
    }

    /// The row's phone cells, the best one first.
    pub fn phones<'r>(&self, row: &'r Row) -> impl Iterator<Item = &'r str> {
        self.phones.iter().map(|(_, at)| row.cell(*at))
    }

    /// What templates may say of a row, by name: the names of the patient, then the fields that have a column
    /// ([`Columns::said_fields`]), then all other columns ([`Columns::others`]). Of two with one name, the first counts.
    #[must_use]
    pub fn said(&self) -> template::Columns {
        let names = [Field::FirstName, Field::LastName, Field::PreferredName];
        let fields = names.into_iter().chain(self.said_fields()).map(|field| field.name().to_owned());
        template::Columns::new(fields.chain(self.others.iter().map(|(name, _)| name.clone())))
    }

    /// The fields that templates may say, names apart. The others have a place of their own in the request, or none.
    pub fn said_fields(&self) -> impl Iterator<Item = Field> {
        self.fields().filter(|field| !field.is_name() && !field.is_of_appointment())
    }

    /// The fields that have a column, phones apart.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        self.fields.keys().copied().filter(|field| field.phone_rank().is_none())
    }

    /// The row's cells of the columns that mean nothing to the intake.
    pub fn others<'r>(&self, row: &'r Row) -> impl Iterator<Item = &'r str> {
        self.others.iter().map(|(_, at)| row.cell(*at))
    }

    /// The key columns' names, as the campaign has them, and the row's cells.
    pub fn key<'r>(&self, row: &'r Row) -> impl Iterator<Item = (&str, &'r str)> {
        self.key.iter().map(|(name, at)| (name.as_str(), row.cell(*at)))
    }

    /// A hash of the row's key.
    pub(super) fn key_hash(&self, row: &Row) -> u64 {
        self.salted_key_hash(row, 0)
    }

    /// A hash of the row's key of 128 bits: among a million keys two differing ones share one once in 10^26 lists.
    pub(super) fn long_key_hash(&self, row: &Row) -> u128 {
        u128::from(self.salted_key_hash(row, 0)) << 64 | u128::from(self.salted_key_hash(row, 1))
    }

    fn salted_key_hash(&self, row: &Row, salt: u8) -> u64 {
        let mut hasher = DefaultHasher::new();
        salt.hash(&mut hasher);
        self.key(row).for_each(|(_, cell)| cell.hash(&mut hasher));
        hasher.finish()
    }

    /// The mapping, for people.
    #[must_use]
    pub fn report(&self) -> MappingReport {
        const BEST_FIRST: [&str; 3] = ["phone", "second_phone", "third_phone"];
        let phone = |rank: usize| BEST_FIRST.get(rank).copied().unwrap_or("another_phone");
        let phones = self.phones.iter().enumerate().map(|(rank, (_, at))| (*at, phone(rank)));
        let fields = self.fields.iter().filter(|(field, _)| field.phone_rank().is_none());
        let fields = fields.map(|(field, at)| (*at, field.name()));
        let by_column: BTreeMap<usize, &'static str> = phones.chain(fields).collect();
        MappingReport {
            mapped: by_column.into_iter().map(|(at, meaning)| (self.names[at].clone(), meaning)).collect(),
            unmapped: self.others.iter().map(|(_, at)| self.names[*at].clone()).collect(),
        }
    }
}

/// The columns of a second list that are parts of the campaign's key: which part, and where. At least one.
pub fn key_columns(header: &Header, rules: &ListRules) -> Result<Vec<(usize, usize)>, ListProblem> {
    let names = header.names();
    let column_of = |part: &String| {
        let mapped = rules.columns.iter().find(|(field, _)| field == part).map(|(_, column)| column);
        let by_mapping = mapped.and_then(|column| position(names, column));
        let field = Field::named(part);
        let by_field = || names.iter().position(|name| field.is_some() && Field::of_column(name) == field);
        by_mapping.or_else(by_field).or_else(|| position(names, part))
    };
    let found: Vec<(usize, usize)> =
        rules.key.iter().enumerate().filter_map(|(part, name)| Some((part, column_of(name)?))).collect();
    if found.is_empty() {
        return Err(ListProblem::NoColumn { field: rules.key.join(" or "), found: names.to_vec() });
    }
    Ok(found)
}

fn mapped_by_campaign(names: &[String], columns: &[(String, String)]) -> Result<Vec<(Field, usize)>, ListProblem> {
    columns
        .iter()
        .map(|(name, column)| {
            let field = Field::named(name).ok_or_else(|| ListProblem::UnknownField {
                name: name.clone(),
                nearest: nearest(name, Field::ALL.iter().map(|field| field.name())),
            })?;
            let at = position(names, column).ok_or_else(|| ListProblem::MappedColumnMissing {
                field: name.clone(),
                column: column.clone(),
                nearest: nearest(column, names.iter().map(String::as_str)).map(str::to_owned),
                found: names.to_vec(),
            })?;
            Ok((field, at))
        })
        .collect()
}

fn position(names: &[String], column: &str) -> Option<usize> {
    let exactly = names.iter().position(|name| name == column.trim());
    exactly.or_else(|| names.iter().position(|name| variable_name(name) == variable_name(column)))
}

/// Which column was taken for which field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingReport {
    /// Column and field, in the list's order; a phone column by its rank among them, the best first.
    pub mapped: Vec<(String, &'static str)>,
    /// Columns that templates may use by their own names.
    pub unmapped: Vec<String>,
}

impl fmt::Display for MappingReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = self.mapped.iter().map(|(column, meaning)| format!("{column} → {}", meaning.replace('_', " ")));
        f.write_str(&said.collect::<Vec<_>>().join(", "))?;
        if self.unmapped.is_empty() { Ok(()) } else { write!(f, "; unmapped: {}", self.unmapped.join(", ")) }
    }
}
