//! The summary of a run. Its counts add up: rows = accepted + rejected + duplicate + merged, and accepted = the sum over
//! states.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::ending::RecordedEnding;
use crate::engine::RequestCounts;
use crate::entry::{Doubt, ListCounts, Outcome, Reason, State, doubt_of_held};
use crate::exit_status::ExitStatus;
use crate::ids::{CampaignName, Location, RunId};
use crate::ledger::{AttemptCounts, ListChanges, Pause, RunReport, StateCounts, StateGroup};

/// The pause of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct PausedCampaign {
    /// Who said it.
    pub by: String,
    /// When it was said.
    pub since: DateTime<Utc>,
    /// When it ends by itself; `null`: it holds until the campaign is resumed.
    pub until: Option<DateTime<Utc>>,
}

impl From<Pause> for PausedCampaign {
    fn from(Pause { by, since, until }: Pause) -> Self {
        Self { by, since, until }
    }
}

/// A run in numbers. The last line of `run --json`, the head of a JSON report, and what `status` shows.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct RunSummary {
    /// Always `summary`.
    #[serde(rename = "type")]
    kind: RunKind,
    /// The run.
    pub run: RunId,
    /// Its campaign.
    pub campaign: CampaignName,
    /// The campaign's purpose.
    pub purpose: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it ended; `null` while it is in progress, or if it was killed.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it placed no further calls: `done`, `window_closed`, `max_calls`, `stop_rule`, `interrupted`, `paused`,
    /// `unreachable`, `clock`, `exclusions`, `vendor_refused`, `behind`, `list_proves_nothing` or `superseded`; `null` while
    /// it is in progress, or if it was killed.
    #[schemars(with = "Option<String>")]
    pub ending: Option<RecordedEnding>,
    /// The same in a sentence: which rule stopped it, with its numbers, and how to go on.
    pub why: Option<String>,
    /// Whether the practice attests consent for the whole list.
    pub consent_attested: bool,
    /// What became of its list's rows.
    pub list: ListCounts,
    /// What its list changed about the campaign's entries.
    pub changes: ListChanges,
    /// The entries of its list by state; their sum is `list.accepted`.
    pub entries: BTreeMap<State, u64>,
    /// The campaign's entries from earlier lists, by state.
    pub earlier_entries: BTreeMap<State, u64>,
    /// The campaign's entries by location and state, if the campaign has locations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(default)]
    pub locations: BTreeMap<Location, BTreeMap<State, u64>>,
    /// What the last conversations of its list's finished entries meant.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Why entries of its list are not being called.
    pub reasons: BTreeMap<Reason, u64>,
    /// What became of the attempts that this run made.
    pub attempts: AttemptCounts,
    /// The outcomes of the calls that this run placed; their sum is `attempts.ended`.
    pub outcomes_of_this_run: BTreeMap<Outcome, u64>,
    /// The calls of the campaign up to and with this run.
    pub calls_in_all: u64,
    /// The campaign's next run, if there is one: then the states are those before it.
    pub next_run: Option<RunId>,
    /// Entries of the campaign that are due and not finished.
    pub due: u64,
    /// Entries of the campaign that are held, refused for good or lost track of, or that expired uncalled in this run.
    pub need_a_person: u64,
    /// Those of them that expired uncalled: the front desk has to call them, see `callrounds worklist`.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(default)]
    pub expired_uncalled: u64,
    /// Entries of the campaign that are held because a person must read what was said, by what may have been said.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(default)]
    pub to_review: BTreeMap<Doubt, u64>,
    /// What the front desk has to do about the campaign's entries and nobody has ticked off: `callrounds worklist`.
    pub front_desk: u64,
    /// When the next call may be placed: the first instant at which every rule allows one.
    pub next_due: Option<DateTime<Utc>>,
    /// What the campaign's entries mean for the exit code, whatever else stopped the run.
    pub standing: ExitStatus,
    /// The campaign's pause, if it is paused; only in `status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<PausedCampaign>,
    /// Requests made; only at the end of a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<RequestCounts>,
    /// The exit code; only at the end of a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RunKind {
    Summary,
}

impl RunSummary {
    /// The summary of a run from the ledger's counts. `next_call`: when the campaign's next call may be placed.
    #[must_use]
    pub fn from_report(report: &RunReport, next_call: Option<DateTime<Utc>>) -> Self {
        let counts = &report.counts;
        let is_finished = |group: &StateGroup| group.listed && group.state == State::Finished;
        Self {
            kind: RunKind::Summary,
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
            entries: count_by(counts, |group| group.listed.then_some(group.state)),
            earlier_entries: count_by(counts, |group| (!group.listed).then_some(group.state)),
            locations: by_location(counts),
            outcomes: count_by(counts, |group| group.outcome.filter(|_| is_finished(group))),
            reasons: count_by(counts, |group| group.reason.filter(|_| group.listed)),
            attempts: report.attempts,
            outcomes_of_this_run: report.outcomes.clone(),
            calls_in_all: report.calls_in_all,
            next_run: report.next,
            due: counts.due_work(),
            need_a_person: counts.in_need_of_a_person(),
            expired_uncalled: counts.count(|group| group.expired_uncalled),
            to_review: count_by(counts, to_review),
            front_desk: report.front_desk,
            next_due: next_call.filter(|_| report.next.is_none()),
            standing: standing(counts),
            paused: None,
            requests: None,
            exit_code: None,
        }
    }
}

/// The exit code that follows from the entries' states (`design.md`, Exit codes): 0 only if no entry is due and none needs a
/// person.
#[must_use]
pub fn standing(counts: &StateCounts) -> ExitStatus {
    if counts.due_work() > 0 {
        ExitStatus::DueWorkLeft
    } else if counts.in_need_of_a_person() > 0 {
        ExitStatus::NeedsAPerson
    } else {
        ExitStatus::Done
    }
}

/// What may have been said in a conversation for which entries are held, or their numbers barred.
fn to_review(group: &StateGroup) -> Option<Doubt> {
    doubt_of_held(group.state, group.reason).or(group.barred_by)
}

fn by_location(counts: &StateCounts) -> BTreeMap<Location, BTreeMap<State, u64>> {
    let mut locations: BTreeMap<Location, BTreeMap<State, u64>> = BTreeMap::new();
    for group in &counts.0 {
        if let Some(location) = &group.location {
            *locations.entry(location.clone()).or_default().entry(group.state).or_default() += group.count;
        }
    }
    locations
}

fn count_by<K: Ord>(counts: &StateCounts, key: impl Fn(&StateGroup) -> Option<K>) -> BTreeMap<K, u64> {
    let mut by_key = BTreeMap::new();
    for group in &counts.0 {
        if let Some(key) = key(group) {
            *by_key.entry(key).or_default() += group.count;
        }
    }
    by_key
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(state: State, reason: Option<Reason>) -> StateGroup {
        StateGroup {
            listed: true,
            location: None,
            state,
            reason,
            outcome: None,
            expired_uncalled: false,
            barred_by: None,
            next_due: None,
            count: 1,
        }
    }

    #[test]
    fn the_exit_code_follows_from_the_entries_states() {
        let waits = |reason| group(State::Waiting, Some(reason));
        let cases = [
            (vec![], ExitStatus::Done),
            (vec![group(State::Finished, None), group(State::Suppressed, Some(Reason::Booked))], ExitStatus::Done),
            (vec![waits(Reason::RedialGap)], ExitStatus::Done),
            (vec![waits(Reason::Window)], ExitStatus::DueWorkLeft),
            (vec![group(State::Ready, None), group(State::Held, Some(Reason::AnswerLost))], ExitStatus::DueWorkLeft),
            (vec![group(State::Open, None)], ExitStatus::DueWorkLeft),
            (vec![group(State::Held, Some(Reason::Extension))], ExitStatus::NeedsAPerson),
            (vec![group(State::LostTrack, None)], ExitStatus::NeedsAPerson),
            (
                vec![StateGroup {
                    barred_by: Some(Doubt::PossibleOptOut),
                    ..group(State::Suppressed, Some(Reason::Suppressed))
                }],
                ExitStatus::NeedsAPerson,
            ),
            (vec![group(State::Expired, Some(Reason::NotAfter))], ExitStatus::Done),
            (vec![StateGroup { expired_uncalled: true, ..group(State::Expired, None) }], ExitStatus::NeedsAPerson),
        ];
        for (groups, expected) in cases {
            assert_eq!(standing(&StateCounts(groups.clone())), expected, "{groups:?}");
        }
    }
}
