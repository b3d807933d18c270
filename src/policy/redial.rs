//! When an entry is called again after a conversation that did not do what it was for.

use chrono::{DateTime, Utc};

use crate::campaign::Redial;
use crate::entry::Outcome;

/// The earliest instant of the next call, if there is to be one: the outcome asks for it and a call is left.
/// `attempts` counts the calls placed so far, the one that ended at `ended` included.
#[must_use]
pub fn next_call(rules: &Redial, outcome: Outcome, attempts: u32, ended: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let again = rules.after.contains(&outcome) && attempts < rules.max_attempts;
    again.then(|| ended + rules.min_gap)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn an_entry_is_called_again_only_after_the_outcomes_that_ask_for_it_and_while_calls_are_left() {
        let rules = Redial {
            max_attempts: 3,
            min_gap: TimeDelta::hours(72),
            after: vec![Outcome::NoAnswer],
            stop_before_appointment: None,
        };
        let ended: DateTime<Utc> = "2026-11-24T16:00:00Z".parse().expect("an instant");
        let gap_later = Some(ended + TimeDelta::hours(72));
        assert_eq!(next_call(&rules, Outcome::NoAnswer, 1, ended), gap_later);
        assert_eq!(next_call(&rules, Outcome::NoAnswer, 3, ended), None);
        assert_eq!(next_call(&rules, Outcome::OptOut, 1, ended), None);
    }
}
