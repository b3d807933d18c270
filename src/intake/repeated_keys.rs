//! What the rows of a repeated key say against a call: a ban on any of them counts for the patient, whichever of the rows
//! is used for the rest.

use super::duplicate_filter::long_hash_of;
use super::error::ListError;
use super::key_bans::KeyBans;
use super::list::{List, ListRow};
use super::non_patient_rows::is_non_patient_row;
use super::patient::PatientReader;
use crate::campaign::OnConflict;
use crate::entry::Reason;

/// Reads the list for the bans on repeated keys, if it has any.
pub(super) fn read_bans(list: &List, reader: &PatientReader<'_>) -> Result<KeyBans, ListError> {
    let mut bans = KeyBans::default();
    if reader.profile.keys.is_empty() {
        return Ok(bans);
    }
    let (mut rows, mut row) = (list.rows()?, ListRow::default());
    while rows.read_into(&mut row)? {
        if let Some((key, reason)) = ban_of(&row, reader) {
            bans.add(key, reason);
        }
    }
    Ok(bans)
}

/// What a row says against calls, with the hash of its key, if its key may be another row's, too. Rows with too many cells
/// say nothing certain.
fn ban_of(row: &ListRow, reader: &PatientReader<'_>) -> Option<(u128, Reason)> {
    let columns = reader.columns;
    let is_readable = row.fault.is_none() && row.cells.len() <= columns.width() && !is_non_patient_row(row, columns);
    if !is_readable || reader.profile.keys.max_count(columns.key_hash(row)?) == 1 {
        return None;
    }
    let reason = reader.exclusion(row).filter(|reason| counts_for_key(*reason, reader))?;
    Some((long_hash_of(&reader.key(row).ok()?), reason))
}

/// Whether a reason on one row of a key counts for its other rows. A newer row may say that a former patient has come
/// back, if the campaign lets the last row win; and another row may be about another appointment.
fn counts_for_key(reason: Reason, reader: &PatientReader<'_>) -> bool {
    let is_lasting = [Reason::Deceased, Reason::DoNotCall, Reason::NoConsent].contains(&reason);
    let last_wins = reader.campaign.list.on_conflict == OnConflict::LastWins;
    let is_of_same_appointment = reason != Reason::AppointmentOff || reader.columns.has_appointment_in_key();
    is_lasting || (!last_wins && is_of_same_appointment)
}
