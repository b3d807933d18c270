//! What stops a run early: `max_calls`, the canary and the stop rules of a campaign (`[safety]`).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::campaign::Safety;
use crate::entry::Outcome;
use crate::ledger;

use super::ending::Ending;

/// How many calls a whole run has placed, and how many are just being claimed.
#[derive(Debug, Clone, Default)]
pub struct Placed {
    counts: Arc<Mutex<Counts>>,
    changed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Counts {
    placed: u32,
    reserved: u32,
}

impl Placed {
    /// The run has placed so many already.
    #[must_use]
    pub fn of(placed: u32) -> Self {
        Self { counts: Arc::new(Mutex::new(Counts { placed, reserved: 0 })), changed: Arc::default() }
    }

    /// Completes when somebody has placed a call, or will not: whoever may place none looks again.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Calls that are placed, or just being claimed.
    fn spoken_for(&self) -> u32 {
        let counts = self.counts();
        counts.placed.saturating_add(counts.reserved)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts());
        self.changed.notify_waiters();
    }
}

/// Counts an organisation's calls and says how many more may be placed now: the canary and the stop rules are the
/// organisation's own, since so are its bots and numbers; `max_calls` is the run's.
#[derive(Debug)]
pub struct Guard {
    safety: Safety,
    placed: u32,
    of_run: Placed,
    /// The finished calls on which the stop rules judge, the newest last.
    finished: VecDeque<Finish>,
    /// How many of them there are of each kind.
    counts: [u32; Finish::KINDS],
}

/// How a call finished, as far as a stop rule counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finish {
    OptOut,
    WrongNumber,
    Unanswered,
    Error,
    Other,
}

impl Finish {
    const KINDS: usize = 5;
}

impl Guard {
    /// `placed`: the organisation's calls that the run had placed before it was interrupted; `of_run`: everybody's.
    #[must_use]
    pub fn new(safety: Safety, placed: u32, of_run: Placed) -> Self {
        Self { safety, placed, of_run, finished: VecDeque::new(), counts: [0; Finish::KINDS] }
    }

    /// Counts what a run had seen that was cut off: a rule that was about to stop it stops the next one.
    #[must_use]
    pub fn having_seen(mut self, finishes: &[ledger::Finish]) -> Self {
        for finish in finishes {
            match finish {
                ledger::Finish::Ended(outcome) => self.ended(*outcome),
                ledger::Finish::Failed => self.failed(),
            }
        }
        self
    }

    /// So many attempts are asked for: nobody else may place them meanwhile.
    pub fn reserve(&mut self, asked: u32) {
        self.of_run.change(|counts| counts.reserved += asked);
    }

    /// It is known how many of those that were asked for there are.
    pub fn release(&mut self, asked: u32) {
        self.of_run.change(|counts| counts.reserved = counts.reserved.saturating_sub(asked));
    }

    /// An attempt was authorised.
    pub fn authorised(&mut self) {
        self.placed += 1;
        self.of_run.change(|counts| counts.placed += 1);
    }

    /// An attempt was provably not placed: it may be made again.
    pub fn not_placed(&mut self) {
        self.placed = self.placed.saturating_sub(1);
        self.of_run.change(|counts| counts.placed = counts.placed.saturating_sub(1));
    }

    /// A call was refused for good, or its answer was lost.
    pub fn failed(&mut self) {
        self.finish(Finish::Error);
    }

    /// A conversation was closed.
    pub fn ended(&mut self, outcome: Outcome) {
        self.finish(match outcome {
            Outcome::OptOut => Finish::OptOut,
            Outcome::WrongNumber | Outcome::InvalidNumber => Finish::WrongNumber,
            Outcome::NoAnswer | Outcome::Busy => Finish::Unanswered,
            Outcome::Booked
            | Outcome::Confirmed
            | Outcome::RescheduleRequested
            | Outcome::Declined
            | Outcome::CallbackRequested
            | Outcome::LeftVoicemail
            | Outcome::DeceasedOrMoved
            | Outcome::ReachedOther
            | Outcome::Unclassified => Finish::Other,
        });
    }

    fn finish(&mut self, finish: Finish) {
        self.finished.push_back(finish);
        self.counts[finish as usize] += 1;
        let most = self.safety.stop_on.last.unwrap_or(u32::MAX) as usize;
        for gone in self.finished.drain(..self.finished.len().saturating_sub(most)) {
            self.counts[gone as usize] -= 1;
        }
    }

    /// How many more calls may be placed now, `under_way` being not finished yet. While the canary's calls are under way,
    /// none beyond them.
    #[must_use]
    pub fn allowance(&self, under_way: u32) -> u32 {
        let left = self.safety.max_calls.map_or(u32::MAX, |limit| limit.saturating_sub(self.of_run.spoken_for()));
        let canary = match self.safety.canary {
            Some(canary) if self.placed < canary => canary - self.placed,
            Some(canary) if self.placed == canary && under_way > 0 => 0,
            Some(_) | None => u32::MAX,
        };
        left.min(canary)
    }

    /// Whether no more calls may be placed unless another organisation's turn out not to have been.
    #[must_use]
    pub fn waits_for_others(&self) -> bool {
        self.safety.max_calls.is_some_and(|limit| limit <= self.of_run.spoken_for())
    }

    /// The rule that ends the placing of calls, if one does.
    #[must_use]
    pub fn verdict(&self) -> Option<Ending> {
        let placed = self.of_run.counts().placed;
        let max_calls = self.safety.max_calls.filter(|limit| placed >= *limit);
        self.broken_rule().or(max_calls.map(|limit| Ending::MaxCalls { limit }))
    }

    fn broken_rule(&self) -> Option<Ending> {
        let stop_on = &self.safety.stop_on;
        let rules = [
            ("opt_out_rate", stop_on.opt_out_rate, Finish::OptOut),
            ("wrong_number_rate", stop_on.wrong_number_rate, Finish::WrongNumber),
            ("error_rate", stop_on.error_rate, Finish::Error),
            ("unanswered_rate", stop_on.unanswered_rate, Finish::Unanswered),
        ];
        let of = self.finished.len() as u32;
        let enough = of >= self.enough();
        rules.into_iter().find_map(|(rule, limit, counted)| {
            let hits = self.counts[counted as usize];
            let limit = limit?;
            // Of what is not tolerated at all, one is too many: there is no rate to wait for.
            let over = (enough || limit == 0.0) && f64::from(hits) > limit * f64::from(of);
            over.then_some(Ending::StopRule { rule, hits, of })
        })
    }

    /// Finished calls before a rule judges. A canary is there to be judged, however few it has.
    fn enough(&self) -> u32 {
        let fewer = [self.safety.canary, self.safety.stop_on.last];
        fewer.into_iter().flatten().fold(self.safety.stop_on.at_least, u32::min).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{OnLostAnswer, StopOn};
    use chrono::TimeDelta;

    fn guard(max_calls: Option<u32>, canary: Option<u32>, stop_on: StopOn) -> Guard {
        let safety = Safety {
            max_calls,
            canary,
            stop_on,
            settle: TimeDelta::seconds(300),
            on_lost_answer: OnLostAnswer::Hold,
            track_for: TimeDelta::hours(2),
            outage: TimeDelta::hours(2),
        };
        Guard::new(safety, 0, Placed::default())
    }

    #[test]
    fn max_calls_counts_what_was_placed_and_not_what_was_not() {
        let mut guard = guard(Some(2), None, StopOn::default());
        guard.authorised();
        guard.authorised();
        assert_eq!((guard.allowance(2), guard.verdict()), (0, Some(Ending::MaxCalls { limit: 2 })));
        guard.not_placed();
        assert_eq!((guard.allowance(1), guard.verdict()), (1, None));
    }

    #[test]
    fn the_canarys_calls_are_finished_before_any_other_is_placed() {
        let mut guard = guard(None, Some(2), StopOn::default());
        assert_eq!(guard.allowance(0), 2);
        guard.authorised();
        guard.authorised();
        assert_eq!(guard.allowance(2), 0);
        assert_eq!(guard.allowance(1), 0);
        assert_eq!(guard.allowance(0), u32::MAX);
    }

    #[test]
    fn a_rate_is_judged_once_enough_calls_have_finished() {
        let stop_on = StopOn { at_least: 4, opt_out_rate: Some(0.25), ..StopOn::default() };
        let mut guard = guard(None, None, stop_on);
        for _ in 0..3 {
            guard.ended(Outcome::OptOut);
        }
        assert_eq!(guard.verdict(), None);
        guard.ended(Outcome::Booked);
        assert_eq!(guard.verdict(), Some(Ending::StopRule { rule: "opt_out_rate", hits: 3, of: 4 }));
    }

    #[test]
    fn a_rate_of_zero_tolerates_none_however_few_calls_have_finished() {
        let stop_on = StopOn { at_least: 20, opt_out_rate: Some(0.0), ..StopOn::default() };
        let mut guard = guard(None, None, stop_on);
        guard.ended(Outcome::Booked);
        assert_eq!(guard.verdict(), None);
        guard.ended(Outcome::OptOut);
        assert_eq!(guard.verdict(), Some(Ending::StopRule { rule: "opt_out_rate", hits: 1, of: 2 }));
    }

    #[test]
    fn a_rate_is_judged_on_the_newest_calls_where_the_campaign_says_how_many() {
        let stop_on = StopOn { at_least: 4, last: Some(4), opt_out_rate: Some(0.25), ..StopOn::default() };
        let mut guard = guard(None, None, stop_on);
        for _ in 0..20 {
            guard.ended(Outcome::Booked);
        }
        guard.ended(Outcome::OptOut);
        assert_eq!(guard.verdict(), None);
        guard.ended(Outcome::OptOut);
        assert_eq!(guard.verdict(), Some(Ending::StopRule { rule: "opt_out_rate", hits: 2, of: 4 }));
        for _ in 0..3 {
            guard.ended(Outcome::Booked);
        }
        assert_eq!(guard.verdict(), None, "what is long ago no longer counts");
    }

    #[test]
    fn a_canary_is_judged_when_it_is_over_however_small_it_is() {
        let stop_on = StopOn { at_least: 20, opt_out_rate: Some(0.2), ..StopOn::default() };
        let mut guard = guard(None, Some(3), stop_on);
        for outcome in [Outcome::OptOut, Outcome::Booked] {
            guard.authorised();
            guard.ended(outcome);
            assert_eq!(guard.verdict(), None);
        }
        guard.authorised();
        guard.ended(Outcome::Booked);
        assert_eq!(guard.verdict(), Some(Ending::StopRule { rule: "opt_out_rate", hits: 1, of: 3 }));
    }
}
