//! Trouble with the vendor: refusals that name no patient, credentials, outages, lost answers. None of it is held against an
//! entry before it is known to be the entry's own.

use chrono::{DateTime, Utc};

use crate::annie::{NotPlaced, Refused, Vendor};
use crate::engine::ending::Ending;
use crate::engine::events::Event;
use crate::engine::line::{Requests, Retry, Spell};
use crate::engine::outage::Outage;
use crate::engine::refusals::{TRIED_AGAIN_AFTER, Verdict};
use crate::engine::replies::{self, Trouble};
use crate::entry::Reason;
use crate::ledger::Authorised;

use super::Dispatcher;

/// Requests for calls whose answers are waited for at once: as many answers at most are lost before it is noticed. A budget
/// beyond the vendor's usual 60 requests a minute has as many more under way, or it would not be used.
const UNANSWERED_AT_ONCE: u32 = 3;

/// The vendor's usual budget, in requests a minute.
const USUAL_BUDGET: u32 = 60;

impl<V: Vendor> Dispatcher<'_, '_, V> {
    /// How many more calls may be on their way: while it is open whether the vendor refuses everybody, one at a time; while it
    /// loses answers, no more than may still be lost before the pause.
    pub(super) fn room(&self) -> u32 {
        let is_undecided = self.refusals.are_undecided();
        let most = (UNANSWERED_AT_ONCE * self.rate.requests_per_minute / USUAL_BUDGET).max(UNANSWERED_AT_ONCE);
        let at_once = match self.line.lost_in_a_row() {
            _ if is_undecided => 1,
            0 => most,
            lost => UNANSWERED_AT_ONCE.saturating_sub(lost).max(1),
        };
        let unanswered = self.sending + self.claiming;
        self.rate.open_calls.saturating_sub(self.open_calls()).min(at_once.saturating_sub(unanswered))
    }

    /// A call was not placed.
    pub(super) fn take_trouble(&mut self, authorised: &Authorised, why: &NotPlaced) {
        let now = self.engine.clock.now();
        let detail = replies::evidence(why);
        let (retry_at, reason) = match replies::trouble(why) {
            Trouble::Final(reason) => return self.refused(authorised, reason, detail),
            Trouble::Unproven(reason, refused) => return self.refused_unproven(authorised, reason, refused, detail),
            Trouble::Entry(reason, wait) => (now + wait, reason),
            Trouble::Budget => {
                let until = self.budget.ready_at(&self.organisation, now).unwrap_or(now);
                (until, Reason::RateLimited)
            }
            Trouble::OutsideHours => (self.line.outside_hours(now), Reason::VendorHours),
            Trouble::Unreachable => (self.out_of_reach(Requests::Calls, Outage::Network), Reason::NotConnected),
            Trouble::Unauthorised => (self.turned_away(authorised.intent_at), Reason::Unauthorised),
            Trouble::StaleToken => (now, Reason::Unauthorised),
        };
        self.not_placed(authorised, retry_at, reason, detail);
    }

    /// A refusal that names no patient.
    fn refused_unproven(&mut self, authorised: &Authorised, reason: Reason, refused: &Refused, detail: Option<String>) {
        let now = self.engine.clock.now();
        let from = authorised.from;
        let retry_at = match self.refusals.refused(authorised.attempt, authorised.entry, from, refused) {
            Verdict::OfThePatient => return self.refused(authorised, Reason::VendorRefused, detail),
            // Those that were on their way when it was decided.
            Verdict::Undecided if self.is_stopped(from) => now,
            Verdict::Undecided => now + TRIED_AGAIN_AFTER,
            Verdict::StopsNumber(cause) => {
                self.silence(from, Some(cause));
                now
            }
            Verdict::StopsAccount(cause) => {
                let (refusal, says) = (cause.refusal, cause.says);
                self.stop_placing(Ending::RefusedInARow { refusal, says, locations: Vec::new() });
                now
            }
        };
        self.not_placed(authorised, retry_at, reason, detail);
    }

    /// The vendor did not accept our newest credentials with a request that was made at `asked`. When to try again.
    pub(super) fn turned_away(&mut self, asked: DateTime<Utc>) -> DateTime<Utc> {
        let now = self.engine.clock.now();
        match self.line.unauthorised(asked, now) {
            Ok(until) => {
                self.tell_pause(until, Reason::Unauthorised);
                until
            }
            Err(ending) => {
                self.stop_placing(ending);
                now
            }
        }
    }

    /// A request failed for no fault of its own. When to try again.
    pub(super) fn out_of_reach(&mut self, requests: Requests, outage: Outage) -> DateTime<Utc> {
        let at = self.engine.clock.now();
        match self.line.unreachable(at, requests, outage) {
            Ok(Retry { at: until, began }) => {
                if let Some(outage) = began {
                    let organisation = self.common.name_of(&self.organisation);
                    self.tell(&[Event::OutageBegan { at, outage, organisation }]);
                }
                until
            }
            Err(ending) => {
                self.stop_placing(ending);
                at
            }
        }
    }

    /// A request brought what it was for.
    pub(super) fn vendor_works(&mut self, requests: Requests) {
        self.vendor_clock.answered();
        if let Some(Spell { outage, since }) = self.line.works(requests) {
            let organisation = self.common.name_of(&self.organisation);
            self.tell(&[Event::OutageEnded { at: self.engine.clock.now(), outage, since, organisation }]);
        }
    }

    /// The answer to a call was lost: no further call for a while, if too many were in a row.
    pub(super) fn heed_the_lost_answer(&mut self) {
        match self.line.lost(self.engine.clock.now()) {
            Ok(Some(until)) => self.tell_pause(until, Reason::AnswersLost),
            Ok(None) => {}
            Err(ending) => self.stop_placing(ending),
        }
    }

    fn tell_pause(&mut self, until: DateTime<Utc>, reason: Reason) {
        let organisation = self.common.name_of(&self.organisation);
        self.tell(&[Event::Paused { at: self.engine.clock.now(), until, reason, organisation }]);
    }
}
