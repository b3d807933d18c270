//! The vendor's calling rules: when and how often a number may be called, and every refusal (`annie-api.md`, POST
//! /calls).

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use crate::zone::Zone;

use super::people::Behaviour;

/// The vendor's calling rules. `None` (or a zero span) switches a rule off.
#[derive(Debug, Clone, PartialEq)]
pub struct VendorRules {
    /// The organisation's time zone, which applies to the legal hours.
    pub zone: Zone,
    /// Legal hours, from the first, inclusive, to the second, exclusive: 9:00 to 20:00.
    pub hours: Option<(NaiveTime, NaiveTime)>,
    /// The minimum time between two attempts to one number: 24 h.
    pub min_gap: TimeDelta,
    /// The most attempts to one number in rolling 7 days: 3.
    pub per_7_days: Option<u32>,
    /// The most attempts to one number in rolling 30 days: 6.
    pub per_30_days: Option<u32>,
    /// Failed attempts in a row that start the cool-down: 3.
    pub failures_before_cool_down: Option<u32>,
    /// How long the cool-down lasts, from the last failed attempt: 30 days.
    pub cool_down: TimeDelta,
    /// The most calls in progress at once, which the contract leaves open: no limit.
    pub concurrent_calls: Option<u32>,
    /// Whether a call counts towards it until its conversation is closed: no.
    pub closing_counts: bool,
    /// The behaviours that count as failed, which the contract leaves open: by default, those that neither reach a
    /// person nor leave a message.
    pub failed: Vec<Behaviour>,
}

impl VendorRules {
    /// The documented rules, in `zone`.
    #[must_use]
    pub fn documented(zone: Zone) -> Self {
        Self {
            zone,
            hours: NaiveTime::from_hms_opt(9, 0, 0).zip(NaiveTime::from_hms_opt(20, 0, 0)),
            min_gap: TimeDelta::hours(24),
            per_7_days: Some(3),
            per_30_days: Some(6),
            failures_before_cool_down: Some(3),
            cool_down: TimeDelta::days(30),
            concurrent_calls: None,
            closing_counts: false,
            failed: Behaviour::ALL.iter().copied().filter(|behaviour| !behaviour.is_contact()).collect(),
        }
    }

    /// Every rule switched off, in `zone`.
    #[must_use]
    pub fn none(zone: Zone) -> Self {
        Self {
            hours: None,
            min_gap: TimeDelta::zero(),
            per_7_days: None,
            per_30_days: None,
            failures_before_cool_down: None,
            ..Self::documented(zone)
        }
    }

    pub(super) fn check_hours(&self, now: DateTime<Utc>) -> Result<(), CallRefusal> {
        let local = self.zone.local(now).time();
        let open = self.hours.is_none_or(|(from, until)| (from..until).contains(&local));
        open.then_some(()).ok_or(CallRefusal::OutsideHours)
    }
}

/// Why a call or a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallRefusal {
    /// A field is missing or does not match the contract; the text says which.
    #[error("{0}")]
    Malformed(&'static str),
    /// The from-number is not one of this organisation's outbound numbers.
    #[error("fromNumber is not attached to a bot with outbound calling enabled")]
    FromNumber,
    /// The organisation is a sandbox, and the number is not on its allow-list.
    #[error("toNumber is not on the allow-list of this sandbox organization")]
    NotAllowed,
    /// Outside the legal hours.
    #[error("outbound calls are allowed between 9 AM and 8 PM in the organization's time zone")]
    OutsideHours,
    /// The first message of a text conversation with this number is still being sent.
    #[error("a message to this number is being sent")]
    Sending,
    /// Too many calls are in progress.
    #[error("the organization has reached its limit of concurrent calls")]
    ConcurrentCalls,
    /// Too soon after the last attempt.
    #[error("this number was attempted less than 24 hours ago")]
    TooSoon,
    /// Too many attempts in 7 days.
    #[error("this number has reached its limit of attempts in 7 days")]
    WeekFull,
    /// Too many attempts in 30 days.
    #[error("this number has reached its limit of calls in 30 days")]
    MonthFull,
    /// Too many failed attempts in a row.
    #[error("this number is in a cool-down after consecutive failed attempts")]
    CoolingDown,
}

/// The time that sending a text takes, in seconds.
const TEXT_SENDING_SECONDS: i64 = 10;

/// The attempts made to one number.
#[derive(Debug, Clone, Default)]
pub(super) struct NumberAttempts {
    /// Oldest first; at least those of the last 30 days.
    attempts: Vec<DateTime<Utc>>,
    /// The number of all attempts.
    pub(super) count: u64,
    failures_in_a_row: u32,
    cooling_until: Option<DateTime<Utc>>,
    sending_until: Option<DateTime<Utc>>,
}

impl NumberAttempts {
    pub(super) fn check(&self, now: DateTime<Utc>, rules: &VendorRules) -> Result<(), CallRefusal> {
        let within = |days| self.attempts.iter().filter(|at| **at > now - TimeDelta::days(days)).count();
        let is_full = |limit: Option<u32>, days| limit.is_some_and(|limit| within(days) >= limit as usize);
        if self.attempts.last().is_some_and(|last| now - *last < rules.min_gap) {
            return Err(CallRefusal::TooSoon);
        }
        if is_full(rules.per_7_days, 7) {
            return Err(CallRefusal::WeekFull);
        }
        if is_full(rules.per_30_days, 30) {
            return Err(CallRefusal::MonthFull);
        }
        if self.cooling_until.is_some_and(|until| now < until) {
            return Err(CallRefusal::CoolingDown);
        }
        Ok(())
    }

    /// Refuses a text while another one to this number is being sent.
    pub(super) fn check_no_text_in_flight(&self, now: DateTime<Utc>) -> Result<(), CallRefusal> {
        let is_sending = self.sending_until.is_some_and(|until| now < until);
        (!is_sending).then_some(()).ok_or(CallRefusal::Sending)
    }

    /// Records that a text starts being sent.
    pub(super) fn record_text(&mut self, at: DateTime<Utc>) {
        self.sending_until = Some(at + TimeDelta::seconds(TEXT_SENDING_SECONDS));
    }

    /// Records an attempt and whether it fails. Its behaviour is decided at its start; the cool-down that it may cause
    /// matters only after the minimum gap, when the call has ended.
    pub(super) fn record(&mut self, at: DateTime<Utc>, behaviour: Behaviour, rules: &VendorRules) {
        self.attempts.retain(|earlier| *earlier > at - TimeDelta::days(30));
        self.attempts.push(at);
        self.count += 1;
        self.failures_in_a_row = if rules.failed.contains(&behaviour) { self.failures_in_a_row + 1 } else { 0 };
        if rules.failures_before_cool_down.is_some_and(|limit| self.failures_in_a_row >= limit) {
            self.failures_in_a_row = 0;
            self.cooling_until = Some(at + rules.cool_down);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> VendorRules {
        VendorRules::documented(Zone::named("America/Chicago").expect("a zone"))
    }

    fn hour(hours: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
    }

    /// The result of a check at hour `then`, after one attempt at each of `hours`.
    fn check_after(behaviour: Behaviour, hours: &[i64], then: i64) -> Result<(), CallRefusal> {
        let mut number = NumberAttempts::default();
        for at in hours {
            number.record(hour(*at), behaviour, &rules());
        }
        number.check(hour(then), &rules())
    }

    #[test]
    fn legal_hours_are_nine_to_eight_in_the_organisations_zone() {
        let cases = [
            ("2026-11-24T14:59:59Z", false),
            ("2026-11-24T15:00:00Z", true),
            ("2026-11-25T01:59:59Z", true),
            ("2026-11-25T02:00:00Z", false),
            ("2026-07-01T14:00:00Z", true),
        ];
        for (at, open) in cases {
            assert_eq!(rules().check_hours(at.parse().expect("an instant")).is_ok(), open, "{at}");
        }
    }

    #[test]
    fn a_number_is_called_as_often_as_the_rules_allow() {
        let day = 24;
        let cases: [(&[i64], i64, Result<(), CallRefusal>); 9] = [
            (&[], 0, Ok(())),
            (&[0], 23, Err(CallRefusal::TooSoon)),
            (&[0], 24, Ok(())),
            (&[0, day, 2 * day], 3 * day, Err(CallRefusal::WeekFull)),
            (&[0, day, 2 * day], 7 * day - 1, Err(CallRefusal::WeekFull)),
            (&[0, day, 2 * day], 7 * day, Ok(())),
            (&[0, 24, 48, 168, 192, 216], 29 * day, Err(CallRefusal::MonthFull)),
            (&[0, 24, 48, 168, 192, 216], 30 * day, Ok(())),
            (&[5], 4, Err(CallRefusal::TooSoon)),
        ];
        for (attempts, then, expected) in cases {
            assert_eq!(check_after(Behaviour::Voicemail, attempts, then), expected, "{attempts:?} then {then}");
        }
    }

    #[test]
    fn three_failures_in_a_row_start_a_cool_down_of_thirty_days() {
        let last = 10 * 24;
        let attempts = [0, 5 * 24, last];
        assert_eq!(check_after(Behaviour::NoAnswer, &attempts, last + 29 * 24), Err(CallRefusal::CoolingDown));
        assert_eq!(check_after(Behaviour::NoAnswer, &attempts, last + 30 * 24), Ok(()));
        assert_eq!(check_after(Behaviour::Voicemail, &attempts, last + 8 * 24), Ok(()));
    }

    #[test]
    fn a_contact_between_failures_starts_the_count_again() {
        let mut number = NumberAttempts::default();
        let behaviours = [Behaviour::Busy, Behaviour::NoAnswer, Behaviour::Voicemail, Behaviour::Busy, Behaviour::Busy];
        for (n, behaviour) in (0..).zip(behaviours) {
            number.record(hour(n * 5 * 24), behaviour, &rules());
        }
        assert_eq!(number.check(hour(28 * 24), &rules()), Ok(()));
    }

    #[test]
    fn after_a_cool_down_the_count_starts_again() {
        let fourth = 41 * 24;
        assert_eq!(check_after(Behaviour::NoAnswer, &[0, 5 * 24, 10 * 24, fourth], fourth + 24), Ok(()));
    }

    #[test]
    fn rules_can_be_switched_off() {
        let none = VendorRules::none(Zone::named("America/Chicago").expect("a zone"));
        let mut number = NumberAttempts::default();
        for _ in 0..10 {
            number.record(hour(0), Behaviour::NoAnswer, &none);
        }
        assert_eq!(number.check(hour(0), &none), Ok(()));
        assert_eq!(none.check_hours(hour(8)), Ok(()));
    }
}
