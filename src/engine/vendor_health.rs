//! The vendor's health: pauses after trouble that is no entry's fault, and when to give up.

use chrono::{DateTime, TimeDelta, Utc};

use crate::vendor::backoff::FAILED_REQUEST;

use super::outage::Outage;
use super::stop_reason::{RefusedByVendor, StopReason};

/// The pause after the vendor refused a call as outside calling hours: its clock or time zone differs from ours.
const OUTSIDE_HOURS_PAUSE: TimeDelta = TimeDelta::minutes(15);

/// Rejections of our newest credentials in a row after which the credentials count as wrong.
const MAX_REJECTIONS: u32 = 3;

/// Lost answers in a row after which calls pause: each may need the operator to settle it.
const LOST_BEFORE_PAUSE: u32 = 3;

/// The first pause after lost answers; each further one is twice as long.
const FIRST_LOST_PAUSE: TimeDelta = TimeDelta::minutes(5);

/// Failed reads after which an address that never answered like the API counts as wrong.
const WRONG_ADDRESS_AFTER: u32 = 3;

/// The most that counts as outage time between two tries. If they are further apart, it was night or the machine slept.
const MAX_COUNTED_GAP: TimeDelta = TimeDelta::minutes(2);

/// The kind of request that fails: calls may work while reads do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestKind {
    Calls,
    Reads,
}

/// An outage, reported once when it begins and once when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutageNotice {
    pub(super) outage: Outage,
    pub(super) since: DateTime<Utc>,
}

/// Failures of one kind of request, in a row.
#[derive(Debug, Default)]
struct FailureStreak {
    failures: u32,
    outage: Option<OutageNotice>,
    last_failure: Option<DateTime<Utc>>,
    counted_time: TimeDelta,
}

impl FailureStreak {
    /// Adds a failure. Returns whether it is the first.
    fn add_failure(&mut self, now: DateTime<Utc>, outage: Outage) -> bool {
        self.failures += 1;
        let since_last = self.last_failure.map_or(TimeDelta::zero(), |last| (now - last).max(TimeDelta::zero()));
        self.counted_time += since_last.min(MAX_COUNTED_GAP);
        self.last_failure = Some(now);
        let is_first = self.outage.is_none();
        self.outage.get_or_insert(OutageNotice { outage, since: now });
        is_first
    }
}

/// What follows from a failed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Retry {
    pub(super) at: DateTime<Utc>,
    /// The outage, if it has just begun.
    pub(super) began: Option<Outage>,
}

/// Whether calls may be placed, by the connection, the credentials and the vendor's answers.
#[derive(Debug)]
pub(super) struct VendorHealth {
    paused_until: Option<DateTime<Utc>>,
    max_outage: TimeDelta,
    calls: FailureStreak,
    reads: FailureStreak,
    /// Whether a read has ever succeeded.
    has_read: bool,
    rejections: u32,
    /// When the last rejection of our credentials arrived.
    last_rejected_at: Option<DateTime<Utc>>,
    lost_in_a_row: u32,
    lost_since: Option<DateTime<Utc>>,
    /// When calls may continue after lost answers.
    lost_pause_until: Option<DateTime<Utc>>,
    seed: u64,
}

impl VendorHealth {
    /// `max_outage`: how long to wait for an outage to end.
    pub(super) fn new(seed: u64, max_outage: TimeDelta) -> Self {
        Self {
            paused_until: None,
            max_outage,
            calls: FailureStreak::default(),
            reads: FailureStreak::default(),
            has_read: false,
            rejections: 0,
            last_rejected_at: None,
            lost_in_a_row: 0,
            lost_since: None,
            lost_pause_until: None,
            seed,
        }
    }

    /// Until when no call may be placed, if that is later than `now`.
    pub(super) fn paused_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.paused_until.max(self.lost_pause_until).filter(|until| *until > now)
    }

    /// A request of this kind succeeded. Returns the outage that this ends.
    pub(super) fn on_success(&mut self, requests: RequestKind) -> Option<OutageNotice> {
        self.rejections = 0;
        self.has_read |= requests == RequestKind::Reads;
        std::mem::take(self.streak_mut(requests)).outage
    }

    /// The vendor answered a call, so its answers are not being lost.
    pub(super) fn on_call_answered(&mut self) {
        (self.lost_in_a_row, self.lost_since, self.lost_pause_until) = (0, None, None);
    }

    fn streak_mut(&mut self, requests: RequestKind) -> &mut FailureStreak {
        match requests {
            RequestKind::Calls => &mut self.calls,
            RequestKind::Reads => &mut self.reads,
        }
    }

    /// A request failed because of the connection or the vendor, not because of its content.
    pub(super) fn on_unreachable(
        &mut self,
        now: DateTime<Utc>,
        requests: RequestKind,
        outage: Outage,
    ) -> Result<Retry, StopReason> {
        if let Some(at) = self.paused_until.filter(|until| *until > now) {
            // It was in flight when others failed: requests that fail together count as one failure.
            return Ok(Retry { at, began: None });
        }
        let (has_read, max_outage, seed) = (self.has_read, self.max_outage, self.seed);
        let streak = self.streak_mut(requests);
        let is_first = streak.add_failure(now, outage);
        if outage == Outage::Address && !has_read && streak.failures >= WRONG_ADDRESS_AFTER {
            return Err(StopReason::Refused(RefusedByVendor::Address));
        }
        if streak.counted_time >= max_outage {
            return Err(StopReason::Unreachable);
        }
        let at = now + FAILED_REQUEST.after(streak.failures, seed);
        Ok(Retry { at: self.pause(at), began: is_first.then_some(outage) })
    }

    /// The vendor rejected the credentials of a request sent at `asked_at`. Returns when to try again.
    pub(super) fn on_unauthorised(
        &mut self,
        asked_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, StopReason> {
        let paused_until = self.paused_until.filter(|until| *until > now);
        let was_in_flight = self.last_rejected_at.is_some_and(|denied| asked_at <= denied);
        if paused_until.is_some() || was_in_flight {
            // It was in flight at the last rejection, and counts with it.
            return Ok(paused_until.unwrap_or(now));
        }
        self.rejections += 1;
        self.last_rejected_at = Some(now);
        if self.rejections >= MAX_REJECTIONS {
            return Err(StopReason::Refused(RefusedByVendor::Credentials));
        }
        Ok(self.pause(now + FAILED_REQUEST.after(self.rejections, self.seed)))
    }

    /// The vendor says that it is outside calling hours. Returns when to try again.
    pub(super) fn on_outside_hours(&mut self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.pause(now + OUTSIDE_HOURS_PAUSE)
    }

    /// How many answers to calls were lost in a row.
    pub(super) fn lost_in_a_row(&self) -> u32 {
        self.lost_in_a_row
    }

    /// The answer to a call was lost. Returns until when calls pause, if too many were lost in a row.
    pub(super) fn on_lost_answer(&mut self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, StopReason> {
        self.lost_in_a_row += 1;
        let since = *self.lost_since.get_or_insert(now);
        let Some(excess) = self.lost_in_a_row.checked_sub(LOST_BEFORE_PAUSE) else { return Ok(None) };
        if self.lost_pause_until.is_some_and(|until| until > now) {
            // It was in flight before the pause.
            return Ok(None);
        }
        let pause = FIRST_LOST_PAUSE * 2_i32.pow(excess.min(5));
        if now - since >= self.max_outage {
            return Err(StopReason::Unreachable);
        }
        self.lost_pause_until = Some(now + pause);
        Ok(self.lost_pause_until)
    }

    fn pause(&mut self, until: DateTime<Utc>) -> DateTime<Utc> {
        self.paused_until = self.paused_until.max(Some(until));
        until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health() -> VendorHealth {
        VendorHealth::new(1, TimeDelta::hours(2))
    }

    fn noon() -> DateTime<Utc> {
        "2026-11-24T18:00:00Z".parse().expect("an instant")
    }

    #[test]
    fn requests_that_fail_together_are_one_failure_and_an_outage_is_waited_out_for_the_configured_time() {
        let (mut health, mut now, mut waves) = (health(), noon(), 0);
        loop {
            let failed = |health: &mut VendorHealth| health.on_unreachable(now, RequestKind::Reads, Outage::Network);
            let wave: Vec<_> = (0..100).map(|_| failed(&mut health)).collect();
            let Ok(Retry { at, began }) = wave[0].clone() else { break };
            assert_eq!(began, (waves == 0).then_some(Outage::Network), "it is reported once");
            assert!(wave[1..].iter().all(|retry| *retry == Ok(Retry { at, began: None })), "{wave:?}");
            (now, waves) = (at, waves + 1);
        }
        assert!((110..180).contains(&waves), "about one a minute: {waves}");
        let lasted = now - noon();
        assert!((TimeDelta::hours(2)..TimeDelta::minutes(125)).contains(&lasted), "{lasted}");
    }

    #[test]
    fn a_night_between_two_failures_is_no_outage() {
        let mut health = health();
        let mut now = noon();
        for _ in 0..20 {
            assert!(health.on_unreachable(now, RequestKind::Reads, Outage::Vendor).is_ok());
            now += TimeDelta::hours(16);
        }
    }

    #[test]
    fn an_outage_ends_with_the_first_request_of_its_kind_that_works() {
        let mut health = health();
        health.on_unreachable(noon(), RequestKind::Reads, Outage::WebPage).expect("a retry");
        assert_eq!(health.on_success(RequestKind::Calls), None);
        let outage = OutageNotice { outage: Outage::WebPage, since: noon() };
        assert_eq!(
            (health.on_success(RequestKind::Reads), health.on_success(RequestKind::Reads)),
            (Some(outage), None)
        );
    }

    #[test]
    fn an_address_that_never_answered_like_the_api_is_wrong_and_one_that_did_has_an_outage() {
        let outcome = |health: &mut VendorHealth| {
            let tries = (0..5).map(|n| noon() + TimeDelta::hours(n));
            tries.map(|now| health.on_unreachable(now, RequestKind::Reads, Outage::Address)).find_map(Result::err)
        };
        assert_eq!(outcome(&mut health()), Some(StopReason::Refused(RefusedByVendor::Address)));
        let mut answered = health();
        answered.on_success(RequestKind::Reads);
        assert_eq!(outcome(&mut answered), None);
    }

    #[test]
    fn credentials_are_wrong_after_three_waves_of_rejections_in_a_row() {
        let mut health = health();
        let mut now = noon();
        for wave in 1..MAX_REJECTIONS {
            let asked_at = now;
            let until = health.on_unauthorised(asked_at, now).expect("tried again");
            assert_eq!(health.on_unauthorised(asked_at, now), Ok(until), "wave {wave}");
            now = until + TimeDelta::seconds(1);
            assert_eq!(health.on_unauthorised(asked_at, now), Ok(now), "wave {wave}: it was in flight");
            now += TimeDelta::seconds(1);
        }
        let mut other = VendorHealth { rejections: health.rejections, ..VendorHealth::new(1, TimeDelta::hours(2)) };
        assert_eq!(health.on_unauthorised(now, now), Err(StopReason::Refused(RefusedByVendor::Credentials)));
        other.on_success(RequestKind::Reads);
        assert!(other.on_unauthorised(now, now).is_ok(), "one that works restarts the count");
    }

    #[test]
    fn the_third_lost_answer_in_a_row_pauses_and_each_further_one_pauses_longer() {
        let mut health = health();
        let mut now = noon();
        assert_eq!((health.on_lost_answer(now), health.on_lost_answer(now)), (Ok(None), Ok(None)));
        let mut pauses = Vec::new();
        let stop_reason = loop {
            match health.on_lost_answer(now) {
                Ok(until) => {
                    let until = until.expect("a pause");
                    assert_eq!(health.paused_until(now), Some(until));
                    pauses.push((until - now).num_minutes());
                    now = until;
                }
                Err(stop_reason) => break stop_reason,
            }
        };
        assert_eq!((pauses, stop_reason), (vec![5, 10, 20, 40, 80], StopReason::Unreachable));
        health.on_call_answered();
        assert_eq!(
            (health.on_lost_answer(now), health.paused_until(now)),
            (Ok(None), None),
            "an answer restarts the count"
        );
    }
}
