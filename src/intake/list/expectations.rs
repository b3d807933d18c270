//! What the reader of a list must know about the campaign.

use chrono::{DateTime, Utc};

use crate::campaign::ListEncoding;

/// Whether a text is the name of a column that the campaign or the intake uses.
pub type IsKnown<'a> = &'a dyn Fn(&str) -> bool;

/// How to read a list.
#[derive(Clone, Copy)]
pub struct ListExpectations<'a> {
    /// Recognises column names; finds the header.
    pub is_known: IsKnown<'a>,
    /// The encoding that the campaign names.
    pub encoding: Option<ListEncoding>,
    /// Patients or appointments, for a FHIR list.
    pub row_per: RowPer,
    /// The present instant, by the runner's clock.
    pub now: DateTime<Utc>,
}

/// What one row of a FHIR list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowPer {
    /// A patient, with the next appointment if there is one.
    Patient,
    /// An appointment, with its patient.
    Appointment,
}
