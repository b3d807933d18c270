//! The end of a run: what must be waited for, when the next thing may be done, and whether there is one.

use chrono::{DateTime, TimeDelta, Utc};

use crate::annie::Vendor;
use crate::engine::ending::{Ending, Refusal};
use crate::engine::events::Event;
use crate::engine::scan::Flaw;

use super::{Dispatcher, NextDue};

/// A rest shorter than this is nobody's business.
const WORTH_TELLING: TimeDelta = TimeDelta::minutes(2);

/// When the next call could be placed, as far as due entries and the practice's hours go.
pub(super) enum NextCall {
    /// The ledger is being asked.
    NotKnown,
    /// Nothing is due, or there are no hours in which it could be called.
    Never,
    /// Then.
    At(DateTime<Utc>),
}

impl<V: Vendor> Dispatcher<'_, '_, V> {
    /// No further call is placed, for the gravest reason that is known.
    pub(super) fn stop_placing(&mut self, ending: Ending) {
        let is_graver = self.ending.as_ref().is_none_or(|known| known.gravity() < ending.gravity());
        let ends_reading = ends_reading(&ending) && !self.reads_no_more;
        if is_graver || ends_reading {
            let organisation = self.common.name_of(&self.organisation);
            let event = Event::Stopping { at: self.engine.clock.now(), why: ending.to_string(), organisation };
            self.tell(&[event]);
        }
        self.reads_no_more |= ends_reading;
        if is_graver {
            self.ending = Some(ending);
        }
    }

    pub(super) fn must_wait(&self) -> bool {
        self.sending > 0 || self.claiming > 0 || self.recording > 0 || self.candidates > 0
    }

    pub(super) fn follows_something(&self) -> bool {
        let is_provable = !matches!(self.ending, Some(Ending::ListProvesNothing { .. }));
        let is_settling = is_provable && !self.reconciler.is_empty();
        self.tracker.open() > 0 || self.tracker.still_given_up() > 0 || is_settling
    }

    pub(super) fn over(&self, now: DateTime<Utc>) -> Option<Ending> {
        if self.must_wait() || (!self.reads_no_more && (self.reading || self.follows_something())) {
            return None;
        }
        if self.ending.is_some() {
            return self.ending.clone();
        }
        match (self.next_call_at(now), self.hours.closes(now)) {
            (NextCall::NotKnown, _) => None,
            (NextCall::Never, _) => Some(Ending::Done),
            (NextCall::At(_), _) if self.engine.until_done => None,
            (NextCall::At(_), None) if self.looks_too_long() => Some(Ending::ListProvesNothing { flaw: Flaw::TooLong }),
            (NextCall::At(opens), None) => Some(Ending::WindowClosed { opens: Some(opens) }),
            (NextCall::At(at), Some(closes)) => (at >= closes).then_some(Ending::Done),
        }
    }

    fn looks_too_long(&self) -> bool {
        self.look.as_ref().is_some_and(|look| look.takes_too_long(self.tracker.readable()))
    }

    pub(super) fn next_call_at(&self, now: DateTime<Utc>) -> NextCall {
        match self.next_due {
            NextDue::Asked => NextCall::NotKnown,
            NextDue::Unknown => self.hours.next_open(now).map_or(NextCall::Never, NextCall::At),
            NextDue::At(None) => NextCall::Never,
            NextDue::At(Some(at)) => self.hours.next_open(at.max(now)).map_or(NextCall::Never, NextCall::At),
        }
    }

    /// Nothing is under way: a demonstration's clock may leap to what comes next.
    pub(super) fn is_idle(&self) -> bool {
        self.beside.is_empty() && !self.follows_something()
    }

    pub(super) fn wake_at(&mut self, now: DateTime<Utc>, idle: bool) -> Option<DateTime<Utc>> {
        let budget = self.budget.ready_at(&self.organisation, now);
        let read = self.read_due_at().map(|due| budget.map_or(due, |ready| due.max(ready)));
        let wake = [read, self.claim_at(now, budget)].into_iter().flatten().min();
        if let Some(until) = wake.filter(|at| idle && *at - now >= WORTH_TELLING && self.resting_until != Some(*at)) {
            self.resting_until = Some(until);
            let organisation = self.common.name_of(&self.organisation);
            self.tell(&[Event::Resting { at: now, until, organisation }]);
        }
        wake
    }

    /// When the next claim may be made, if it does not wait for something that happens.
    pub(super) fn claim_at(&self, now: DateTime<Utc>, budget: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        let full = self.room() == 0;
        let forbidden = self.guard.allowance(self.open_calls()) == 0;
        let on_the_threshold =
            self.look_is_wanted() || self.doubts_its_clock() || (!self.unchecked.is_empty() && self.reading);
        if self.claiming > 0 || self.ending.is_some() || full || forbidden || on_the_threshold {
            return None;
        }
        let NextCall::At(at) = self.next_call_at(now) else { return None };
        [budget, self.line.paused_until(now)].into_iter().flatten().chain([at]).max()
    }
}

/// Nothing more is read: the person, or the vendor, has ended it, or by a clock that was set back the next read would be due
/// too late. What is open stays in the ledger for the next run.
fn ends_reading(ending: &Ending) -> bool {
    match ending {
        Ending::Interrupted
        | Ending::Unreachable
        | Ending::Clock { .. }
        | Ending::Refused(Refusal::Credentials | Refusal::Address) => true,
        Ending::Done
        | Ending::WindowClosed { .. }
        | Ending::MaxCalls { .. }
        | Ending::StopRule { .. }
        | Ending::Paused { .. }
        | Ending::Refused(Refusal::FromNumber | Refusal::Account | Refusal::Unexplained)
        | Ending::LinesRefused { .. }
        | Ending::RefusedInARow { .. }
        | Ending::Behind { .. }
        | Ending::ListProvesNothing { .. }
        | Ending::Exclusions { .. } => false,
    }
}
