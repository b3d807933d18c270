//! The vendor's clock, as the `Date` of its answers tells it, and whether ours can be trusted beside it.
//!
//! One `Date` may be a proxy's, hours old, so one never decides anything: while the last one disagrees, no call is placed,
//! and only several in a row say that this machine's clock is wrong. How far the vendor is ahead is taken as the least that
//! it was lately, so that whatever rests on it reaches further back rather than less far.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::annie::backoff::Delays;
use crate::annie::{Unread, Vendor};
use crate::clock::Clock;
use crate::phone::E164;

/// How far our clock may be off before no hour can be trusted.
pub const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(120);

/// Dates that must disagree, one after the other, before our clock is wrong.
const IN_A_ROW: usize = 3;

/// Dates that are remembered.
const REMEMBERED: usize = 5;

/// Between two questions for the time.
const PAUSE: TimeDelta = TimeDelta::seconds(2);

const DELAYS: Delays = Delays { initial: Duration::from_secs(1), factor: 2.0, cap: Duration::from_mins(1) };

/// Whether our clock can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// It agrees with the vendor's, or nothing says otherwise.
    Trusted,
    /// The last answer disagrees: the next ones will tell whose fault it is.
    Doubted,
    /// It is off by so much.
    Wrong(TimeDelta),
}

/// What the vendor's answers have said of its clock.
#[derive(Debug, Clone, Default)]
pub struct VendorClock {
    /// How far it was ahead of ours, the newest last.
    ahead: VecDeque<TimeDelta>,
    /// Ours need not agree with it: it is somebody's invention.
    is_invented: bool,
    /// Ours has jumped, and nobody has answered since.
    jumped: bool,
}

impl VendorClock {
    /// Beside a clock of ours that is the machine's, or invented.
    #[must_use]
    pub fn beside(clock: &dyn Clock) -> Self {
        Self { is_invented: clock.is_invented(), ..Self::default() }
    }

    /// Our clock shows so much more, or less, than has passed: the machine was suspended, or its clock was set. Until the
    /// vendor has answered, nobody knows which. Returns by how much what was written down before is out of step with it.
    pub fn jumped(&mut self, by: TimeDelta) -> TimeDelta {
        self.jumped |= self.is_off(by);
        if self.is_invented { TimeDelta::zero() } else { by }
    }

    /// An answer came that does not say what time it is.
    pub fn answered(&mut self) {
        self.jumped = false;
    }

    /// An answer came at `now` by our clock, and says that it was `date`.
    pub fn heard(&mut self, date: DateTime<Utc>, now: DateTime<Utc>) {
        self.jumped = false;
        self.ahead.push_back(date - now);
        if self.ahead.len() > REMEMBERED {
            self.ahead.pop_front();
        }
    }

    /// By how much it is ahead of ours at least. Dates that nobody can trust are left out.
    #[must_use]
    pub fn ahead(&self) -> TimeDelta {
        self.ahead.iter().copied().filter(|ahead| !self.is_off(*ahead)).min().unwrap_or_default()
    }

    /// Whether our clock can be trusted.
    #[must_use]
    pub fn trust(&self) -> Trust {
        let off = self.ahead.iter().rev().take_while(|ahead| self.is_off(**ahead)).count();
        match self.ahead.back() {
            Some(last) if off >= IN_A_ROW => Trust::Wrong(*last),
            Some(_) | None if off > 0 || self.jumped => Trust::Doubted,
            Some(_) | None => Trust::Trusted,
        }
    }

    fn is_off(&self, ahead: TimeDelta) -> bool {
        !self.is_invented && ahead.abs() > CLOCK_TOLERANCE
    }
}

/// What asking the vendor for the time came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It answered, and our clock can be trusted as far as the answer tells.
    Agrees,
    /// Our clock is off by so much.
    Off(TimeDelta),
    /// No answer came until the end of our patience.
    NoAnswer(Unread),
}

/// Asks the vendor, before anything is written, until it has answered or `patience` has passed. `waiting` is told once,
/// when the first answer fails to come.
pub async fn ask_for_the_time<V: Vendor>(
    vendor: &V,
    from: E164,
    clock: &dyn Clock,
    patience: TimeDelta,
    mut waiting: impl FnMut(Unread),
) -> Asked {
    let give_up_at = clock.now() + patience;
    let mut heard = VendorClock::beside(clock);
    let mut unanswered = 0;
    loop {
        let answer = vendor.may_call_from(from).await;
        match (answer.date, answer.value) {
            (Some(date), _) => heard.heard(date, clock.now()),
            (None, Err(unread @ Unread::Unreachable)) => {
                unanswered += 1;
                if unanswered == 1 {
                    waiting(unread);
                }
                if clock.now() >= give_up_at {
                    return Asked::NoAnswer(unread);
                }
                clock.sleep(DELAYS.after(unanswered, 0)).await;
                continue;
            }
            (None, _) => return Asked::Agrees,
        }
        match heard.trust() {
            Trust::Trusted => return Asked::Agrees,
            Trust::Wrong(by) => return Asked::Off(by),
            Trust::Doubted => clock.sleep(PAUSE).await,
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
            clock.heard(now + TimeDelta::seconds(*ahead), now);
        }
        clock
    }

    #[test]
    fn one_stale_date_decides_nothing_and_three_in_a_row_do() {
        for (ahead, expected) in [
            (&[][..], Trust::Trusted),
            (&[0, 3, -2], Trust::Trusted),
            (&[0, -3_600], Trust::Doubted),
            (&[0, -3_600, 1], Trust::Trusted),
            (&[-3_600, -3_601], Trust::Doubted),
            (&[0, -3_600, 5, -3_600, 5, -3_600], Trust::Doubted),
            (&[500, 501, 499], Trust::Wrong(TimeDelta::seconds(499))),
        ] {
            assert_eq!(clock(ahead).trust(), expected, "{ahead:?}");
        }
    }

    #[test]
    fn the_vendor_is_taken_to_be_ahead_by_the_least_that_it_was_lately() {
        assert_eq!(clock(&[]).ahead(), TimeDelta::zero());
        assert_eq!(clock(&[20, 25, 18]).ahead(), TimeDelta::seconds(18));
        assert_eq!(clock(&[20, -3_600, 3_600]).ahead(), TimeDelta::seconds(20), "stale dates move nothing");
        assert_eq!(clock(&[-9, 1, 1, 1, 1, 1]).ahead(), TimeDelta::seconds(1));
    }
}
