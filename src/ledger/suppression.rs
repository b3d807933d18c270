//! Numbers that must not be called, from opt-outs and operators. Kept over all campaigns.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row};

use super::error::LedgerError;
use super::rows::{instant_at, maybe_instant_at, millis, phone_at};
use super::sql;
use crate::campaign::Purpose;
use crate::phone::E164;

/// Which calls a suppression forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    /// Those of one purpose.
    Purpose(Purpose),
}

impl Scope {
    /// Every scope.
    pub const EVERY: [Self; 4] =
        [Self::All, Self::Purpose(Purpose::Recall), Self::Purpose(Purpose::Reminder), Self::Purpose(Purpose::FollowUp)];

    /// The scope of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|scope| scope.name() == name)
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

/// Why, how far and how long a number must not be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ban<'a> {
    /// Which calls are forbidden.
    pub scope: Scope,
    /// Who says so.
    pub source: &'a str,
    /// Until when; for good if not given.
    pub expires: Option<DateTime<Utc>>,
}

/// A suppressed number.
#[derive(Clone)]
pub struct SuppressionRow {
    /// The number.
    pub phone: E164,
    /// Which calls are forbidden.
    pub scope: Scope,
    /// Who says so.
    pub source: String,
    /// Since when.
    pub at: DateTime<Utc>,
    /// Until when; for good if not given.
    pub expires: Option<DateTime<Utc>>,
}

impl SuppressionRow {
    fn from_row(row: &Row<'_>) -> Result<Self, LedgerError> {
        let scope = Scope::named(row.get_ref("scope")?.as_str().unwrap_or_default());
        Ok(Self {
            phone: phone_at(row, "phone")?,
            scope: scope.ok_or(LedgerError::Damaged("a suppression's scope is unknown"))?,
            source: row.get("source")?,
            at: instant_at(row, "at")?,
            expires: maybe_instant_at(row, "expires_at")?,
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

/// What the suppression list says of one number, whatever has expired.
pub(super) fn of(conn: &Connection, phone: E164) -> Result<Vec<SuppressionRow>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("suppression_of"))?;
    let mut rows = statement.query([phone.expose()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(SuppressionRow::from_row(row)?);
    }
    Ok(found)
}

/// Adds a number for good, or renews its suppression.
pub(super) fn add(
    conn: &Connection,
    phone: E164,
    scope: Scope,
    source: &str,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    ban(conn, phone, Ban { scope, source, expires: None }, now)
}

/// Bans a number. A ban never shortens one that is there: what a patient has decided outlives an operator's expiry.
pub(super) fn ban(conn: &Connection, phone: E164, ban: Ban<'_>, now: DateTime<Utc>) -> Result<(), LedgerError> {
    let Ban { scope, source, expires } = ban;
    conn.prepare_cached(sql!("suppression_add"))?.execute((
        phone.expose(),
        scope.name(),
        source,
        millis(now),
        expires.map(millis),
    ))?;
    Ok(())
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
