//! The request budget: so many requests in a fixed window, over all endpoints and all software of the organisation
//! (`annie-api.md`, Basics).

use chrono::{DateTime, TimeDelta, Utc};

use super::settings::BudgetRules;

/// The budget of the simulator's one organisation.
#[derive(Debug, Clone)]
pub struct Budget {
    rules: BudgetRules,
    /// Windows are counted from the epoch.
    window: i64,
    /// Requests through this simulator in that window.
    used: u32,
}

/// What an answer's headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meter {
    /// `X-RateLimit-Limit`.
    pub limit: u32,
    /// `X-RateLimit-Remaining`.
    pub remaining: u32,
    /// `X-RateLimit-Reset`: when the window ends.
    pub reset: DateTime<Utc>,
}

/// The window has no request left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted;

impl Budget {
    /// A budget of which nothing has been used.
    #[must_use]
    pub fn new(rules: BudgetRules) -> Self {
        Self { rules, window: i64::MIN, used: 0 }
    }

    /// Takes one request out of the window of `now`.
    pub fn charge(&mut self, now: DateTime<Utc>) -> Result<(), Exhausted> {
        self.turn(now);
        if self.remaining(now) == 0 {
            return Err(Exhausted);
        }
        self.used += 1;
        Ok(())
    }

    /// What is left at `now`.
    pub fn meter(&mut self, now: DateTime<Utc>) -> Meter {
        self.turn(now);
        let end = (self.window + 1).saturating_mul(self.length());
        Meter {
            limit: self.rules.requests,
            remaining: self.remaining(now),
            reset: DateTime::from_timestamp_millis(end).unwrap_or(now),
        }
    }

    fn length(&self) -> i64 {
        self.rules.window.max(TimeDelta::seconds(1)).num_milliseconds()
    }

    fn turn(&mut self, now: DateTime<Utc>) {
        let window = now.timestamp_millis().div_euclid(self.length());
        if window != self.window {
            self.window = window;
            self.used = 0;
        }
    }

    fn remaining(&self, now: DateTime<Utc>) -> u32 {
        self.rules.requests.saturating_sub(self.used).saturating_sub(self.used_by_others(now))
    }

    /// Other software spreads its requests evenly over the window.
    fn used_by_others(&self, now: DateTime<Utc>) -> u32 {
        let gone = now.timestamp_millis().rem_euclid(self.length());
        (i64::from(self.rules.used_by_others) * gone / self.length()) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn budget(requests: u32, used_by_others: u32) -> Budget {
        Budget::new(BudgetRules { requests, used_by_others, ..BudgetRules::default() })
    }

    #[test]
    fn a_window_has_so_many_requests_and_the_next_one_as_many_again() {
        let mut budget = budget(3, 0);
        let answers: Vec<_> = [0, 10, 59, 59, 60, 60].map(|second| budget.charge(at(second)).is_ok()).into();
        assert_eq!(answers, [true, true, true, false, true, true]);
        assert_eq!(budget.meter(at(61)), Meter { limit: 3, remaining: 1, reset: at(120) });
    }

    #[test]
    fn other_software_uses_up_the_window_evenly() {
        let mut budget = budget(60, 30);
        let left: Vec<_> = [0, 2, 30, 59].map(|second| budget.meter(at(second)).remaining).into();
        assert_eq!(left, [60, 59, 45, 31]);
    }

    #[test]
    fn a_refused_request_costs_nothing() {
        let mut budget = budget(1, 0);
        assert_eq!([0, 1, 2].map(|second| budget.charge(at(second)).is_ok()), [true, false, false]);
        assert_eq!(budget.meter(at(2)).remaining, 0);
    }
}
