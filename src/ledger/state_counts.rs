//! A campaign's entries counted by state, reason and outcome.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Rows};

use super::codec::{maybe_doubt_at, maybe_instant_at, maybe_outcome_at, maybe_reason_at, state_at};
use super::error::LedgerError;
use super::runs::RunHandle;
use super::sql::sql;
use crate::entry::{Doubt, Outcome, Reason, State, WorkGroup};
use crate::ids::Location;

/// Entries of one campaign that have the same state, reason, outcome and location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateGroup {
    /// Whether they are on the run's own list; the campaign's other entries come from earlier lists.
    pub listed: bool,
    /// Their location, in a campaign that has locations.
    pub location: Option<Location>,
    /// Their state.
    pub state: State,
    /// The reason for their state, where it has one.
    pub reason: Option<Reason>,
    /// The outcome of their last conversation.
    pub outcome: Option<Outcome>,
    /// Whether their last moment passed without any call and without a word about it so far: they have expired since the
    /// campaign's last run ended.
    pub expired_uncalled: bool,
    /// What a person has to read before their number may be called again, if it is barred for that: the conversation may be
    /// another patient's, also in another campaign.
    pub barred_by: Option<Doubt>,
    /// When the first of them is due, as stored; meaningful for ready and waiting entries.
    pub next_due: Option<DateTime<Utc>>,
    /// The number of entries.
    pub count: u64,
}

/// All entries of a campaign, grouped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StateCounts(pub Vec<StateGroup>);

impl StateCounts {
    /// The number of entries in the groups that `wanted` selects.
    pub fn count(&self, wanted: impl Fn(&StateGroup) -> bool) -> u64 {
        self.0.iter().filter(|group| wanted(group)).map(|group| group.count).sum()
    }

    /// Unfinished entries that do not wait for another day: due, in flight, or waiting only for the time of day.
    #[must_use]
    pub fn due_work(&self) -> u64 {
        let is_for_another_day = |group: &StateGroup| match group.state {
            State::Waiting => group.reason.is_some_and(Reason::defers_to_another_day),
            // The vendor's limit for a number, which the ledger cannot compute.
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

    /// Entries that are still to be called or in flight, today or on another day.
    #[must_use]
    pub fn unfinished(&self) -> u64 {
        self.count(|group| is_unfinished(group.state))
    }

    /// Entries that need a person: held, refused for good, lost track of, expired uncalled just now, or barred until a person
    /// has read what was said.
    #[must_use]
    pub fn in_need_of_a_person(&self) -> u64 {
        let needs = |group: &StateGroup| matches!(group.state, State::Held | State::Failed | State::LostTrack);
        self.count(|group| needs(group) || group.expired_uncalled || group.barred_by.is_some())
    }

    /// Entries about which the front desk has to do something, ticked off or not.
    #[must_use]
    pub fn work(&self) -> u64 {
        let group = |group: &StateGroup| WorkGroup::of(group.state, group.outcome, group.reason);
        self.count(|counted| group(counted).is_some_and(WorkGroup::is_work))
    }

    /// When the first ready or waiting entry is due.
    #[must_use]
    pub fn next_due(&self) -> Option<DateTime<Utc>> {
        let waits = |group: &&StateGroup| matches!(group.state, State::Ready | State::Waiting);
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

pub(super) fn count(conn: &Connection, run: RunHandle) -> Result<StateCounts, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("state_counts"))?;
    groups(statement.query((run.campaign.0, run.run.0))?)
}

/// The same as of the event before `event`.
pub(super) fn count_before(conn: &Connection, run: RunHandle, event: i64) -> Result<StateCounts, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("state_counts_before"))?;
    groups(statement.query((run.campaign.0, run.run.0, event))?)
}

fn groups(mut rows: Rows<'_>) -> Result<StateCounts, LedgerError> {
    let mut groups = Vec::new();
    while let Some(row) = rows.next()? {
        groups.push(StateGroup {
            listed: row.get("listed")?,
            location: row.get::<_, Option<String>>("location")?.map(Location::new),
            state: state_at(row, "state")?,
            reason: maybe_reason_at(row, "reason")?,
            outcome: maybe_outcome_at(row, "outcome")?,
            expired_uncalled: row.get("expired_uncalled")?,
            barred_by: maybe_doubt_at(row, "barred_by")?,
            next_due: maybe_instant_at(row, "next_due")?,
            count: row.get::<_, i64>("count")? as u64,
        });
    }
    Ok(StateCounts(groups))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redial_on_another_day_is_unfinished_but_not_due() {
        let group = |state, reason| StateGroup {
            listed: true,
            location: None,
            state,
            reason,
            outcome: None,
            expired_uncalled: false,
            barred_by: None,
            next_due: None,
            count: 1,
        };
        let counts = StateCounts(vec![
            group(State::Waiting, Some(Reason::RedialGap)),
            group(State::Waiting, Some(Reason::Window)),
            group(State::Open, None),
            group(State::Finished, None),
            group(State::Held, Some(Reason::AnswerLost)),
        ]);
        assert_eq!((counts.due_work(), counts.unfinished()), (2, 3));
    }
}
