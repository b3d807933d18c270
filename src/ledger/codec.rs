//! How values are stored in columns: instants as milliseconds since 1970 UTC, states and reasons as words, content as
//! JSON.

use chrono::{DateTime, Utc};
use rusqlite::Row;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::LedgerError;
use crate::entry::{AttemptState, Doubt, Outcome, Reason, State};
use crate::phone::E164;

pub(super) fn millis(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

pub(super) fn instant(millis: i64) -> Result<DateTime<Utc>, LedgerError> {
    DateTime::from_timestamp_millis(millis).ok_or(LedgerError::INVALID_ROW)
}

pub(super) fn instant_at(row: &Row<'_>, column: &str) -> Result<DateTime<Utc>, LedgerError> {
    instant(row.get(column)?)
}

pub(super) fn maybe_instant_at(row: &Row<'_>, column: &str) -> Result<Option<DateTime<Utc>>, LedgerError> {
    row.get::<_, Option<i64>>(column)?.map(instant).transpose()
}

pub(super) fn phone_at(row: &Row<'_>, column: &str) -> Result<E164, LedgerError> {
    E164::parse(row.get_ref(column)?.as_str().map_err(|_| LedgerError::INVALID_ROW)?)
        .map_err(|_| LedgerError::INVALID_ROW)
}

pub(super) fn state_at(row: &Row<'_>, column: &str) -> Result<State, LedgerError> {
    State::named(row.get_ref(column)?.as_str().map_err(|_| LedgerError::INVALID_ROW)?).ok_or(LedgerError::INVALID_ROW)
}

pub(super) fn attempt_state_at(row: &Row<'_>, column: &str) -> Result<AttemptState, LedgerError> {
    AttemptState::named(row.get_ref(column)?.as_str().map_err(|_| LedgerError::INVALID_ROW)?)
        .ok_or(LedgerError::INVALID_ROW)
}

pub(super) fn maybe_reason_at(row: &Row<'_>, column: &str) -> Result<Option<Reason>, LedgerError> {
    row.get::<_, Option<String>>(column)?.map(|word| Reason::named(&word).ok_or(LedgerError::INVALID_ROW)).transpose()
}

pub(super) fn maybe_outcome_at(row: &Row<'_>, column: &str) -> Result<Option<Outcome>, LedgerError> {
    row.get::<_, Option<String>>(column)?.map(|word| Outcome::named(&word).ok_or(LedgerError::INVALID_ROW)).transpose()
}

pub(super) fn maybe_doubt_at(row: &Row<'_>, column: &str) -> Result<Option<Doubt>, LedgerError> {
    row.get::<_, Option<String>>(column)?.map(|word| Doubt::named(&word).ok_or(LedgerError::INVALID_ROW)).transpose()
}

pub(super) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("content has string keys and no failing serialiser")
}

pub(super) fn json_at<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T, LedgerError> {
    serde_json::from_str(row.get_ref(column)?.as_str().map_err(|_| LedgerError::INVALID_ROW)?)
        .map_err(|_| LedgerError::INVALID_ROW)
}

/// Fails unless exactly one row has changed.
pub(super) fn exactly_one(changed: usize) -> Result<(), LedgerError> {
    if changed == 1 { Ok(()) } else { Err(LedgerError::Conflict) }
}
