//! The request budget: a number of requests in a fixed window, over all endpoints and all software of the organisation
//! (`annie-api.md`, Basics).

use chrono::{DateTime, TimeDelta, Utc};

use super::settings::BudgetRules;

/// The request budget of one simulated organisation.
#[derive(Debug, Clone)]
pub struct SimulatedQuota {
    rules: BudgetRules,
    /// The current window, counted from the epoch.
    window: i64,
    /// Requests through this simulator in the current window.
    used: u32,
}

/// The rate-limit headers of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaHeaders {
    /// `X-RateLimit-Limit`: requests per window.
    pub limit: u32,
    /// `X-RateLimit-Remaining`: requests left in the window.
    pub remaining: u32,
    /// `X-RateLimit-Reset`: when the window ends.
    pub reset: DateTime<Utc>,
}

/// The window has no requests left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted;

impl SimulatedQuota {
    /// A budget without any request used.
    #[must_use]
    pub fn new(rules: BudgetRules) -> Self {
        Self { rules, window: i64::MIN, used: 0 }
    }

    /// Charges one request to the window of `now`. A refused request costs nothing.
    pub fn charge(&mut self, now: DateTime<Utc>) -> Result<(), Exhausted> {
        self.start_window(now);
        if self.remaining(now) == 0 {
            return Err(Exhausted);
        }
        self.used += 1;
        Ok(())
    }

    /// The headers of a response sent at `now`.
    pub fn headers(&mut self, now: DateTime<Utc>) -> QuotaHeaders {
        self.start_window(now);
        let end = (self.window + 1).saturating_mul(self.window_millis());
        QuotaHeaders {
            limit: self.rules.requests,
            remaining: self.remaining(now),
            reset: DateTime::from_timestamp_millis(end).unwrap_or(now),
        }
    }

    fn window_millis(&self) -> i64 {
        self.rules.window.max(TimeDelta::seconds(1)).num_milliseconds()
    }

    fn start_window(&mut self, now: DateTime<Utc>) {
        let window = now.timestamp_millis().div_euclid(self.window_millis());
        if window != self.window {
            self.window = window;
            self.used = 0;
        }
    }

    fn remaining(&self, now: DateTime<Utc>) -> u32 {
        self.rules.requests.saturating_sub(self.used).saturating_sub(self.used_by_others(now))
    }

    /// Requests of other software in the current window, which are spread evenly over it.
    fn used_by_others(&self, now: DateTime<Utc>) -> u32 {
        let elapsed = now.timestamp_millis().rem_euclid(self.window_millis());
        (i64::from(self.rules.used_by_others) * elapsed / self.window_millis()) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn budget(requests: u32, used_by_others: u32) -> SimulatedQuota {
        SimulatedQuota::new(BudgetRules { requests, used_by_others, ..BudgetRules::default() })
    }

    #[test]
    fn every_window_has_the_same_number_of_requests() {
        let mut budget = budget(3, 0);
        let answers: Vec<_> = [0, 10, 59, 59, 60, 60].map(|second| budget.charge(at(second)).is_ok()).into();
        assert_eq!(answers, [true, true, true, false, true, true]);
        assert_eq!(budget.headers(at(61)), QuotaHeaders { limit: 3, remaining: 1, reset: at(120) });
    }

    #[test]
    fn other_software_uses_up_the_window_evenly() {
        let mut budget = budget(60, 30);
        let left: Vec<_> = [0, 2, 30, 59].map(|second| budget.headers(at(second)).remaining).into();
        assert_eq!(left, [60, 59, 45, 31]);
    }

    #[test]
    fn a_refused_request_costs_nothing() {
        let mut budget = budget(1, 0);
        assert_eq!([0, 1, 2].map(|second| budget.charge(at(second)).is_ok()), [true, false, false]);
        assert_eq!(budget.headers(at(2)).remaining, 0);
    }
}
