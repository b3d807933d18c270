//! What stops a run early: `max_calls`, the canary and the stop rules of a campaign (`[safety]`).

use crate::campaign::Safety;
use crate::entry::Outcome;

use super::ending::Ending;

/// Counts a run's calls and says how many more may be placed now.
#[derive(Debug)]
pub struct Guard {
    safety: Safety,
    placed: u32,
    tally: Tally,
}

#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    finished: u32,
    opt_outs: u32,
    wrong_numbers: u32,
    unanswered: u32,
    errors: u32,
}

impl Guard {
    /// `placed`: the calls that the run had placed before it was interrupted.
    #[must_use]
    pub fn new(safety: Safety, placed: u32) -> Self {
        Self { safety, placed, tally: Tally::default() }
    }

    /// An attempt was authorised.
    pub fn authorised(&mut self) {
        self.placed += 1;
    }

    /// An attempt was provably not placed: it may be made again.
    pub fn not_placed(&mut self) {
        self.placed = self.placed.saturating_sub(1);
    }

    /// A call was refused for good, or its answer was lost.
    pub fn failed(&mut self) {
        self.tally.finished += 1;
        self.tally.errors += 1;
    }

    /// A conversation was closed.
    pub fn ended(&mut self, outcome: Outcome) {
        self.tally.finished += 1;
        self.tally.opt_outs += u32::from(outcome == Outcome::OptOut);
        self.tally.wrong_numbers += u32::from(matches!(outcome, Outcome::WrongNumber | Outcome::InvalidNumber));
        self.tally.unanswered += u32::from(matches!(outcome, Outcome::NoAnswer | Outcome::Busy));
    }

    /// How many more calls may be placed now, `under_way` being not finished yet. While the canary's calls are under way,
    /// none beyond them.
    #[must_use]
    pub fn allowance(&self, under_way: u32) -> u32 {
        let left = self.safety.max_calls.map_or(u32::MAX, |limit| limit.saturating_sub(self.placed));
        let canary = match self.safety.canary {
            Some(canary) if self.placed < canary => canary - self.placed,
            Some(canary) if self.placed == canary && under_way > 0 => 0,
            Some(_) | None => u32::MAX,
        };
        left.min(canary)
    }

    /// The rule that ends the placing of calls, if one does.
    #[must_use]
    pub fn verdict(&self) -> Option<Ending> {
        let max_calls = self.safety.max_calls.filter(|limit| self.placed >= *limit);
        self.broken_rule().or(max_calls.map(|limit| Ending::MaxCalls { limit }))
    }

    fn broken_rule(&self) -> Option<Ending> {
        let Tally { finished: of, opt_outs, wrong_numbers, unanswered, errors } = self.tally;
        let rules = [
            ("opt_out_rate", self.safety.stop_on.opt_out_rate, opt_outs),
            ("wrong_number_rate", self.safety.stop_on.wrong_number_rate, wrong_numbers),
            ("error_rate", self.safety.stop_on.error_rate, errors),
            ("unanswered_rate", self.safety.stop_on.unanswered_rate, unanswered),
        ];
        let enough = of >= self.safety.stop_on.at_least.max(1);
        rules.into_iter().find_map(|(rule, limit, hits)| {
            let over = enough && f64::from(hits) > limit? * f64::from(of);
            over.then_some(Ending::StopRule { rule, hits, of })
        })
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
        };
        Guard::new(safety, 0)
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
}
