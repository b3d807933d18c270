//! Counts of a list's rows by result.

use serde::{Deserialize, Serialize};

/// A list's rows, counted by result: `read` is the sum of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ListCounts {
    /// Rows that are not blank.
    pub read: u64,
    /// Became entries.
    pub accepted: u64,
    /// Cannot be used; written to the rejects file.
    pub rejected: u64,
    /// Repeat another row exactly.
    pub duplicate: u64,
    /// Household members covered by another entry's call.
    pub merged: u64,
}

impl ListCounts {
    /// Whether `read` equals the sum of the other counts.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.read == self.accepted + self.rejected + self.duplicate + self.merged
    }
}
