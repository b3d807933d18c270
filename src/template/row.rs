//! A row as a template sees it: the list's columns by name, and objects such as `practice` that every row has.
//!
//! The columns' names and the shared objects are held once for the whole list; a row brings its cells.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

/// A list's columns, by the names that templates use.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    places: HashMap<String, usize>,
    names: Vec<String>,
}

impl Columns {
    /// Columns in the order of a row's cells. Of two with one name, the first is seen.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let mut columns = Self::default();
        for name in names {
            columns.places.entry(name.clone()).or_insert(columns.names.len());
            columns.names.push(name);
        }
        columns
    }

    /// Where the column of this name stands.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// Their names, in the order of a row's cells.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// A row's cells. They hold a patient's data, so `Debug` masks them.
#[derive(Clone, Default)]
pub struct Cells(Vec<String>);

impl Cells {
    /// None yet, and room for so many.
    #[must_use]
    pub fn with_capacity(cells: usize) -> Self {
        Self(Vec::with_capacity(cells))
    }

    /// Adds a cell.
    pub fn push(&mut self, cell: &str) {
        self.0.push(cell.to_owned());
    }

    /// The cell at `at`.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&str> {
        self.0.get(at).map(String::as_str)
    }
}

impl<T: AsRef<str>> FromIterator<T> for Cells {
    fn from_iter<I: IntoIterator<Item = T>>(cells: I) -> Self {
        Self(cells.into_iter().map(|cell| cell.as_ref().to_owned()).collect())
    }
}

impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cells({}, masked)", self.0.len())
    }
}

/// What one rendering may use. An object wins over a column of the same name, and the row's own over a shared one.
#[derive(Clone)]
pub struct Row {
    columns: Arc<Columns>,
    cells: Arc<Cells>,
    shared: Arc<[(&'static str, Value)]>,
    own: Vec<(&'static str, Value)>,
}

impl Row {
    /// A row with a cell for every column. `shared` is what all rows have: `practice`, `campaign`.
    pub fn new(columns: Arc<Columns>, cells: impl Into<Arc<Cells>>, shared: Arc<[(&'static str, Value)]>) -> Self {
        Self { columns, cells: cells.into(), shared, own: Vec::new() }
    }

    /// The same row with something of its own: `appointment`, `household`.
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
        self.cells.get(self.columns.place(name)?)
    }
}

impl Object for Row {
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

impl From<Row> for Value {
    fn from(row: Row) -> Self {
        Self::from_object(row)
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Row(masked)")
    }
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;
    use crate::template::Template;

    fn row() -> Row {
        let columns = Columns::new(["first_name", "preference", "practice"].map(String::from));
        let cells: Cells = ["Ana", "", "a column"].into_iter().collect();
        let shared = Arc::from([("practice", context! { name => "Bright Smile Dental" })]);
        Row::new(Arc::new(columns), cells, shared).with("household", vec!["Ben"])
    }

    #[test]
    fn a_row_shows_its_cells_and_its_objects() {
        let source =
            "{{ first_name }} {{ preference | default('any time') }} {{ practice.name }} {{ household | length }}";
        let template = Template::compile("context", source).expect("compiles");
        assert_eq!(template.render(&row().into()).expect("renders"), "Ana any time Bright Smile Dental 1");
    }

    #[test]
    fn a_row_is_masked_when_debugged() {
        assert_eq!(format!("{:?} {:?}", row(), Value::from(row())), "Row(masked) Row(masked)");
    }
}
