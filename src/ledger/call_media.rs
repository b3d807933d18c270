//! The `medium` words that our own calls show on the vendor's list, kept from run to run.

use rusqlite::Connection;

use super::error::LedgerError;
use super::sql::sql;
use crate::ids::OrganisationId;

/// The words, each with whether an ended call showed it; `None` stands for calls that showed none.
pub(super) fn load(
    conn: &Connection,
    organisation: &OrganisationId,
) -> Result<Vec<(Option<String>, bool)>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("call_medium_of"))?;
    let rows = statement.query_map([organisation.as_str()], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    rows.map(|row| row.map(|(word, ended)| (Some(word).filter(|word| !word.is_empty()), ended)).map_err(Into::into))
        .collect()
}

pub(super) fn learn(
    conn: &Connection,
    organisation: &OrganisationId,
    word: Option<&str>,
    ended: bool,
) -> Result<(), LedgerError> {
    let row = (organisation.as_str(), word.unwrap_or_default(), ended);
    conn.prepare_cached(sql!("call_medium_put"))?.execute(row)?;
    Ok(())
}
