//! The mapping of a list's columns to fields, for display.

use std::fmt;

/// The mapping of a list's columns to fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingReport {
    /// Columns and fields, in the list's order. Phone columns are named by rank: `phone`, `second_phone`, and so on.
    pub mapped: Vec<(String, &'static str)>,
    /// Columns without a field. Templates may use them by their own names.
    pub unmapped: Vec<String>,
}

impl fmt::Display for MappingReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mapped = self.mapped.iter().map(|(column, meaning)| format!("{column} → {}", meaning.replace('_', " ")));
        f.write_str(&mapped.collect::<Vec<_>>().join(", "))?;
        if self.unmapped.is_empty() { Ok(()) } else { write!(f, "; unmapped: {}", self.unmapped.join(", ")) }
    }
}
