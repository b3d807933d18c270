//! Adopting a ledger that is a copy, or an older copy put back. From then on it is the one that goes on; calls that it may
//! lack are looked for before it places another.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, TransactionBehavior};

use super::error::LedgerError;
use super::high_water::HighWaterMark;
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
    /// Events that a clock that was ahead had written, and that count as of now.
    pub future_events: u64,
}

/// Two machines' clocks may differ by so much.
const FUTURE: TimeDelta = TimeDelta::minutes(2);

/// Takes the ledger at `path` over for good: calls that it lacks are taken over by the next run. `by` says who decided, for the record.
pub fn adopt(path: &Path, by: &str, now: DateTime<Utc>) -> Result<Adoption, LedgerError> {
    let mut opened = open::wherever_it_is(path, now)?;
    let future = runs::future_events(&opened.conn, now + FUTURE)?;
    let newest = if future.is_some() { None } else { runs::newest_event(&opened.conn)? };
    // A decision never lies before what it is about.
    let at = newest.map_or(now, |newest| newest.max(now));
    let place = Place::of(path)?;
    let transaction = opened.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let unanswered = lose_the_unanswered(&transaction, by, at)?;
    let (inode, born_at) = place.columns();
    let identity = uuid::Uuid::new_v4().to_string();
    transaction.execute(sql!("ledger_adopt"), (identity, inode, born_at, millis(at)))?;
    let future_events = future.map_or(0, |(events, _)| events);
    let mut detail = format!("decided by {by}; {unanswered} calls without an answer");
    if future_events > 0 {
        disown_the_future(&transaction, now)?;
        detail.push_str(&format!("; {future_events} events of the future count as of now"));
    }
    transaction.execute(sql!("event_of_ledger"), (millis(at), "adopted_ledger", detail))?;
    transaction.commit()?;
    // The mark that there was is of another ledger, or of calls that this one lacks: it is begun anew.
    HighWaterMark::open(&opened.conn, path)?;
    Ok(Adoption { unanswered, future_events })
}

/// What was written by a clock that was ahead happened now at the latest. The events stay as they were written.
fn disown_the_future(conn: &Connection, now: DateTime<Utc>) -> Result<(), LedgerError> {
    for statement in sql!("future_disown").split_inclusive(";\n") {
        conn.execute(statement, [(":now", &millis(now))].as_slice())?;
    }
    Ok(())
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
