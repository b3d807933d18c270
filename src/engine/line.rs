//! How the line to the vendor is doing: pauses after trouble that is nobody's entry's fault, and when to give up.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::annie::backoff::Delays;

use super::ending::{Ending, Refusal};

/// Failures in a row after which the vendor counts as unreachable: with the delays below, about a quarter of an hour.
const GIVE_UP_AFTER: u32 = 20;

/// After a refusal for the hour, no call is tried for so long: the vendor's clock or zone differs from what we were told.
const OUTSIDE_HOURS_PAUSE: TimeDelta = TimeDelta::minutes(15);

const DELAYS: Delays = Delays { initial: Duration::from_secs(1), factor: 2.0, cap: Duration::from_mins(1) };

/// Whether calls may be placed, as far as the connection and the credentials go.
#[derive(Debug, Default)]
pub(super) struct Line {
    paused_until: Option<DateTime<Utc>>,
    failures: u32,
    unauthorised: bool,
    seed: u64,
}

impl Line {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Until when no call may be placed, if that is later than `now`.
    pub(super) fn paused_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.paused_until.filter(|until| *until > now)
    }

    /// The vendor answered.
    pub(super) fn works(&mut self) {
        self.failures = 0;
        self.unauthorised = false;
    }

    /// The vendor did not answer, or could not: when to try again.
    pub(super) fn unreachable(&mut self, now: DateTime<Utc>) -> Result<DateTime<Utc>, Ending> {
        if let Some(until) = self.paused_until(now) {
            // It was under way when the others failed: one wave is one failure.
            return Ok(until);
        }
        self.failures += 1;
        if self.failures >= GIVE_UP_AFTER {
            return Err(Ending::Unreachable);
        }
        Ok(self.pause(now + DELAYS.after(self.failures, self.seed)))
    }

    /// The vendor did not accept the credentials: tried once more if they can be renewed.
    pub(super) fn unauthorised(&mut self, now: DateTime<Utc>, renewable: bool) -> Result<DateTime<Utc>, Ending> {
        if self.unauthorised || !renewable {
            return Err(Ending::Refused(Refusal::Credentials));
        }
        self.unauthorised = true;
        Ok(self.pause(now))
    }

    /// The vendor says that it is not the hour.
    pub(super) fn outside_hours(&mut self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.pause(now + OUTSIDE_HOURS_PAUSE)
    }

    fn pause(&mut self, until: DateTime<Utc>) -> DateTime<Utc> {
        self.paused_until = self.paused_until.max(Some(until));
        until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_fail_together_are_one_failure() {
        let mut line = Line::new(1);
        let mut now: DateTime<Utc> = "2026-11-24T15:00:00Z".parse().expect("an instant");
        let start = now;
        let mut waves = 0;
        loop {
            let wave: Vec<_> = (0..100).map(|_| line.unreachable(now)).collect();
            waves += 1;
            let Ok(until) = wave[0].clone() else { break };
            assert!(wave.iter().all(|answer| *answer == Ok(until)), "{wave:?}");
            now = until;
        }
        assert_eq!(waves, GIVE_UP_AFTER);
        assert!(now - start > TimeDelta::minutes(10), "about a quarter of an hour");
    }
}
