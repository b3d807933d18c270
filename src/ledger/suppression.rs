//! Numbers that must not be called, from opt-outs and operators. Kept over all campaigns.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::error::LedgerError;
use super::rows::millis;
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
