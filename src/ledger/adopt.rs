//! Adopting a ledger that is a copy, or an older copy put back: makes it the authoritative one. The next run looks for
//! calls that it may lack before it places another.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, TransactionBehavior};

use super::codec::millis;
use super::error::LedgerError;
use super::file_identity::FileIdentity;
use super::high_water::HighWaterMark;
use super::record::{AttemptUpdate, record_one};
use super::sql::sql;
use super::{open, runs};
use crate::entry::Fact;
use crate::ids::{AttemptId, EntryId, RunId};
use crate::wording::counted;

/// The result of an adoption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adoption {
    /// Attempts whose answer is lost: the next run looks for each on the vendor's list.
    pub unanswered: u64,
    /// Events later than now, written by a clock that was ahead; from now on they do not count as the newest.
    pub future_events: u64,
}

/// The accepted difference between two machines' clocks.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(2);

/// Makes the ledger at `path` the authoritative one; the next run takes over the calls that it lacks. `by` says who
/// decided, for the record.
pub fn adopt(path: &Path, by: &str, now: DateTime<Utc>) -> Result<Adoption, LedgerError> {
    let mut opened = open::possible_copy(path, now)?;
    let future = runs::future_events(&opened.conn, now + CLOCK_TOLERANCE)?;
    let newest = if future.is_some() { None } else { runs::newest_event(&opened.conn)? };
    // A decision is never dated before the events that it is about.
    let at = newest.map_or(now, |newest| newest.max(now));
    let file = FileIdentity::read(path)?;
    let transaction = opened.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let unanswered = mark_answers_lost(&transaction, by, at)?;
    let (inode, born_at) = file.columns();
    let identity = uuid::Uuid::new_v4().to_string();
    transaction.execute(sql!("ledger_adopt"), (identity, inode, born_at, millis(at)))?;
    let future_events = future.map_or(0, |(events, _)| events);
    let mut detail = format!("decided by {by}; {} without an answer", counted(unanswered, "call", "calls"));
    if future_events > 0 {
        disown_future_events(&transaction, now)?;
        detail.push_str(&format!("; {} of the future treated as of now", counted(future_events, "event", "events")));
    }
    transaction.execute(sql!("event_of_ledger"), (millis(at), "adopted_ledger", detail))?;
    transaction.commit()?;
    // The old mark belongs to another ledger, or counts attempts that this one lacks: replace it.
    HighWaterMark::open(&opened.conn, path)?;
    Ok(Adoption { unanswered, future_events })
}

/// Moves instants that a clock which was ahead wrote back to now. Events keep theirs, but no longer count as the
/// newest.
fn disown_future_events(conn: &Connection, now: DateTime<Utc>) -> Result<(), LedgerError> {
    for statement in sql!("future_events_disown").split_inclusive(";\n") {
        conn.execute(statement, [(":now", &millis(now))].as_slice())?;
    }
    Ok(())
}

/// Attempts without an answer were answered in the other ledger, if anywhere.
fn mark_answers_lost(conn: &Connection, by: &str, at: DateTime<Utc>) -> Result<u64, LedgerError> {
    let attempts: Vec<(i64, i64, i64)> = conn
        .prepare(sql!("attempt_unanswered"))?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for &(attempt, entry, run) in &attempts {
        let update = AttemptUpdate {
            attempt: AttemptId(attempt),
            entry: EntryId(entry),
            at,
            fact: Fact::AnswerLost,
            conversation: None,
            started: None,
            ended: None,
            words: None,
            patient_died: false,
            detail: Some(format!("the ledger was adopted by {by}")),
        };
        record_one(conn, RunId(run), &update)?;
    }
    Ok(attempts.len() as u64)
}
