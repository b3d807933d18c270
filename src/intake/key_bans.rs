//! What the rows of a repeated key say against a call: a ban on any of them counts for the patient, whichever of the rows
//! is used for the rest.

use std::collections::HashMap;

use super::duplicate_filter::long_hash_of;
use super::eligibility::gravest;
use super::error::ListError;
use super::list::{List, ListRow};
use super::non_patient_rows::is_non_patient_row;
use super::patient::PatientReader;
use crate::campaign::OnConflict;
use crate::entry::Reason;

/// The gravest ban of each repeated key, by the key's hash.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyBans(HashMap<u128, Reason>);

impl KeyBans {
    /// Reads the list for the bans of repeated keys, if it has any.
    pub(super) fn read(list: &List, reader: &PatientReader<'_>) -> Result<Self, ListError> {
        let mut bans = Self::default();
        if reader.profile.keys.is_empty() {
            return Ok(bans);
        }
        let (mut rows, mut row) = (list.rows()?, ListRow::default());
        while rows.read_into(&mut row)? {
            bans.add(&row, reader);
        }
        Ok(bans)
    }

    /// Adds what a row says, if its key may be another row's, too. Rows with too many cells say nothing certain.
    fn add(&mut self, row: &ListRow, reader: &PatientReader<'_>) {
        let columns = reader.columns;
        if row.fault.is_some() || row.cells.len() > columns.width() || is_non_patient_row(row, columns) {
            return;
        }
        if reader.profile.keys.max_count(columns.key_hash(row)) == 1 {
            return;
        }
        let Some(reason) = reader.exclusion(row).filter(|reason| counts_for_key(*reason, reader)) else { return };
        let Ok(key) = reader.key(row) else { return };
        let key = long_hash_of(&key);
        if let Some(gravest) = gravest(self.get(key).into_iter().chain([reason])) {
            self.0.insert(key, gravest);
        }
    }

    /// The ban on the key with this hash.
    pub(super) fn get(&self, key: u128) -> Option<Reason> {
        self.0.get(&key).copied()
    }
}

/// Whether a reason on one row of a key counts for its other rows. A newer row may say that a former patient has come
/// back, if the campaign lets the last row win; and another row may be about another appointment.
fn counts_for_key(reason: Reason, reader: &PatientReader<'_>) -> bool {
    let is_lasting = [Reason::Deceased, Reason::DoNotCall, Reason::NoConsent].contains(&reason);
    let last_wins = reader.campaign.list.on_conflict == OnConflict::LastWins;
    let is_of_same_appointment = reason != Reason::AppointmentOff || reader.columns.has_appointment_in_key();
    is_lasting || (!last_wins && is_of_same_appointment)
}
