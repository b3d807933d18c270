//! What a run placed: its attempts by result, the outcomes of its calls, and its campaign's calls in all.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::codec::maybe_outcome_at;
use super::error::LedgerError;
use super::runs::RunHandle;
use super::sql::sql;
use crate::entry::Outcome;
use crate::ids::RunId;

/// A run's attempts, counted by result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, schemars::JsonSchema)]
pub struct AttemptCounts {
    /// Calls that the run placed: attempts that became conversations, open, ended or lost track of.
    pub placed: u64,
    /// Those of them whose conversations have ended.
    pub ended: u64,
    /// Attempts whose conversations have ended and match no outcome rule.
    pub unclassified: u64,
    /// Attempts that provably were not placed, refusals included.
    pub not_placed: u64,
    /// Attempts that are not settled: it is not known yet whether the call was placed.
    pub unresolved: u64,
    /// Attempts whose answer was lost and whose call was not found on the vendor's list: held for a person.
    pub absent: u64,
    /// Calls that this ledger did not know, taken over from the vendor's list: none that the run placed.
    pub taken_over: u64,
}

pub(super) fn attempt_counts(conn: &Connection, run: RunId) -> Result<AttemptCounts, LedgerError> {
    Ok(conn.prepare_cached(sql!("attempt_counts"))?.query_row([run.0], |row| {
        let count = |column| row.get::<_, i64>(column).map(|count| count as u64);
        Ok(AttemptCounts {
            placed: count("placed")?,
            ended: count("ended")?,
            unclassified: count("unclassified")?,
            not_placed: count("not_placed")?,
            unresolved: count("unresolved")?,
            absent: count("absent")?,
            taken_over: count("taken_over")?,
        })
    })?)
}

pub(super) fn outcomes_of(conn: &Connection, run: RunId) -> Result<BTreeMap<Outcome, u64>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_outcomes"))?;
    let mut rows = statement.query([run.0])?;
    let mut outcomes = BTreeMap::new();
    while let Some(row) = rows.next()? {
        if let Some(outcome) = maybe_outcome_at(row, "outcome")? {
            outcomes.insert(outcome, row.get::<_, i64>("count")? as u64);
        }
    }
    Ok(outcomes)
}

pub(super) fn calls_in_all(conn: &Connection, run: RunHandle) -> Result<u64, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_placed_in_all"))?;
    Ok(statement.query_row((run.campaign.0, run.run.0), |row| row.get::<_, i64>(0))? as u64)
}
