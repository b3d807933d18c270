//! The exclude list: a second list, of patients who must not be called, for example because they have booked since the
//! export. It needs only the columns of the campaign's key; if it has only some of them, those are compared.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::cell_value::key_cell;
use super::columns::key_columns;
use super::error::ListError;
use super::field::Field;
use super::list::{List, ListExpectations, ListSource, RowPer};
use crate::campaign::ListRules;
use crate::ids::EntryKey;

/// The patients of an exclude list, by their keys. It holds patients' identifiers and is never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ExcludeList {
    /// The indices of the key's parts that are compared.
    parts: Vec<usize>,
    /// The values of these parts.
    keys: HashSet<Vec<String>>,
}

impl std::fmt::Debug for ExcludeList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ExcludeList({}, masked)", self.keys.len())
    }
}

impl ExcludeList {
    /// Reads an exclude list. A row with an empty key cell is an error, because it might mean any patient.
    pub fn read(source: &ListSource, rules: &ListRules, now: DateTime<Utc>) -> Result<Self, ListError> {
        let is_key = |name: &str| rules.key.iter().any(|key| key == name);
        let is_known = |name: &str| is_key(name) || Field::from_column(name).is_some();
        let encoding = None;
        let expected = ListExpectations { is_known: &is_known, encoding, row_per: RowPer::Patient, now };
        let list = List::open(source, &expected)?;
        let columns = key_columns(list.header(), rules)?;
        let mut keys = HashSet::new();
        for row in list.rows()? {
            let row = row?;
            if let Some(fault) = row.fault {
                return Err(ListError::Malformed { line: row.line, what: fault.text() });
            }
            if row.cells.len() != list.header().names().len() {
                return Err(ListError::Malformed { line: row.line, what: "not as many cells as columns" });
            }
            let key: Vec<String> = columns.iter().map(|(_, at)| key_cell(&row, *at).to_owned()).collect();
            if key.iter().any(String::is_empty) {
                return Err(ListError::Malformed { line: row.line, what: "the key is empty" });
            }
            keys.insert(key);
        }
        Ok(Self { parts: columns.into_iter().map(|(part, _)| part).collect(), keys })
    }

    /// Whether the list contains the entry or household member with this key.
    #[must_use]
    pub fn has(&self, key: &EntryKey) -> bool {
        let parts: Vec<&str> = key.parts().collect();
        let compared = self.parts.iter().map(|part| parts.get(*part).copied().unwrap_or_default().to_owned());
        self.keys.contains(&compared.collect::<Vec<_>>())
    }

    /// The number of patients.
    #[must_use]
    pub fn count(&self) -> usize {
        self.keys.len()
    }
}
