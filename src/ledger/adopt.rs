//! Adopting a ledger that is a copy, or an older copy put back. From then on it is the one that goes on; calls that it may
//! lack are looked for before it places another.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, TransactionBehavior};

use super::error::LedgerError;
use super::place::Place;
use super::record::{Happened, record_one};
use super::rows::millis;
use super::{open, runs, sql};
use crate::entry::Fact;
use crate::ids::{AttemptId, EntryId, RunId};

/// What an adoption found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adoption {
    /// Calls without an answer: the next run looks for each on the vendor's list.
    pub unanswered: u64,
}

/// Takes the ledger at `path` over for good: calls that it lacks are taken over by the next run. `by` says who decided, for the record.
pub fn adopt(path: &Path, by: &str, now: DateTime<Utc>) -> Result<Adoption, LedgerError> {
    let mut opened = open::wherever_it_is(path, now)?;
    let newest = runs::newest_event(&opened.conn)?;
    // A decision never lies before what it is about.
    let at = newest.map_or(now, |newest| newest.max(now));
    let place = Place::of(path)?;
    let transaction = opened.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let unanswered = lose_the_unanswered(&transaction, by, at)?;
    let (inode, born_at) = place.columns();
    let identity = uuid::Uuid::new_v4().to_string();
    transaction.execute(sql!("ledger_adopt"), (identity, inode, born_at))?;
    let detail = format!("decided by {by}; {unanswered} calls without an answer");
    transaction.execute(sql!("event_of_ledger"), (millis(at), "adopted_ledger", detail))?;
    transaction.commit()?;
    Ok(Adoption { unanswered })
}

/// What was under way in the other ledger has been answered there, if anywhere.
fn lose_the_unanswered(conn: &Connection, by: &str, at: DateTime<Utc>) -> Result<u64, LedgerError> {
    let attempts: Vec<(i64, i64, i64)> = conn
        .prepare(sql!("attempt_unanswered"))?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for &(attempt, entry, run) in &attempts {
        let happened = Happened {
            attempt: AttemptId(attempt),
            entry: EntryId(entry),
            at,
            fact: Fact::AnswerLost,
            conversation: None,
            started: None,
            ended: None,
            detail: Some(format!("the ledger was adopted by {by}")),
        };
        record_one(conn, RunId(run), &happened)?;
    }
    Ok(attempts.len() as u64)
}
