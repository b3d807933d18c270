//! What stops a run early: `max_calls`, the canary and the stop rules of a campaign (`[safety]`).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::campaign::Safety;
use crate::entry::{Doubt, Outcome};
use crate::ledger;

use super::stop_reason::StopReason;

/// How many calls the whole run has placed, and how many are being claimed. Shared by its organisations.
#[derive(Debug, Clone, Default)]
pub struct PlacedCalls {
    counts: Arc<Mutex<StopRuleCounts>>,
    changed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct StopRuleCounts {
    placed: u32,
    reserved: u32,
}

impl PlacedCalls {
    /// Starts with the calls that the run placed before it was interrupted.
    #[must_use]
    pub fn new(placed: u32) -> Self {
        Self { counts: Arc::new(Mutex::new(StopRuleCounts { placed, reserved: 0 })), changed: Arc::default() }
    }

    /// Completes when the count changes, so that an organisation that had no calls left checks again.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Calls that are placed or being claimed.
    fn placed_or_reserved(&self) -> u32 {
        let counts = self.counts();
        counts.placed.saturating_add(counts.reserved)
    }

    fn counts(&self) -> MutexGuard<'_, StopRuleCounts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut StopRuleCounts)) {
        change(&mut self.counts());
        self.changed.notify_waiters();
    }
}

/// Counts an organisation's calls and limits how many more may be placed now. The canary and the stop rules count per
/// organisation, as each has its own bots and caller ids; `max_calls` counts the whole run.
#[derive(Debug)]
pub struct StopRules {
    safety: Safety,
    placed: u32,
    run_calls: PlacedCalls,
    /// The finished calls that the stop rules judge, the newest last.
    finished: VecDeque<CountedFinish>,
    /// How many of them there are of each kind.
    counts: [u32; CountedFinish::KINDS],
}

/// How a call finished, as far as the stop rules count it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CountedFinish {
    OptOut,
    WrongNumber,
    Unanswered,
    Error,
    Other,
}

impl CountedFinish {
    const KINDS: usize = 5;
}

impl StopRules {
    /// `placed`: the organisation's calls that the run placed before it was interrupted; `run_calls`: those of all
    /// organisations.
    #[must_use]
    pub fn new(safety: Safety, placed: u32, run_calls: PlacedCalls) -> Self {
        Self { safety, placed, run_calls, finished: VecDeque::new(), counts: [0; CountedFinish::KINDS] }
    }

    /// Counts the campaign's calls since one of its runs last ended other than by an interruption, so that a stop rule
    /// that a killed run had broken stops the next run.
    #[must_use]
    pub fn with_finished(mut self, call_results: &[ledger::CallResult]) -> Self {
        for result in call_results {
            match result {
                ledger::CallResult::Ended(outcome) => self.on_ended(*outcome, None),
                ledger::CallResult::Failed => self.on_failed(),
            }
        }
        self
    }

    /// Reserves attempts that are being claimed, so that no other organisation places them.
    pub fn reserve(&mut self, asked: u32) {
        self.run_calls.change(|counts| counts.reserved += asked);
    }

    /// Releases a reservation: the claim has returned.
    pub fn release(&mut self, asked: u32) {
        self.run_calls.change(|counts| counts.reserved = counts.reserved.saturating_sub(asked));
    }

    /// Counts a claimed attempt as placed.
    pub fn on_claimed(&mut self) {
        self.placed += 1;
        self.run_calls.change(|counts| counts.placed += 1);
    }

    /// An attempt was provably not placed, so another may be made.
    pub fn on_not_placed(&mut self) {
        self.placed = self.placed.saturating_sub(1);
        self.run_calls.change(|counts| counts.placed = counts.placed.saturating_sub(1));
    }

    /// A call was refused for good, or its answer was lost.
    pub fn on_failed(&mut self) {
        self.count_finish(CountedFinish::Error);
    }

    /// A conversation was closed. A possible opt-out counts as one until a person has read it.
    pub fn on_ended(&mut self, outcome: Outcome, doubt: Option<Doubt>) {
        self.count_finish(match outcome {
            _ if doubt == Some(Doubt::PossibleOptOut) => CountedFinish::OptOut,
            Outcome::OptOut => CountedFinish::OptOut,
            Outcome::WrongNumber | Outcome::InvalidNumber => CountedFinish::WrongNumber,
            Outcome::NoAnswer | Outcome::Busy => CountedFinish::Unanswered,
            Outcome::Booked
            | Outcome::Confirmed
            | Outcome::RescheduleRequested
            | Outcome::Declined
            | Outcome::CallbackRequested
            | Outcome::LeftVoicemail
            | Outcome::DeceasedOrMoved
            | Outcome::ReachedOther
            | Outcome::Unclassified => CountedFinish::Other,
        });
    }

    fn count_finish(&mut self, finish: CountedFinish) {
        self.finished.push_back(finish);
        self.counts[finish as usize] += 1;
        let max_counted = self.safety.stop_on.last.unwrap_or(u32::MAX) as usize;
        for dropped in self.finished.drain(..self.finished.len().saturating_sub(max_counted)) {
            self.counts[dropped as usize] -= 1;
        }
    }

    /// How many more calls may be placed now. `in_flight`: calls that are not finished. Until the canary's calls are
    /// finished, no others are placed.
    #[must_use]
    pub fn allowance(&self, in_flight: u32) -> u32 {
        let left =
            self.safety.max_calls.map_or(u32::MAX, |limit| limit.saturating_sub(self.run_calls.placed_or_reserved()));
        let canary = match self.safety.canary {
            Some(canary) if self.placed < canary => canary - self.placed,
            Some(canary) if self.placed == canary && in_flight > 0 => 0,
            Some(_) | None => u32::MAX,
        };
        left.min(canary)
    }

    /// Whether `max_calls` is used up, unless calls that other organisations are claiming turn out not to be placed.
    #[must_use]
    pub fn waits_for_run_limit(&self) -> bool {
        self.safety.max_calls.is_some_and(|limit| limit <= self.run_calls.placed_or_reserved())
    }

    /// Why no more calls may be placed, if a rule says so.
    #[must_use]
    pub fn stop_reason(&self) -> Option<StopReason> {
        let placed = self.run_calls.counts().placed;
        let max_calls = self.safety.max_calls.filter(|limit| placed >= *limit);
        self.broken_rule().or(max_calls.map(|limit| StopReason::MaxCalls { limit }))
    }

    fn broken_rule(&self) -> Option<StopReason> {
        let stop_on = &self.safety.stop_on;
        let rules = [
            ("opt_out_rate", stop_on.opt_out_rate, CountedFinish::OptOut),
            ("wrong_number_rate", stop_on.wrong_number_rate, CountedFinish::WrongNumber),
            ("error_rate", stop_on.error_rate, CountedFinish::Error),
            ("unanswered_rate", stop_on.unanswered_rate, CountedFinish::Unanswered),
        ];
        let of = self.finished.len() as u32;
        let is_enough = of >= self.min_finished();
        rules.into_iter().find_map(|(rule, limit, counted)| {
            let hits = self.counts[counted as usize];
            let limit = limit?;
            // A limit of 0 tolerates none, so it does not wait for enough calls.
            let is_broken = (is_enough || limit == 0.0) && f64::from(hits) > limit * f64::from(of);
            is_broken.then_some(StopReason::StopRule { rule, hits, of })
        })
    }

    /// How many finished calls a rule needs. A canary is judged however small it is.
    fn min_finished(&self) -> u32 {
        let fewer = [self.safety.canary, self.safety.stop_on.last];
        fewer.into_iter().flatten().fold(self.safety.stop_on.at_least, u32::min).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{OnLostAnswer, StopOn};
    use chrono::TimeDelta;

    fn rules(max_calls: Option<u32>, canary: Option<u32>, stop_on: StopOn) -> StopRules {
        let safety = Safety {
            max_calls,
            canary,
            stop_on,
            settle: TimeDelta::seconds(300),
            on_lost_answer: OnLostAnswer::Hold,
            track_for: TimeDelta::hours(2),
            outage: TimeDelta::hours(2),
        };
        StopRules::new(safety, 0, PlacedCalls::default())
    }

    #[test]
    fn max_calls_counts_what_was_placed_and_not_what_was_not() {
        let mut rules = rules(Some(2), None, StopOn::default());
        rules.on_claimed();
        rules.on_claimed();
        assert_eq!((rules.allowance(2), rules.stop_reason()), (0, Some(StopReason::MaxCalls { limit: 2 })));
        rules.on_not_placed();
        assert_eq!((rules.allowance(1), rules.stop_reason()), (1, None));
    }

    #[test]
    fn the_canarys_calls_are_finished_before_any_other_is_placed() {
        let mut rules = rules(None, Some(2), StopOn::default());
        assert_eq!(rules.allowance(0), 2);
        rules.on_claimed();
        rules.on_claimed();
        assert_eq!(rules.allowance(2), 0);
        assert_eq!(rules.allowance(1), 0);
        assert_eq!(rules.allowance(0), u32::MAX);
    }

    #[test]
    fn a_rate_is_judged_once_enough_calls_have_finished() {
        let stop_on = StopOn { at_least: 4, opt_out_rate: Some(0.25), ..StopOn::default() };
        let mut rules = rules(None, None, stop_on);
        for _ in 0..3 {
            rules.on_ended(Outcome::OptOut, None);
        }
        assert_eq!(rules.stop_reason(), None);
        rules.on_ended(Outcome::Booked, Some(Doubt::PossibleOptOut));
        rules.on_ended(Outcome::Booked, Some(Doubt::PossiblyDeceased));
        assert_eq!(rules.stop_reason(), Some(StopReason::StopRule { rule: "opt_out_rate", hits: 4, of: 5 }));
    }

    #[test]
    fn a_rate_of_zero_tolerates_none_however_few_calls_have_finished() {
        let stop_on = StopOn { at_least: 20, opt_out_rate: Some(0.0), ..StopOn::default() };
        let mut rules = rules(None, None, stop_on);
        rules.on_ended(Outcome::Booked, None);
        assert_eq!(rules.stop_reason(), None);
        rules.on_ended(Outcome::OptOut, None);
        assert_eq!(rules.stop_reason(), Some(StopReason::StopRule { rule: "opt_out_rate", hits: 1, of: 2 }));
    }

    #[test]
    fn a_rate_is_judged_on_the_newest_calls_where_the_campaign_says_how_many() {
        let stop_on = StopOn { at_least: 4, last: Some(4), opt_out_rate: Some(0.25), ..StopOn::default() };
        let mut rules = rules(None, None, stop_on);
        for _ in 0..20 {
            rules.on_ended(Outcome::Booked, None);
        }
        rules.on_ended(Outcome::OptOut, None);
        assert_eq!(rules.stop_reason(), None);
        rules.on_ended(Outcome::OptOut, None);
        assert_eq!(rules.stop_reason(), Some(StopReason::StopRule { rule: "opt_out_rate", hits: 2, of: 4 }));
        for _ in 0..3 {
            rules.on_ended(Outcome::Booked, None);
        }
        assert_eq!(rules.stop_reason(), None, "what is long ago no longer counts");
    }

    #[test]
    fn a_canary_is_judged_when_it_is_over_however_small_it_is() {
        let stop_on = StopOn { at_least: 20, opt_out_rate: Some(0.2), ..StopOn::default() };
        let mut rules = rules(None, Some(3), stop_on);
        for outcome in [Outcome::OptOut, Outcome::Booked] {
            rules.on_claimed();
            rules.on_ended(outcome, None);
            assert_eq!(rules.stop_reason(), None);
        }
        rules.on_claimed();
        rules.on_ended(Outcome::Booked, None);
        assert_eq!(rules.stop_reason(), Some(StopReason::StopRule { rule: "opt_out_rate", hits: 1, of: 3 }));
    }
}
