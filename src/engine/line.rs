//! How the vendor is doing: pauses after trouble that is no entry's fault, and when to give up.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::annie::backoff::Delays;

use super::ending::{Ending, Refusal};
use super::outage::Outage;

/// After a refusal for the hour, no call is tried for so long: the vendor's clock or zone differs from what we were told.
const OUTSIDE_HOURS_PAUSE: TimeDelta = TimeDelta::minutes(15);

/// So many refusals of our credentials in a row, each of the newest ones, and they are wrong.
const DENIALS: u32 = 3;

/// Lost answers in a row after which no call is placed for a while: each may be somebody whom a person must settle.
const LOST_IN_A_ROW: u32 = 3;

/// The first pause after lost answers; each further one is twice as long.
const LOST_PAUSE: TimeDelta = TimeDelta::minutes(5);

/// Reads of an address that has never answered like the API, before it is taken for a wrong one.
const WRONG_ADDRESS_AFTER: u32 = 3;

/// An outage counts for as long as it is looked at: what lies between two tries that are further apart is the night, or a
/// machine that slept.
const COUNTED_BETWEEN_TRIES: TimeDelta = TimeDelta::minutes(2);

const DELAYS: Delays = Delays { initial: Duration::from_secs(1), factor: 2.0, cap: Duration::from_mins(1) };

/// Which requests an outage is of: calls may go through while reads do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Requests {
    Calls,
    Reads,
}

/// An outage, as it is told: when it begins, and when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spell {
    pub(super) outage: Outage,
    pub(super) since: DateTime<Utc>,
}

/// Failures of one kind of request, in a row.
#[derive(Debug, Default)]
struct Reach {
    failures: u32,
    spell: Option<Spell>,
    last: Option<DateTime<Utc>>,
    lasted: TimeDelta,
}

impl Reach {
    /// One more failure; whether it is the first.
    fn failed(&mut self, now: DateTime<Utc>, outage: Outage) -> bool {
        self.failures += 1;
        let since_last = self.last.map_or(TimeDelta::zero(), |last| (now - last).max(TimeDelta::zero()));
        self.lasted += since_last.min(COUNTED_BETWEEN_TRIES);
        self.last = Some(now);
        let is_first = self.spell.is_none();
        self.spell.get_or_insert(Spell { outage, since: now });
        is_first
    }
}

/// What becomes of a request that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Retry {
    /// When to try again.
    pub(super) at: DateTime<Utc>,
    /// The outage, if it has just begun.
    pub(super) began: Option<Outage>,
}

/// Whether calls may be placed, as far as the connection, the credentials and the vendor's answers go.
#[derive(Debug)]
pub(super) struct Line {
    paused_until: Option<DateTime<Utc>>,
    patience: TimeDelta,
    calls: Reach,
    reads: Reach,
    /// Whether a read has ever brought what was asked for.
    has_worked: bool,
    denials: u32,
    /// When the last of them was told.
    denied_at: Option<DateTime<Utc>>,
    lost: u32,
    lost_since: Option<DateTime<Utc>>,
    /// No call before then, since answers are being lost.
    lost_until: Option<DateTime<Utc>>,
    seed: u64,
}

impl Line {
    /// `patience` is how long an outage is waited through.
    pub(super) fn new(seed: u64, patience: TimeDelta) -> Self {
        Self {
            paused_until: None,
            patience,
            calls: Reach::default(),
            reads: Reach::default(),
            has_worked: false,
            denials: 0,
            denied_at: None,
            lost: 0,
            lost_since: None,
            lost_until: None,
            seed,
        }
    }

    /// Until when no call may be placed, if that is later than `now`.
    pub(super) fn paused_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.paused_until.max(self.lost_until).filter(|until| *until > now)
    }

    /// A request of this kind brought what it was for: the outage that this ends.
    pub(super) fn works(&mut self, requests: Requests) -> Option<Spell> {
        self.denials = 0;
        self.has_worked |= requests == Requests::Reads;
        std::mem::take(self.reach(requests)).spell
    }

    /// The vendor said something of a call: its answers are not being lost.
    pub(super) fn answers(&mut self) {
        (self.lost, self.lost_since, self.lost_until) = (0, None, None);
    }

    fn reach(&mut self, requests: Requests) -> &mut Reach {
        match requests {
            Requests::Calls => &mut self.calls,
            Requests::Reads => &mut self.reads,
        }
    }

    /// A request failed, for no fault of its own.
    pub(super) fn unreachable(
        &mut self,
        now: DateTime<Utc>,
        requests: Requests,
        outage: Outage,
    ) -> Result<Retry, Ending> {
        if let Some(at) = self.paused_until.filter(|until| *until > now) {
            // It was under way when the others failed: one wave is one failure.
            return Ok(Retry { at, began: None });
        }
        let (has_worked, patience, seed) = (self.has_worked, self.patience, self.seed);
        let reach = self.reach(requests);
        let is_first = reach.failed(now, outage);
        if outage == Outage::Address && !has_worked && reach.failures >= WRONG_ADDRESS_AFTER {
            return Err(Ending::Refused(Refusal::Address));
        }
        if reach.lasted >= patience {
            return Err(Ending::Unreachable);
        }
        let at = now + DELAYS.after(reach.failures, seed);
        Ok(Retry { at: self.pause(at), began: is_first.then_some(outage) })
    }

    /// The vendor did not accept the credentials of a request that was made at `asked`: when to try again.
    pub(super) fn unauthorised(&mut self, asked: DateTime<Utc>, now: DateTime<Utc>) -> Result<DateTime<Utc>, Ending> {
        let paused_until = self.paused_until.filter(|until| *until > now);
        let was_under_way = self.denied_at.is_some_and(|denied| asked <= denied);
        if paused_until.is_some() || was_under_way {
            // Of the same wave as the last one.
            return Ok(paused_until.unwrap_or(now));
        }
        self.denials += 1;
        self.denied_at = Some(now);
        if self.denials >= DENIALS {
            return Err(Ending::Refused(Refusal::Credentials));
        }
        Ok(self.pause(now + DELAYS.after(self.denials, self.seed)))
    }

    /// The vendor says that it is not the hour.
    pub(super) fn outside_hours(&mut self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.pause(now + OUTSIDE_HOURS_PAUSE)
    }

    /// How many answers to calls were lost, without one between that came.
    pub(super) fn lost_in_a_row(&self) -> u32 {
        self.lost
    }

    /// The answer to a call was lost: until when no other is placed, if too many were in a row.
    pub(super) fn lost(&mut self, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Ending> {
        self.lost += 1;
        let since = *self.lost_since.get_or_insert(now);
        let Some(beyond) = self.lost.checked_sub(LOST_IN_A_ROW) else { return Ok(None) };
        if self.lost_until.is_some_and(|until| until > now) {
            // It was under way already.
            return Ok(None);
        }
        let pause = LOST_PAUSE * 2_i32.pow(beyond.min(5));
        if now - since >= self.patience {
            return Err(Ending::Unreachable);
        }
        self.lost_until = Some(now + pause);
        Ok(self.lost_until)
    }

    fn pause(&mut self, until: DateTime<Utc>) -> DateTime<Utc> {
        self.paused_until = self.paused_until.max(Some(until));
        until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        Line::new(1, TimeDelta::hours(2))
    }

    fn noon() -> DateTime<Utc> {
        "2026-11-24T18:00:00Z".parse().expect("an instant")
    }

    #[test]
    fn requests_that_fail_together_are_one_failure_and_an_outage_is_waited_through_for_as_long_as_it_is_said() {
        let (mut line, mut now, mut waves) = (line(), noon(), 0);
        loop {
            let failed = |line: &mut Line| line.unreachable(now, Requests::Reads, Outage::Network);
            let wave: Vec<_> = (0..100).map(|_| failed(&mut line)).collect();
            let Ok(Retry { at, began }) = wave[0].clone() else { break };
            assert_eq!(began, (waves == 0).then_some(Outage::Network), "it is said once");
            assert!(wave[1..].iter().all(|retry| *retry == Ok(Retry { at, began: None })), "{wave:?}");
            (now, waves) = (at, waves + 1);
        }
        assert!((110..180).contains(&waves), "about one a minute: {waves}");
        let lasted = now - noon();
        assert!((TimeDelta::hours(2)..TimeDelta::minutes(125)).contains(&lasted), "{lasted}");
    }

    #[test]
    fn a_night_between_two_failures_is_no_outage() {
        let mut line = line();
        let mut now = noon();
        for _ in 0..20 {
            assert!(line.unreachable(now, Requests::Reads, Outage::Vendor).is_ok());
            now += TimeDelta::hours(16);
        }
    }

    #[test]
    fn an_outage_ends_with_the_first_request_of_its_kind_that_works() {
        let mut line = line();
        line.unreachable(noon(), Requests::Reads, Outage::WebPage).expect("patience");
        assert_eq!(line.works(Requests::Calls), None);
        let spell = Spell { outage: Outage::WebPage, since: noon() };
        assert_eq!((line.works(Requests::Reads), line.works(Requests::Reads)), (Some(spell), None));
    }

    #[test]
    fn an_address_that_never_answered_like_the_api_is_wrong_and_one_that_did_has_an_outage() {
        let outcome = |line: &mut Line| {
            let tries = (0..5).map(|n| noon() + TimeDelta::hours(n));
            tries.map(|now| line.unreachable(now, Requests::Reads, Outage::Address)).find_map(Result::err)
        };
        assert_eq!(outcome(&mut line()), Some(Ending::Refused(Refusal::Address)));
        let mut answered = line();
        answered.works(Requests::Reads);
        assert_eq!(outcome(&mut answered), None);
    }

    #[test]
    fn credentials_are_wrong_once_three_waves_in_a_row_were_turned_away() {
        let mut line = line();
        let mut now = noon();
        for wave in 1..DENIALS {
            let asked = now;
            let until = line.unauthorised(asked, now).expect("tried again");
            assert_eq!(line.unauthorised(asked, now), Ok(until), "wave {wave}");
            now = until + TimeDelta::seconds(1);
            assert_eq!(line.unauthorised(asked, now), Ok(now), "wave {wave}: it was under way");
            now += TimeDelta::seconds(1);
        }
        let mut other = Line { denials: line.denials, ..Line::new(1, TimeDelta::hours(2)) };
        assert_eq!(line.unauthorised(now, now), Err(Ending::Refused(Refusal::Credentials)));
        other.works(Requests::Reads);
        assert!(other.unauthorised(now, now).is_ok(), "one that works begins the count anew");
    }

    #[test]
    fn the_third_lost_answer_in_a_row_pauses_and_each_further_one_pauses_longer() {
        let mut line = line();
        let mut now = noon();
        assert_eq!((line.lost(now), line.lost(now)), (Ok(None), Ok(None)));
        let mut pauses = Vec::new();
        let ending = loop {
            match line.lost(now) {
                Ok(until) => {
                    let until = until.expect("a pause");
                    assert_eq!(line.paused_until(now), Some(until));
                    pauses.push((until - now).num_minutes());
                    now = until;
                }
                Err(ending) => break ending,
            }
        };
        assert_eq!((pauses, ending), (vec![5, 10, 20, 40, 80], Ending::Unreachable));
        line.answers();
        assert_eq!((line.lost(now), line.paused_until(now)), (Ok(None), None), "an answer begins the count anew");
    }
}
