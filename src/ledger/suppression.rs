//! The suppression list: numbers that must not be called, from opt-outs and operators, for all campaigns. A number with a
//! conversation that a person has to read counts as suppressed until then.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row};

use super::codec::{instant_at, maybe_instant_at, millis, phone_at};
use super::error::LedgerError;
use super::sql::sql;
use crate::campaign::Purpose;
use crate::ids::EntryId;
use crate::phone::E164;

/// Which calls a suppression forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuppressionScope {
    /// All calls.
    All,
    /// Calls of one purpose.
    Purpose(Purpose),
}

impl SuppressionScope {
    /// Every scope.
    pub const ALL_SCOPES: [Self; 4] =
        [Self::All, Self::Purpose(Purpose::Recall), Self::Purpose(Purpose::Reminder), Self::Purpose(Purpose::FollowUp)];

    /// The scope of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL_SCOPES.into_iter().find(|scope| scope.name() == name)
    }

    /// Its word in the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Purpose(purpose) => purpose.name(),
        }
    }
}

/// A suppression to add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuppressionRequest<'a> {
    /// Which calls are forbidden.
    pub scope: SuppressionScope,
    /// Where it comes from, such as the operator's name.
    pub source: &'a str,
    /// When it expires; `None`: never.
    pub expires: Option<DateTime<Utc>>,
}

/// A suppressed number.
#[derive(Clone)]
pub struct SuppressionRow {
    /// The number.
    pub phone: E164,
    /// Which calls are forbidden.
    pub scope: SuppressionScope,
    /// Where it comes from, such as an opt-out or the operator's name.
    pub source: String,
    /// When it was added or last renewed.
    pub at: DateTime<Utc>,
    /// When it expires; `None`: never.
    pub expires: Option<DateTime<Utc>>,
    /// Whether it holds until a person has read a conversation: `review` decides.
    pub is_pending_review: bool,
}

impl SuppressionRow {
    fn from_row(row: &Row<'_>) -> Result<Self, LedgerError> {
        let scope = SuppressionScope::named(row.get_ref("scope")?.as_str().unwrap_or_default());
        Ok(Self {
            phone: phone_at(row, "phone")?,
            scope: scope.ok_or(LedgerError::Damaged("a suppression's scope is unknown"))?,
            source: row.get("source")?,
            at: instant_at(row, "at")?,
            expires: maybe_instant_at(row, "expires_at")?,
            is_pending_review: row.get("is_pending_review")?,
        })
    }
}

/// Every suppressed number.
pub(super) fn listed(conn: &Connection) -> Result<Vec<SuppressionRow>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("suppression_list"))?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(SuppressionRow::from_row(row)?);
    }
    Ok(found)
}

/// The suppressions of one number, expired ones included.
pub(super) fn for_number(conn: &Connection, phone: E164) -> Result<Vec<SuppressionRow>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("suppression_of"))?;
    let mut rows = statement.query([phone.expose()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(SuppressionRow::from_row(row)?);
    }
    Ok(found)
}

/// Suppresses a number without an expiry.
pub(super) fn suppress_for_good(
    conn: &Connection,
    phone: E164,
    scope: SuppressionScope,
    source: &str,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    suppress(conn, phone, SuppressionRequest { scope, source, expires: None }, now)
}

/// Suppresses a number. Never shortens an existing suppression: a patient's decision outlives an operator's expiry.
pub(super) fn suppress(
    conn: &Connection,
    phone: E164,
    request: SuppressionRequest<'_>,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let SuppressionRequest { scope, source, expires } = request;
    conn.prepare_cached(sql!("suppression_add"))?.execute((
        phone.expose(),
        scope.name(),
        source,
        millis(now),
        expires.map(millis),
    ))?;
    Ok(())
}

/// Whether the suppression list forbids the entry's campaign to call `phone`.
pub(super) fn bars_entry(
    conn: &Connection,
    entry: EntryId,
    phone: E164,
    now: DateTime<Utc>,
) -> Result<bool, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("entry_number_is_barred"))?;
    Ok(statement.query_row((entry.0, phone.expose(), millis(now)), |row| row.get(0))?)
}

/// Whether a call of this purpose to this number is forbidden now.
pub(super) fn forbids(
    conn: &Connection,
    phone: E164,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<bool, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("suppression_forbids"))?;
    Ok(statement.exists((phone.expose(), purpose.name(), millis(now)))?)
}
