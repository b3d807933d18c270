//! The first pass over a list. It collects what depends on the whole list: the number of rows, the date order of each
//! column, and which numbers and keys occur more than once.

use std::collections::{BTreeMap, HashSet};

use super::columns::Columns;
use super::date::{AmbiguousOrder, DateOrderProfile};
use super::duplicate_filter::{DuplicateFilter, HashCollector, hash_of};
use super::error::ListError;
use super::field::Field;
use super::forbidding_columns::ForbiddingColumns;
use super::list::{List, ListRow};
use super::non_patient_rows::is_non_patient_row;
use super::phone_choice::PhoneChoice;
use crate::campaign::{DateOrder, ListRules, Purpose};
use crate::phone::parse_cell::DialRules;

/// The result of the first pass.
#[derive(Debug, Clone, Default)]
pub(super) struct ListProfile {
    /// The number of rows, without blank and non-patient rows.
    pub(super) rows: u64,
    /// The lines of non-patient rows.
    pub(super) non_patient_lines: Vec<u64>,
    date_orders: BTreeMap<Field, DateOrder>,
    /// Which best phone numbers occur in several rows.
    pub(super) numbers: DuplicateFilter,
    /// The lines of rows with too few cells next to another such row: one row that a line break has cut in two.
    pub(super) broken_lines: HashSet<u64>,
    /// Which keys occur in several rows.
    pub(super) keys: DuplicateFilter,
}

impl ListProfile {
    /// Reads the whole list. Counts shared numbers only if `households` is given.
    pub(super) fn new(
        list: &List,
        columns: &Columns,
        rules: &ListRules,
        purpose: Purpose,
        households: Option<DialRules<'_>>,
    ) -> Result<Self, ListError> {
        let mut profile = Self::default();
        let mut dates: Vec<(Field, DateOrderProfile)> = columns
            .fields()
            .filter(|field| field.is_date())
            .map(|field| (field, DateOrderProfile::default()))
            .collect();
        let mut forbidding = ForbiddingColumns::new(columns, purpose);
        let (mut keys, mut numbers) = (HashCollector::default(), HashCollector::default());
        let separator = list.separator();
        let mut short = ShortRows::default();
        let (mut rows, mut row, mut previous) = (list.rows()?, ListRow::default(), 0);
        let mut add = |row: &ListRow| -> Result<(), ListError> {
            columns.check_duplicates(row)?;
            for (field, order) in &mut dates {
                order.add(columns.cell(row, *field));
            }
            forbidding.add(columns, row);
            keys.add(columns.key_hash(row));
            if let Some(Ok(phones)) = households.map(|rules| PhoneChoice::choose(columns.phones(row), rules)) {
                numbers.add(hash_of(phones.best.number));
            }
            Ok(())
        };
        while rows.read_into(&mut row)? {
            if row.fault.is_some() {
                profile.rows += 1;
                continue;
            }
            if is_non_patient_row(&row, columns) {
                profile.non_patient_lines.push(row.line);
                continue;
            }
            profile.rows += 1;
            let before = std::mem::replace(&mut previous, row.line);
            if row.has_line_breaks() && separator.is_some_and(|separator| columns.has_row_in_cell(&row, separator)) {
                // If the list ends inside the quote, the row's line is one too low.
                return Err(ListError::RowsInACell { line: row.line.max(before + 1) });
            }
            if let Some(left_short) = short.next(&row, columns.width()) {
                add(&left_short.padded(columns.width()))?;
            }
            if row.cells.len() == columns.width() {
                add(&row)?;
            }
        }
        if let Some(left_short) = short.end() {
            add(&left_short.padded(columns.width()))?;
        }
        profile.broken_lines = short.broken;
        (profile.keys, profile.numbers) = (keys.finish(), numbers.finish());
        profile.date_orders = decide_orders(&dates, columns, rules.date_order)?;
        match forbidding.finish() {
            _ if profile.rows == 0 => Err(ListError::NoRows),
            Some(unclear) => Err(ListError::NotUnderstood(Box::new(unclear))),
            None => Ok(profile),
        }
    }

    /// The order of day, month and year in a date column.
    pub(super) fn date_order(&self, field: Field) -> DateOrder {
        self.date_orders.get(&field).copied().unwrap_or(DateOrder::Mdy)
    }
}

/// Tells rows that were left short, whose last cells are empty, from the pieces of a row that a line break has cut.
#[derive(Default)]
struct ShortRows {
    /// The last row, if it was short and the one before it was not.
    last: Option<ListRow>,
    was_short: bool,
    broken: HashSet<u64>,
}

impl ShortRows {
    /// Takes the next row. Returns an earlier one that was left short.
    fn next(&mut self, row: &ListRow, width: usize) -> Option<ListRow> {
        let is_short = row.cells.len() < width;
        let was_short = std::mem::replace(&mut self.was_short, is_short);
        let last = self.last.take();
        match (is_short, last) {
            (false, last) => last,
            (true, None) if !was_short => {
                self.last = Some(row.clone());
                None
            }
            (true, last) => {
                self.broken.extend(last.map(|last| last.line).into_iter().chain([row.line]));
                None
            }
        }
    }

    fn end(&mut self) -> Option<ListRow> {
        self.last.take()
    }
}

/// The campaign's `date_order` decides or, without one, the cells of each column; where these do not, the order that
/// the cells of other columns prove.
fn decide_orders(
    dates: &[(Field, DateOrderProfile)],
    columns: &Columns,
    configured: Option<DateOrder>,
) -> Result<BTreeMap<Field, DateOrder>, ListError> {
    let mut proved = dates.iter().filter_map(|(_, profile)| profile.proved());
    let first = proved.next();
    let of_others = first.filter(|first| proved.all(|order| order == *first));
    let decided = dates.iter().map(|(field, profile)| match (configured, profile.decide()) {
        (Some(order), _) | (None, Ok(order)) => Ok((*field, order)),
        (None, Err(AmbiguousOrder { contradictory })) => {
            let order = of_others.filter(|order| !contradictory && profile.allows(*order));
            order
                .map(|order| (*field, order))
                .ok_or_else(|| ListError::DateOrder { column: columns.name_of(*field).to_owned(), contradictory })
        }
    });
    decided.collect()
}
