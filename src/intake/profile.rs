//! The first pass over a list. It collects what depends on the whole list: the number of rows, the date order of each
//! column, which numbers and keys occur more than once, and which numbers some row forbids.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};

use super::columns::Columns;
use super::date::{AmbiguousOrder, Century, DateOrderProfile, DateReader, is_minor};
use super::duplicate_filter::{DuplicateFilter, HashCollector, hash_of};
use super::eligibility::{CellVerdict, ExclusionCell, gravest};
use super::error::ListError;
use super::field::Field;
use super::forbidding_columns::ForbiddingColumns;
use super::list::{List, ListRow};
use super::list_numbers::ListNumbers;
use super::non_patient_rows::is_non_patient_row;
use super::notes;
use super::row_numbers::row_numbers;
use super::row_shape::has_row_in_cell;
use super::section_rows::is_forbidding_section;
use super::short_rows::ShortRows;
use crate::campaign::{Campaign, DateOrder, HouseholdRule, Purpose};
use crate::entry::Reason;
use crate::phone::parse_cell::{DialRules, all_numbers_in};

/// The result of the first pass.
#[derive(Debug, Clone, Default)]
pub(super) struct ListProfile {
    /// The number of rows, without blank and non-patient rows.
    pub(super) rows: u64,
    /// Those of the rows that a spreadsheet hides.
    pub(super) hidden_rows: u64,
    /// The lines of non-patient rows.
    pub(super) non_patient_lines: Vec<u64>,
    date_orders: BTreeMap<Field, DateOrder>,
    /// Which best phone numbers occur in several rows.
    pub(super) numbers: DuplicateFilter,
    /// The lines of rows with too few cells next to another such row: one row that a line break has cut in two.
    pub(super) broken_lines: HashSet<u64>,
    /// Which keys occur in several rows.
    pub(super) keys: DuplicateFilter,
    /// The columns of permissions that have yes and blank cells only: a blank one may mean no.
    pub(super) ticked_columns: Vec<usize>,
    /// The lines of rows with a note that forbids a call.
    pub(super) noted_lines: HashSet<u64>,
    /// The numbers that concern several rows.
    pub(super) list_numbers: ListNumbers,
}

impl ListProfile {
    /// Reads the whole list: once, and its guarantors again if patients without a number depend on them.
    pub(super) fn new(
        list: &List,
        columns: &Columns,
        campaign: &Campaign,
        rules: DialRules<'_>,
        now: DateTime<Utc>,
    ) -> Result<Self, ListError> {
        let mut pass = FirstPass::new(columns, campaign, rules);
        pass.read(list)?;
        pass.decide_orders(campaign.list.date_order)?;
        if pass.profile.list_numbers.needs_guarantors() {
            pass.find_guarantors(list, campaign.practice.zone.local(now).date())?;
        }
        pass.finish()
    }

    /// The order of day, month and year in a date column.
    pub(super) fn date_order(&self, field: Field) -> DateOrder {
        self.date_orders.get(&field).copied().unwrap_or(DateOrder::Mdy)
    }
}

/// The first pass, under way.
struct FirstPass<'a> {
    profile: ListProfile,
    columns: &'a Columns,
    rules: DialRules<'a>,
    purpose: Purpose,
    /// Whether patients who share a number share a call.
    has_households: bool,
    dates: Vec<(Field, DateOrderProfile)>,
    forbidding: ForbiddingColumns,
    keys: HashCollector,
    numbers: HashCollector,
}

impl<'a> FirstPass<'a> {
    fn new(columns: &'a Columns, campaign: &Campaign, rules: DialRules<'a>) -> Self {
        let dates = columns.fields().filter(|field| field.is_date());
        Self {
            profile: ListProfile::default(),
            columns,
            rules,
            purpose: campaign.purpose,
            has_households: campaign.calling.household != HouseholdRule::Off,
            dates: dates.map(|field| (field, DateOrderProfile::default())).collect(),
            forbidding: ForbiddingColumns::new(columns, campaign.purpose),
            keys: HashCollector::default(),
            numbers: HashCollector::default(),
        }
    }

    fn read(&mut self, list: &List) -> Result<(), ListError> {
        let (columns, separator) = (self.columns, list.separator());
        let mut short = ShortRows::default();
        let (mut rows, mut row, mut previous) = (list.rows()?, ListRow::default(), 0);
        while rows.read_into(&mut row)? {
            if row.fault.is_some() {
                self.profile.rows += 1;
                continue;
            }
            if is_non_patient_row(&row, columns) {
                self.profile.non_patient_lines.push(row.line);
                continue;
            }
            if is_forbidding_section(&row) {
                return Err(ListError::ForbiddingSection { line: row.line });
            }
            self.profile.rows += 1;
            self.profile.hidden_rows += u64::from(row.is_hidden);
            let before = std::mem::replace(&mut previous, row.line);
            if row.has_line_breaks() && separator.is_some_and(|separator| has_row_in_cell(columns, &row, separator)) {
                // If the list ends inside the quote, the row's line is one too low.
                return Err(ListError::RowsInACell { line: row.line.max(before + 1) });
            }
            if let Some(left_short) = short.next(&row, columns) {
                self.add(&left_short.padded(columns.width()))?;
            }
            match row.cells.len().cmp(&columns.width()) {
                Ordering::Equal => self.add(&row)?,
                // Which of its cells is which is not known, but the row may say that somebody must not be called.
                Ordering::Greater => self.add_shifted(&row),
                Ordering::Less => {}
            }
        }
        if let Some(left_short) = short.end() {
            self.add(&left_short.padded(columns.width()))?;
        }
        self.profile.broken_lines = short.broken;
        Ok(())
    }

    fn add(&mut self, row: &ListRow) -> Result<(), ListError> {
        let columns = self.columns;
        columns.check_duplicates(row)?;
        for (field, order) in &mut self.dates {
            order.add(columns.cell(row, *field));
        }
        if let Some(key) = columns.key_hash(row) {
            self.keys.add(key);
        }
        let forbids = self.forbidding.add(columns, row);
        let note = notes::in_row(columns, row, self.purpose);
        if note.is_some() {
            self.profile.noted_lines.insert(row.line);
        }
        match row_numbers(columns, row, self.rules) {
            Ok(phones) => {
                if self.has_households {
                    self.numbers.add(hash_of(phones.counted));
                }
                if gravest(forbids.into_iter().chain(note)) == Some(Reason::DoNotCall) {
                    self.profile.list_numbers.bar(&phones);
                }
            }
            Err(reason) => self.profile.list_numbers.add_without_number(columns, row, &reason),
        }
        Ok(())
    }

    /// Adds a row with more cells than the header: it is rejected, and what it forbids counts for all of its numbers.
    fn add_shifted(&mut self, row: &ListRow) {
        let in_place = self
            .columns
            .forbidding()
            .iter()
            .map(|column| ExclusionCell::read(column, self.columns, row).verdict(self.purpose));
        let of_cells = in_place.filter_map(|verdict| match verdict {
            CellVerdict::Forbids(reason) => Some(reason),
            CellVerdict::Allows | CellVerdict::Unclear | CellVerdict::Holds => None,
        });
        let of_notes = row.cells.iter().filter_map(notes::forbids);
        if of_cells.chain(of_notes).any(|reason| reason == Reason::DoNotCall) {
            let numbers = row.cells.iter().filter_map(|cell| all_numbers_in(cell).ok()).flatten();
            self.profile.list_numbers.bar_numbers(numbers);
        }
    }

    /// Reads the list again for the numbers of those on whom patients without a number depend.
    fn find_guarantors(&mut self, list: &List, today: NaiveDate) -> Result<(), ListError> {
        let (columns, rules, purpose) = (self.columns, self.rules, self.purpose);
        let births = DateReader { order: self.profile.date_order(Field::DateOfBirth), today, century: Century::Past };
        let (mut rows, mut row) = (list.rows()?, ListRow::default());
        while rows.read_into(&mut row)? {
            if row.fault.is_some() || row.cells.len() > columns.width() {
                continue;
            }
            let numbers = || {
                let born = births.read(columns.cell(&row, Field::DateOfBirth)).ok().and_then(|cell| cell.date);
                let forbids = columns.forbidding().iter().filter_map(|column| {
                    match ExclusionCell::read(column, columns, &row).verdict(purpose) {
                        CellVerdict::Forbids(reason) => Some(reason),
                        CellVerdict::Allows | CellVerdict::Unclear | CellVerdict::Holds => None,
                    }
                });
                let is_dead = gravest(forbids.chain(notes::in_row(columns, &row, purpose))) == Some(Reason::Deceased);
                let may_lend = !is_dead && !is_minor(born, today);
                row_numbers(columns, &row, rules).ok().filter(|_| may_lend)
            };
            self.profile.list_numbers.add_guarantor(columns, &row, numbers);
        }
        if self.has_households {
            for (number, dependants) in self.profile.list_numbers.lent() {
                (0..dependants).for_each(|_| self.numbers.add(hash_of(number)));
            }
        }
        Ok(())
    }

    /// The campaign's `date_order` decides or, without one, the cells of each column; where these do not, the order that
    /// the cells of other columns prove.
    fn decide_orders(&mut self, configured: Option<DateOrder>) -> Result<(), ListError> {
        let mut proved = self.dates.iter().filter_map(|(_, profile)| profile.proved());
        let first = proved.next();
        let of_others = first.filter(|first| proved.all(|order| order == *first));
        for (field, profile) in &self.dates {
            let order = match (configured, profile.decide()) {
                (Some(order), _) | (None, Ok(order)) => order,
                (None, Err(AmbiguousOrder { contradictory })) => {
                    let order = of_others.filter(|order| !contradictory && profile.allows(*order));
                    let column = || self.columns.name_of(*field).to_owned();
                    order.ok_or_else(|| ListError::DateOrder { column: column(), contradictory })?
                }
            };
            self.profile.date_orders.insert(*field, order);
        }
        Ok(())
    }

    fn finish(self) -> Result<ListProfile, ListError> {
        let ticked_columns = self.forbidding.ticked();
        let profile =
            ListProfile { ticked_columns, keys: self.keys.finish(), numbers: self.numbers.finish(), ..self.profile };
        match self.forbidding.finish() {
            _ if profile.rows == 0 => Err(ListError::NoRows),
            Some(unclear) => Err(ListError::NotUnderstood(Box::new(unclear))),
            None => Ok(profile),
        }
    }
}
