//! The vendor's clock, by the `Date` header of its answers, and whether ours can be trusted.
//!
//! A single `Date` may come from a proxy's cache, hours old, so it decides nothing: while the last one disagrees, no
//! call is placed, and only several in a row show that this machine's clock is wrong. The vendor is taken to be ahead
//! by the least of the recent differences, so that scans that depend on it reach further back rather than less far.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Clock;
use crate::phone::E164;
use crate::vendor::backoff::FAILED_REQUEST;
use crate::vendor::{ReadError, Vendor};

/// How far our clock may be off before dialing hours cannot be trusted.
pub const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(120);

/// How much the vendor's clock may differ from ours beyond what its `Date` shows.
pub(super) const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(120);

/// How much further back a scan is asked to reach than it must: the clock difference is measured again with every
/// answer, and a scan that fell short by a second would prove nothing.
pub(super) const SCAN_MARGIN: TimeDelta = TimeDelta::seconds(60);

/// Dates that must disagree in a row before our clock counts as wrong.
const DISAGREEING_DATES: usize = 3;

/// How many differences are remembered.
const MAX_DATES: usize = 5;

/// The pause between two questions for the time.
const PROBE_PAUSE: TimeDelta = TimeDelta::seconds(2);

/// Whether our clock can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockTrust {
    /// It agrees with the vendor's, or nothing contradicts it.
    Trusted,
    /// The last answer contradicts it; the next ones show which clock is wrong.
    Doubted,
    /// It is off by this much.
    Wrong(TimeDelta),
}

/// What the vendor's answers have shown of its clock.
#[derive(Debug, Clone, Default)]
pub struct VendorClock {
    /// How far the vendor's clock was ahead of ours, the newest last.
    ahead: VecDeque<TimeDelta>,
    /// Whether our clock is simulated, so that it may differ.
    is_simulated: bool,
    /// Whether our clock has jumped and the vendor has not answered since.
    has_jumped: bool,
}

impl VendorClock {
    /// For a wall clock or a simulated one.
    #[must_use]
    pub fn new(clock: &dyn Clock) -> Self {
        Self { is_simulated: clock.is_simulated(), ..Self::default() }
    }

    /// Our clock advanced by `by` more (or less) than real time did: the machine was suspended, or its clock was set;
    /// the vendor's next answer shows which. Returns how far earlier timestamps are out of step with it.
    pub fn on_jump(&mut self, by: TimeDelta) -> TimeDelta {
        self.has_jumped |= self.is_off(by);
        if self.is_simulated { TimeDelta::zero() } else { by }
    }

    /// An answer came without a date.
    pub fn on_answer(&mut self) {
        self.has_jumped = false;
    }

    /// An answer with this `Date` came at `now` by our clock.
    pub fn on_date(&mut self, date: DateTime<Utc>, now: DateTime<Utc>) {
        self.has_jumped = false;
        self.ahead.push_back(date - now);
        if self.ahead.len() > MAX_DATES {
            self.ahead.pop_front();
        }
    }

    /// How far the vendor's clock is ahead of ours at least. Dates that contradict our clock are left out.
    #[must_use]
    pub fn ahead(&self) -> TimeDelta {
        self.ahead.iter().copied().filter(|ahead| !self.is_off(*ahead)).min().unwrap_or_default()
    }

    /// Whether our clock can be trusted.
    #[must_use]
    pub fn trust(&self) -> ClockTrust {
        let disagreeing = self.ahead.iter().rev().take_while(|ahead| self.is_off(**ahead)).count();
        match self.ahead.back() {
            Some(last) if disagreeing >= DISAGREEING_DATES => ClockTrust::Wrong(*last),
            Some(_) | None if disagreeing > 0 || self.has_jumped => ClockTrust::Doubted,
            Some(_) | None => ClockTrust::Trusted,
        }
    }

    /// Whether a difference is more than [`CLOCK_TOLERANCE`]. A simulated clock may differ.
    pub(super) fn is_off(&self, ahead: TimeDelta) -> bool {
        !self.is_simulated && ahead.abs() > CLOCK_TOLERANCE
    }
}

/// The result of asking the vendor for the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeProbe {
    /// The vendor answered, and its date (if any) does not contradict our clock.
    Agrees,
    /// Our clock is off by this much.
    Off(TimeDelta),
    /// The vendor did not answer before the timeout.
    NoAnswer(ReadError),
}

/// Asks the vendor for the time, before anything is written, until it has answered or `timeout` has passed. Calls
/// `on_first_failure` once, when the first answer fails to come.
pub async fn probe_vendor_time<V: Vendor>(
    vendor: &V,
    from: E164,
    clock: &dyn Clock,
    timeout: TimeDelta,
    mut on_first_failure: impl FnMut(ReadError),
) -> TimeProbe {
    let give_up_at = clock.now() + timeout;
    let mut vendor_clock = VendorClock::new(clock);
    let mut unanswered = 0;
    loop {
        let answer = vendor.may_call_from(from).await;
        match (answer.date, answer.value) {
            (Some(date), _) => vendor_clock.on_date(date, clock.now()),
            (None, Err(error @ ReadError::Unreachable)) => {
                unanswered += 1;
                if unanswered == 1 {
                    on_first_failure(error);
                }
                if clock.now() >= give_up_at {
                    return TimeProbe::NoAnswer(error);
                }
                clock.sleep(FAILED_REQUEST.after(unanswered, 0)).await;
                continue;
            }
            (None, _) => return TimeProbe::Agrees,
        }
        match vendor_clock.trust() {
            ClockTrust::Trusted => return TimeProbe::Agrees,
            ClockTrust::Wrong(by) => return TimeProbe::Off(by),
            ClockTrust::Doubted => clock.sleep(PROBE_PAUSE).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(ahead: &[i64]) -> VendorClock {
        let mut clock = VendorClock::default();
        let now = DateTime::UNIX_EPOCH;
        for ahead in ahead {
            clock.on_date(now + TimeDelta::seconds(*ahead), now);
        }
        clock
    }

    #[test]
    fn one_stale_date_decides_nothing_and_three_in_a_row_do() {
        for (ahead, expected) in [
            (&[][..], ClockTrust::Trusted),
            (&[0, 3, -2], ClockTrust::Trusted),
            (&[0, -3_600], ClockTrust::Doubted),
            (&[0, -3_600, 1], ClockTrust::Trusted),
            (&[-3_600, -3_601], ClockTrust::Doubted),
            (&[0, -3_600, 5, -3_600, 5, -3_600], ClockTrust::Doubted),
            (&[500, 501, 499], ClockTrust::Wrong(TimeDelta::seconds(499))),
        ] {
            assert_eq!(clock(ahead).trust(), expected, "{ahead:?}");
        }
    }

    #[test]
    fn the_vendor_is_taken_to_be_ahead_by_the_smallest_recent_difference() {
        assert_eq!(clock(&[]).ahead(), TimeDelta::zero());
        assert_eq!(clock(&[20, 25, 18]).ahead(), TimeDelta::seconds(18));
        assert_eq!(clock(&[20, -3_600, 3_600]).ahead(), TimeDelta::seconds(20), "stale dates move nothing");
        assert_eq!(clock(&[-9, 1, 1, 1, 1, 1]).ahead(), TimeDelta::seconds(1));
    }
}
