//! A run in numbers that add up: rows = accepted + rejected + duplicate + merged, accepted = the sum over states.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::engine::Requests;
use crate::entry::{ListTally, Outcome, Reason, State};
use crate::error::Exit;
use crate::ids::{CampaignName, Location, RunId};
use crate::ledger::{AttemptCounts, Census, Group, ListChanges, RunReport};

/// A run in numbers. The last line of `run --json`, the head of a JSON report, and what `status` shows.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Summary {
    /// Always `summary`.
    #[serde(rename = "type")]
    kind: Kind,
    /// The run.
    pub run: RunId,
    /// Its campaign.
    pub campaign: CampaignName,
    /// The campaign's purpose.
    pub purpose: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it ended; `null` while it goes on, or if it was killed.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it placed no further calls: `done`, `window_closed`, `max_calls`, `interrupted`, `paused`, `stop_rule`,
    /// `unreachable`,
    /// `clock`, `exclusions`, `vendor_refused`, `behind` or `superseded`; `null` while it goes on, or if it was killed.
    pub ending: Option<String>,
    /// The same in a sentence: which rule stopped it, with its numbers, and how to go on.
    pub why: Option<String>,
    /// Whether the practice attests consent for the whole list.
    pub consent_attested: bool,
    /// What became of its list's rows.
    pub list: ListTally,
    /// What its list changed about the campaign's entries.
    pub changes: ListChanges,
    /// Where the entries of its list stand: their sum is `list.accepted`.
    pub entries: BTreeMap<State, u64>,
    /// Where the campaign's entries from earlier lists stand.
    pub earlier_entries: BTreeMap<State, u64>,
    /// Where the campaign's entries stand, whichever list they come from, by location; only where the campaign has lines.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(default)]
    pub locations: BTreeMap<Location, BTreeMap<State, u64>>,
    /// What the last conversations of its list's finished entries meant.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Why entries of its list are not being called.
    pub reasons: BTreeMap<Reason, u64>,
    /// What became of the attempts that this run made.
    pub attempts: AttemptCounts,
    /// Entries of the campaign that are due and not finished.
    pub due: u64,
    /// Entries of the campaign that are held, refused for good or lost track of.
    pub need_a_person: u64,
    /// When the next entry that waits is due.
    pub next_due: Option<DateTime<Utc>>,
    /// What the campaign's entries mean for the exit code, whatever else stopped the run.
    pub standing: Exit,
    /// Requests made; only at the end of a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<Requests>,
    /// The exit code; only at the end of a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Summary,
}

impl Summary {
    /// The numbers of a run as the ledger has them.
    #[must_use]
    pub fn of(report: &RunReport) -> Self {
        let census = &report.census;
        let finished = |group: &Group| group.listed && group.state == State::Finished;
        Self {
            kind: Kind::Summary,
            run: report.handle.run,
            campaign: report.campaign.clone(),
            purpose: report.purpose.clone(),
            started_at: report.started_at,
            ended_at: report.ended_at,
            ending: report.ending.clone(),
            why: report.why.clone(),
            consent_attested: report.attested,
            list: report.list,
            changes: report.changes,
            entries: tally(census, |group| group.listed.then_some(group.state)),
            earlier_entries: tally(census, |group| (!group.listed).then_some(group.state)),
            locations: by_location(census),
            outcomes: tally(census, |group| group.outcome.filter(|_| finished(group))),
            reasons: tally(census, |group| group.reason.filter(|_| group.listed)),
            attempts: report.attempts,
            due: census.due_work(),
            need_a_person: census.in_need_of_a_person(),
            next_due: census.next_due(),
            standing: standing(census),
            requests: None,
            exit_code: None,
        }
    }
}

/// The exit code that the entries themselves ask for (`DESIGN.md`, Exit codes): 0 only if nothing due is left and nobody
/// is held or lost track of.
#[must_use]
pub fn standing(census: &Census) -> Exit {
    if census.due_work() > 0 {
        Exit::DueWorkLeft
    } else if census.in_need_of_a_person() > 0 {
        Exit::NeedsAPerson
    } else {
        Exit::Done
    }
}

fn by_location(census: &Census) -> BTreeMap<Location, BTreeMap<State, u64>> {
    let mut locations: BTreeMap<Location, BTreeMap<State, u64>> = BTreeMap::new();
    for group in &census.0 {
        if let Some(location) = &group.location {
            *locations.entry(location.clone()).or_default().entry(group.state).or_default() += group.count;
        }
    }
    locations
}

fn tally<K: Ord>(census: &Census, key: impl Fn(&Group) -> Option<K>) -> BTreeMap<K, u64> {
    let mut counts = BTreeMap::new();
    for group in &census.0 {
        if let Some(key) = key(group) {
            *counts.entry(key).or_default() += group.count;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(state: State, reason: Option<Reason>) -> Group {
        Group { listed: true, location: None, state, reason, outcome: None, next_due: None, count: 1 }
    }

    #[test]
    fn the_exit_code_follows_from_where_the_entries_stand() {
        let waits = |reason| group(State::Waiting, Some(reason));
        let cases = [
            (vec![], Exit::Done),
            (vec![group(State::Finished, None), group(State::Suppressed, Some(Reason::Booked))], Exit::Done),
            (vec![waits(Reason::RedialGap)], Exit::Done),
            (vec![waits(Reason::Window)], Exit::DueWorkLeft),
            (vec![group(State::Ready, None), group(State::Held, Some(Reason::AnswerLost))], Exit::DueWorkLeft),
            (vec![group(State::Open, None)], Exit::DueWorkLeft),
            (vec![group(State::Held, Some(Reason::Extension))], Exit::NeedsAPerson),
            (vec![group(State::LostTrack, None)], Exit::NeedsAPerson),
        ];
        for (groups, expected) in cases {
            assert_eq!(standing(&Census(groups.clone())), expected, "{groups:?}");
        }
    }
}
