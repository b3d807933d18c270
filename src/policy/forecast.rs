//! How long a number of calls takes, and how many fit before the window closes.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::campaign::Rate;

use super::window::Hours;

/// How long a conversation is under way, from the request to its ending being seen: an assumption.
const UNDER_WAY: TimeDelta = TimeDelta::seconds(100);

/// The share of the budget that goes to calls; the rest reads the list.
const SHARE_OF_CALLS: f64 = 0.95;

/// What placing a number of calls will take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// First calls to be placed.
    pub calls: u64,
    /// Requests that they take, reads included.
    pub requests: u64,
    /// Minutes that they take.
    pub minutes: u64,
    /// When the first one may be placed.
    pub from: Option<DateTime<Utc>>,
    /// When the window closes after that.
    pub closes: Option<DateTime<Utc>>,
    /// How many of them fit before it closes.
    pub fit: u64,
}

/// Calls a minute: as many as the budget gives and as many as may be under way at once.
#[must_use]
pub fn calls_per_minute(rate: &Rate) -> f64 {
    let by_budget = f64::from(rate.requests_per_minute) * SHARE_OF_CALLS;
    let by_open_calls = f64::from(rate.open_calls) * 60.0 / UNDER_WAY.as_seconds_f64();
    by_budget.min(by_open_calls)
}

/// What placing `calls` calls takes, from `now` on.
#[must_use]
pub fn forecast(calls: u64, rate: &Rate, hours: &Hours, now: DateTime<Utc>) -> Forecast {
    let pace = calls_per_minute(rate);
    let from = hours.next_open(now);
    let closes = from.and_then(|from| hours.closes(from));
    let room = from.zip(closes).map_or(0.0, |(from, closes)| (closes - from).as_seconds_f64() / 60.0 * pace);
    Forecast {
        calls,
        requests: (calls as f64 / SHARE_OF_CALLS).ceil() as u64,
        minutes: (calls as f64 / pace).ceil() as u64,
        from,
        closes,
        fit: calls.min(room as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::DayWindow;
    use crate::policy::window::{Daily, WEEK};
    use crate::zone::Zone;
    use chrono::NaiveTime;

    #[test]
    fn what_does_not_fit_before_the_window_closes_is_said() {
        let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("an hour");
        let zone = Zone::named("America/Chicago").expect("a zone");
        let hours = Hours::all_of(vec![Daily::on(zone, &WEEK, DayWindow { start: at(9), end: at(17) })]);
        let rate = Rate { requests_per_minute: 60, open_calls: 10 };
        let now = "2026-11-24T22:00:00Z".parse().expect("an instant");
        let forecast = forecast(500, &rate, &hours, now);
        assert_eq!((forecast.minutes, forecast.fit), (84, 360));
    }
}
