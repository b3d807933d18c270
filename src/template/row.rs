//! The variables of one rendering: a row's cells by column name, and objects such as `practice`.
//!
//! The column names and the shared objects are stored once for the whole list; each row stores only its cells.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

/// A list's columns, by their variable names.
#[derive(Debug, Clone, Default)]
pub struct TemplateColumns {
    positions: HashMap<String, usize>,
    names: Vec<String>,
}

impl TemplateColumns {
    /// Columns in the order of a row's cells. Of two columns with the same name, templates see the first.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let mut columns = Self::default();
        for name in names {
            columns.positions.entry(name.clone()).or_insert(columns.names.len());
            columns.names.push(name);
        }
        columns
    }

    /// The index of the column with this name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// The names, in the order of a row's cells.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// A row's cells. They hold patient data, so `Debug` masks them.
#[derive(Clone, Default)]
pub struct TemplateCells(Vec<String>);

impl TemplateCells {
    /// No cells, with capacity for `cells` of them.
    #[must_use]
    pub fn with_capacity(cells: usize) -> Self {
        Self(Vec::with_capacity(cells))
    }

    /// Adds a cell.
    pub fn push(&mut self, cell: &str) {
        self.0.push(cell.to_owned());
    }

    /// The cell at index `at`.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&str> {
        self.0.get(at).map(String::as_str)
    }
}

impl<T: AsRef<str>> FromIterator<T> for TemplateCells {
    fn from_iter<I: IntoIterator<Item = T>>(cells: I) -> Self {
        Self(cells.into_iter().map(|cell| cell.as_ref().to_owned()).collect())
    }
}

impl fmt::Debug for TemplateCells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TemplateCells({}, masked)", self.0.len())
    }
}

/// The variables of one rendering. An object wins over a column of the same name, and the row's own object over a
/// shared one.
#[derive(Clone)]
pub struct TemplateRow {
    columns: Arc<TemplateColumns>,
    cells: Arc<TemplateCells>,
    shared: Arc<[(&'static str, Value)]>,
    own: Vec<(&'static str, Value)>,
}

impl TemplateRow {
    /// A row with a cell for every column. `shared` holds the objects that all rows have: `practice`, `campaign`.
    pub fn new(
        columns: Arc<TemplateColumns>,
        cells: impl Into<Arc<TemplateCells>>,
        shared: Arc<[(&'static str, Value)]>,
    ) -> Self {
        Self { columns, cells: cells.into(), shared, own: Vec::new() }
    }

    /// Adds an object of this row alone: `appointment`, `household`.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.own.push((name, value.into()));
        self
    }

    fn look_up(&self, name: &str) -> Option<Value> {
        self.object(name).cloned().or_else(|| self.cell(name).map(Value::from))
    }

    fn object(&self, name: &str) -> Option<&Value> {
        self.own.iter().chain(self.shared.iter()).find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    fn cell(&self, name: &str) -> Option<&str> {
        self.cells.get(self.columns.position(name)?)
    }
}

impl Object for TemplateRow {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.look_up(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.look_up(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl From<TemplateRow> for Value {
    fn from(row: TemplateRow) -> Self {
        Self::from_object(row)
    }
}

impl fmt::Debug for TemplateRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TemplateRow(masked)")
    }
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;
    use crate::template::Template;

    fn row() -> TemplateRow {
        let columns = TemplateColumns::new(["first_name", "preference", "practice"].map(String::from));
        let cells: TemplateCells = ["Ana", "", "a column"].into_iter().collect();
        let shared = Arc::from([("practice", context! { name => "Bright Smile Dental" })]);
        TemplateRow::new(Arc::new(columns), cells, shared).with("household", vec!["Ben"])
    }

    #[test]
    fn a_template_sees_a_rows_cells_and_objects() {
        let source =
            "{{ first_name }} {{ preference | default('any time') }} {{ practice.name }} {{ household | length }}";
        let template = Template::compile("context", source).expect("compiles");
        assert_eq!(template.render(&row().into()).expect("renders"), "Ana any time Bright Smile Dental 1");
    }

    #[test]
    fn a_row_is_masked_when_debugged() {
        assert_eq!(format!("{:?} {:?}", row(), Value::from(row())), "TemplateRow(masked) TemplateRow(masked)");
    }
}
