//! Where everybody stands: entries counted by state, reason and outcome.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::error::LedgerError;
use super::rows::{maybe_instant_at, maybe_outcome_at, maybe_reason_at, state_at};
use super::runs::RunHandle;
use super::sql;
use crate::entry::{Outcome, Reason, State};
use crate::ids::Location;

/// Entries of one campaign that stand alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Whether the run's own list has them; the campaign's other entries come from earlier lists.
    pub listed: bool,
    /// Of which of the practice's places they are.
    pub location: Option<Location>,
    /// Where they stand.
    pub state: State,
    /// Why.
    pub reason: Option<Reason>,
    /// What their last conversation meant.
    pub outcome: Option<Outcome>,
    /// When the first of them is due.
    pub next_due: Option<DateTime<Utc>>,
    /// How many.
    pub count: u64,
}

/// Where all entries of a campaign stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Census(pub Vec<Group>);

impl Census {
    /// How many entries `wanted` picks.
    pub fn count(&self, wanted: impl Fn(&Group) -> bool) -> u64 {
        self.0.iter().filter(|group| wanted(group)).map(|group| group.count).sum()
    }

    /// Entries that are due and have not been called: ready, or waiting for nothing but the hour.
    #[must_use]
    pub fn due_work(&self) -> u64 {
        let is_for_another_day = |group: &Group| match group.state {
            State::Waiting => group.reason.is_some_and(Reason::is_of_another_day),
            // The vendor's own limit for a number, which our book does not have.
            State::Ready => group.reason == Some(Reason::VendorCap),
            State::Submitting
            | State::Open
            | State::Unknown
            | State::Held
            | State::Finished
            | State::Failed
            | State::Suppressed
            | State::Withdrawn
            | State::Expired
            | State::Cancelled
            | State::LostTrack => false,
        };
        self.count(|group| is_unfinished(group.state) && !is_for_another_day(group))
    }

    /// Entries that are still to be called, or under way: today or on another day.
    #[must_use]
    pub fn unfinished(&self) -> u64 {
        self.count(|group| is_unfinished(group.state))
    }

    /// Entries that need a person: held, refused for good, or lost track of.
    #[must_use]
    pub fn in_need_of_a_person(&self) -> u64 {
        self.count(|group| matches!(group.state, State::Held | State::Failed | State::LostTrack))
    }

    /// When the next entry that waits is due.
    #[must_use]
    pub fn next_due(&self) -> Option<DateTime<Utc>> {
        let waits = |group: &&Group| matches!(group.state, State::Ready | State::Waiting);
        self.0.iter().filter(waits).filter_map(|group| group.next_due).min()
    }
}

fn is_unfinished(state: State) -> bool {
    match state {
        State::Ready | State::Waiting | State::Submitting | State::Open | State::Unknown => true,
        State::Held
        | State::Finished
        | State::Failed
        | State::Suppressed
        | State::Withdrawn
        | State::Expired
        | State::Cancelled
        | State::LostTrack => false,
    }
}

pub(super) fn take(conn: &Connection, run: RunHandle) -> Result<Census, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("census"))?;
    let mut rows = statement.query((run.campaign.0, run.run.0))?;
    let mut groups = Vec::new();
    while let Some(row) = rows.next()? {
        groups.push(Group {
            listed: row.get("listed")?,
            location: row.get::<_, Option<String>>("location")?.map(Location::new),
            state: state_at(row, "state")?,
            reason: maybe_reason_at(row, "reason")?,
            outcome: maybe_outcome_at(row, "outcome")?,
            next_due: maybe_instant_at(row, "next_due")?,
            count: row.get::<_, i64>("count")? as u64,
        });
    }
    Ok(Census(groups))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redial_on_another_day_is_unfinished_but_not_due() {
        let group = |state, reason| Group {
            listed: true,
            location: None,
            state,
            reason,
            outcome: None,
            next_due: None,
            count: 1,
        };
        let census = Census(vec![
            group(State::Waiting, Some(Reason::RedialGap)),
            group(State::Waiting, Some(Reason::Window)),
            group(State::Open, None),
            group(State::Finished, None),
            group(State::Held, Some(Reason::AnswerLost)),
        ]);
        assert_eq!((census.due_work(), census.unfinished()), (2, 3));
    }
}
