//! What is known of the calls that a list's entries lead to.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::ids::EntryKey;
use crate::phone::E164;

/// Whether a call to a number must not name the patient with a key, by what earlier calls have brought.
pub type IsSettled<'c> = dyn Fn(&EntryKey, E164) -> bool + 'c;

/// What earlier calls have brought.
pub(super) struct PatientHistory<'c>(Box<IsSettled<'c>>);

impl<'c> PatientHistory<'c> {
    pub(super) fn new(is_settled: Box<IsSettled<'c>>) -> Self {
        Self(is_settled)
    }

    pub(super) fn is_settled(&self) -> &IsSettled<'c> {
        &*self.0
    }
}

impl fmt::Debug for PatientHistory<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PatientHistory")
    }
}

/// What a pass over a list is told of the calls.
#[derive(Clone, Copy)]
pub(super) struct CallContext<'i> {
    /// When the first call may be placed.
    pub(super) opens: DateTime<Utc>,
    /// `None`: no call was made.
    pub(super) is_settled: Option<&'i IsSettled<'i>>,
}
