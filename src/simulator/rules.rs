//! When and how often a number may be called, and every refusal (`annie-api.md`, POST /calls).

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};

use crate::zone::Zone;

use super::people::Behaviour;

/// The vendor's calling rules. `None` (or a zero span) switches a rule off.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The organisation's zone, which the legal hours are in.
    pub zone: Zone,
    /// Legal hours: from the first, inclusive, to the second, exclusive. 9:00 to 20:00.
    pub hours: Option<(NaiveTime, NaiveTime)>,
    /// The least time between two attempts to one number: 24 h.
    pub min_gap: TimeDelta,
    /// Attempts to one number in rolling 7 days: 3.
    pub per_7_days: Option<u32>,
    /// Attempts to one number in rolling 30 days: 6.
    pub per_30_days: Option<u32>,
    /// Failed attempts in a row that start the cool-down: 3.
    pub failures_before_cool_down: Option<u32>,
    /// How long the cool-down lasts, from the last failed attempt: 30 days.
    pub cool_down: TimeDelta,
    /// What counts as failed, which the contract leaves open: by default, whatever neither reached a person nor left a
    /// message.
    pub failed: Vec<Behaviour>,
}

impl Rules {
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
            failed: Behaviour::ALL.iter().copied().filter(|behaviour| !behaviour.is_contact()).collect(),
        }
    }

    /// No rule at all, in `zone`.
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

    pub(super) fn check_hours(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        let local = self.zone.local(now).time();
        let open = self.hours.is_none_or(|(from, until)| (from..until).contains(&local));
        open.then_some(()).ok_or(Refusal::OutsideHours)
    }
}

/// Why a call is not placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A field is missing or not as the contract says.
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

/// How long it takes to send a text, in seconds.
const SENDING: i64 = 10;

/// The attempts made to one number.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    /// Oldest first; those of the last 30 days at least.
    attempts: Vec<DateTime<Utc>>,
    /// All attempts ever.
    pub(super) count: u64,
    failures_in_a_row: u32,
    cooling_until: Option<DateTime<Utc>>,
    sending_until: Option<DateTime<Utc>>,
}

impl Book {
    pub(super) fn check(&self, now: DateTime<Utc>, rules: &Rules) -> Result<(), Refusal> {
        let within = |days| self.attempts.iter().filter(|at| **at > now - TimeDelta::days(days)).count();
        let full = |limit: Option<u32>, days| limit.is_some_and(|limit| within(days) >= limit as usize);
        if self.attempts.last().is_some_and(|last| now - *last < rules.min_gap) {
            return Err(Refusal::TooSoon);
        }
        if full(rules.per_7_days, 7) {
            return Err(Refusal::WeekFull);
        }
        if full(rules.per_30_days, 30) {
            return Err(Refusal::MonthFull);
        }
        if self.cooling_until.is_some_and(|until| now < until) {
            return Err(Refusal::CoolingDown);
        }
        Ok(())
    }

    /// Whether a text may be sent, as far as others under way matter.
    pub(super) fn check_sending(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        let sending = self.sending_until.is_some_and(|until| now < until);
        (!sending).then_some(()).ok_or(Refusal::Sending)
    }

    /// Enters a text whose sending begins.
    pub(super) fn send(&mut self, at: DateTime<Utc>) {
        self.sending_until = Some(at + TimeDelta::seconds(SENDING));
    }

    /// Enters an attempt whose end is already decided: within the 24 hours until it matters, it has ended.
    pub(super) fn enter(&mut self, at: DateTime<Utc>, behaviour: Behaviour, rules: &Rules) {
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

    fn rules() -> Rules {
        Rules::documented(Zone::named("America/Chicago").expect("a zone"))
    }

    fn hour(hours: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
    }

    /// A book with one attempt at each of `hours`, and its answer at `then`.
    fn answer(behaviour: Behaviour, hours: &[i64], then: i64) -> Result<(), Refusal> {
        let mut book = Book::default();
        for at in hours {
            book.enter(hour(*at), behaviour, &rules());
        }
        book.check(hour(then), &rules())
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
    fn a_number_is_called_as_often_as_the_rules_say_and_no_more() {
        let day = 24;
        let cases: [(&[i64], i64, Result<(), Refusal>); 9] = [
            (&[], 0, Ok(())),
            (&[0], 23, Err(Refusal::TooSoon)),
            (&[0], 24, Ok(())),
            (&[0, day, 2 * day], 3 * day, Err(Refusal::WeekFull)),
            (&[0, day, 2 * day], 7 * day - 1, Err(Refusal::WeekFull)),
            (&[0, day, 2 * day], 7 * day, Ok(())),
            (&[0, 24, 48, 168, 192, 216], 29 * day, Err(Refusal::MonthFull)),
            (&[0, 24, 48, 168, 192, 216], 30 * day, Ok(())),
            (&[5], 4, Err(Refusal::TooSoon)),
        ];
        for (attempts, then, expected) in cases {
            assert_eq!(answer(Behaviour::Voicemail, attempts, then), expected, "{attempts:?} then {then}");
        }
    }

    #[test]
    fn three_failures_in_a_row_rest_a_number_for_thirty_days() {
        let last = 10 * 24;
        let attempts = [0, 5 * 24, last];
        assert_eq!(answer(Behaviour::NoAnswer, &attempts, last + 29 * 24), Err(Refusal::CoolingDown));
        assert_eq!(answer(Behaviour::NoAnswer, &attempts, last + 30 * 24), Ok(()));
        assert_eq!(answer(Behaviour::Voicemail, &attempts, last + 8 * 24), Ok(()));
    }

    #[test]
    fn a_contact_between_failures_starts_the_count_again() {
        let mut book = Book::default();
        let behaviours = [Behaviour::Busy, Behaviour::NoAnswer, Behaviour::Voicemail, Behaviour::Busy, Behaviour::Busy];
        for (n, behaviour) in (0..).zip(behaviours) {
            book.enter(hour(n * 5 * 24), behaviour, &rules());
        }
        assert_eq!(book.check(hour(28 * 24), &rules()), Ok(()));
    }

    #[test]
    fn after_a_cool_down_the_count_starts_again() {
        let fourth = 41 * 24;
        assert_eq!(answer(Behaviour::NoAnswer, &[0, 5 * 24, 10 * 24, fourth], fourth + 24), Ok(()));
    }

    #[test]
    fn rules_can_be_switched_off() {
        let none = Rules::none(Zone::named("America/Chicago").expect("a zone"));
        let mut book = Book::default();
        for _ in 0..10 {
            book.enter(hour(0), Behaviour::NoAnswer, &none);
        }
        assert_eq!(book.check(hour(0), &none), Ok(()));
        assert_eq!(none.check_hours(hour(8)), Ok(()));
    }
}
