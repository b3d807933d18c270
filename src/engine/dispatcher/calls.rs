//! Calls: from a claim to what its answer means for the entry.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::annie::{Answer, CallRequest, LostAnswer, Meter, NotPlaced, Reply, Vendor};
use crate::engine::ending::Ending;
use crate::engine::events::Event;
use crate::engine::line::Requests;
use crate::engine::reconciler::{Evidence, Unresolved};
use crate::engine::replies;
use crate::engine::tracker::Followed;
use crate::entry::{Fact, Reason, State};
use crate::ids::{ConversationId, EntryId};
use crate::ledger::{Authorised, ClaimOrder, Claims, Happened, Prospects};

use super::{Dispatcher, Happening, NextDue, happened, set_aside_event};

/// Attempts authorised in one claim at most.
const BATCH: u32 = 64;

/// The rules were asked when the intent was written. If that is longer ago than this (the machine slept), or not yet (its
/// clock was set back), they are asked again.
const STALE: TimeDelta = TimeDelta::seconds(60);

impl<V: Vendor> Dispatcher<'_, '_, V> {
    pub(super) fn heed_the_guard(&mut self) {
        let nothing_due = matches!(self.next_due, NextDue::At(None) | NextDue::Asked);
        if self.ending.is_none()
            && !nothing_due
            && let Some(ending) = self.guard.verdict()
        {
            self.stop_placing(ending);
        }
    }

    pub(super) fn may_claim(&self, now: DateTime<Utc>) -> bool {
        let due = match self.next_due {
            NextDue::Unknown => true,
            NextDue::Asked | NextDue::At(None) => false,
            NextDue::At(Some(at)) => at <= now,
        };
        due && self.claiming == 0
            && self.ending.is_none()
            && !self.doubts_its_clock()
            && self.line.paused_until(now).is_none()
            && self.hours.closes(now).is_some()
    }

    pub(super) fn start_claim(&mut self, now: DateTime<Utc>) {
        if !self.is_past_the_threshold(now) {
            return;
        }
        let limit = self
            .room()
            .min(self.guard.allowance(self.open_calls()))
            .min(self.budget.available(&self.organisation, now))
            .min(BATCH);
        if limit == 0 {
            return;
        }
        if !self.heed_the_exclusions(now) {
            return;
        }
        self.claiming = limit;
        self.guard.reserve(limit);
        let (run, campaign) = (self.engine.run, Arc::clone(&self.engine.campaign));
        let order = ClaimOrder { run, campaign, share: self.share(), now, limit };
        let claim = self.engine.ledger.claim(order);
        let silent = self.silent.len();
        self.beside.spawn(async move { Ok(Happening::Claimed { asked: limit, silent, claims: claim.await? }) });
    }

    /// Takes off whom the outside names by now, before anybody else is claimed: the ledger works in the order of what it is
    /// told. Whether calls may be placed: not if nobody can tell whom to leave out.
    fn heed_the_exclusions(&mut self, now: DateTime<Utc>) -> bool {
        match self.common.exclusions() {
            Ok(None) => true,
            Ok(Some(is_excluded)) => {
                self.recording += 1;
                let barred = self.engine.ledger.exclude(self.engine.run, is_excluded, now);
                self.beside.spawn(async move { Ok(Happening::Excluded(barred.await?)) });
                true
            }
            Err(why) => {
                self.stop_placing(Ending::Exclusions { why: why.to_string() });
                false
            }
        }
    }

    pub(super) fn excluded(&mut self, entries: &[EntryId]) {
        self.recording -= 1;
        let at = self.engine.clock.now();
        let barred = |&entry: &EntryId| Event::SetAside {
            at,
            entry,
            state: State::Suppressed,
            reason: Reason::Excluded,
            until: None,
        };
        let events: Vec<_> = entries.iter().map(barred).collect();
        self.tell(&events);
    }

    pub(super) fn ask_for_prospects(&mut self) {
        self.next_due = NextDue::Asked;
        self.due_meanwhile = None;
        let prospects = self.engine.ledger.prospects(self.engine.run, self.share());
        let silent = self.silent.len();
        self.beside.spawn(async move { Ok(Happening::Prospects { silent, prospects: prospects.await? }) });
    }

    pub(super) fn take_prospects(&mut self, silent: usize, Prospects { next_due }: Prospects) {
        let due_meanwhile = self.due_meanwhile.take();
        self.next_due = if silent < self.silent.len() {
            // What is due may be of a number that has turned out to be silent since.
            NextDue::Unknown
        } else {
            NextDue::At(next_due.into_iter().chain(due_meanwhile).min())
        };
    }

    pub(super) fn became_due(&mut self, at: DateTime<Utc>) {
        match &mut self.next_due {
            NextDue::Unknown => {}
            NextDue::Asked => self.due_meanwhile = Some(self.due_meanwhile.map_or(at, |due| due.min(at))),
            NextDue::At(due) => *due = Some(due.map_or(at, |due| due.min(at))),
        }
    }

    pub(super) fn take_claims(&mut self, asked: u32, silent: usize, claims: Claims) {
        self.claiming = 0;
        self.guard.release(asked);
        if let Some(by) = claims.paused_by {
            return self.stop_placing(Ending::Paused { by });
        }
        let now = self.engine.clock.now();
        let authorised = claims.authorised.len();
        let events: Vec<_> = claims.set_aside.iter().map(|aside| set_aside_event(aside, now)).collect();
        self.tell(&events);
        for attempt in claims.authorised {
            match self.silent.iter().position(|number| *number == attempt.from) {
                None => self.dial(attempt),
                Some(at) => self.keep_silent(&attempt, at < silent),
            }
        }
        // A claim that neither found enough to call nor set anything aside has seen everything that is due.
        if authorised < asked as usize && claims.set_aside.is_empty() {
            self.ask_for_prospects();
        } else {
            self.next_due = NextDue::Unknown;
        }
    }

    /// The intent is on stable storage: sends the request, once. If the vendor has asked for a pause since the claim,
    /// nothing is sent, and the attempt is provably not placed.
    pub(super) fn dial(&mut self, authorised: Authorised) {
        let now = self.engine.clock.now();
        self.guard.authorised();
        if (now - authorised.intent_at).abs() > STALE || self.doubts_its_clock() {
            let why = "the claim was made at another time, or the clock is in doubt";
            return self.not_placed(&authorised, now, Reason::Window, Some(why.into()));
        }
        if let Err(until) = self.budget.take(&self.organisation, now) {
            return self.not_placed(&authorised, until, Reason::RateLimited, None);
        }
        self.sending += 1;
        self.requests.calls += 1;
        let Authorised { entry, attempt, number: call, .. } = authorised;
        self.tell(&[Event::Dialling { at: now, entry, attempt, call }]);
        let request = CallRequest { from: authorised.from, to: authorised.to, content: authorised.content.clone() };
        let vendor = Arc::clone(&self.engine.vendor);
        let clock = Arc::clone(&self.engine.clock);
        let ledger = self.engine.ledger.clone();
        let forbidden = ledger.forbids(authorised.to, self.engine.campaign.purpose, now);
        self.beside.spawn(async move {
            if forbidden.await? {
                return Ok(Happening::Forbidden(authorised, Reason::Suppressed));
            }
            // This is the instant of dialling: the hours are held against the clock once more.
            if clock.now() >= authorised.allowed_until {
                return Ok(Happening::Forbidden(authorised, Reason::Window));
            }
            let mut answer = vendor.place(request).await;
            if let Reply::Accepted(id) = &answer.value
                && ledger.unknown_among(vec![id.clone()]).await?.is_empty()
            {
                answer.value = Reply::Lost(LostAnswer::OfAnother);
            }
            Ok(Happening::Replied(authorised, answer))
        });
    }

    /// Since the claim, the number was suppressed or the hours have closed: nothing was sent, and the next claim says what
    /// becomes of the entry.
    pub(super) fn forbidden(&mut self, authorised: &Authorised, reason: Reason) {
        self.sending -= 1;
        self.requests.calls -= 1;
        let now = self.engine.clock.now();
        self.budget.observe(&self.organisation, &Meter::default(), now);
        self.not_placed(authorised, now, reason, Some("found after the claim; nothing was sent".into()));
    }

    pub(super) fn take_reply(&mut self, authorised: &Authorised, answer: Answer<Reply>) {
        self.sending -= 1;
        self.heard(&answer);
        match answer.value {
            // Two answers on their way at once may name the same one.
            Reply::Accepted(conversation) if self.tracker.follows(&conversation) => {
                self.lost(authorised, LostAnswer::OfAnother);
            }
            Reply::Accepted(conversation) => self.accepted(authorised, conversation),
            Reply::NotPlaced(not_placed) => {
                if not_placed != NotPlaced::NeverConnected {
                    self.line.answers();
                }
                self.take_trouble(authorised, &not_placed);
            }
            Reply::Lost(lost) => self.lost(authorised, lost),
        }
    }

    pub(super) fn accepted(&mut self, authorised: &Authorised, conversation: ConversationId) {
        self.line.answers();
        self.vendor_works(Requests::Calls);
        self.refusals.accepted(authorised.from);
        let &Authorised { entry, attempt, number, .. } = authorised;
        let at = self.engine.clock.now();
        self.tracker.follow(
            conversation.clone(),
            Followed { attempt, entry, number, since: at, answered: true, asked_at: None },
        );
        let record =
            Happened { conversation: Some(conversation.clone()), ..happened(attempt, entry, at, Fact::Accepted, None) };
        self.record(record, Event::Accepted { at, entry, attempt, conversation });
    }

    pub(super) fn lost(&mut self, authorised: &Authorised, lost: LostAnswer) {
        self.guard.failed();
        self.heed_the_lost_answer();
        let &Authorised { entry, attempt, number, from, to, intent_at, .. } = authorised;
        let at = self.engine.clock.now();
        self.reconciler.add(Unresolved {
            attempt,
            entry,
            from,
            to,
            number,
            intent_at,
            lost_at: at,
            sought_from: self.tracker.readable(),
            proofs: 0,
            near: Evidence::default(),
        });
        let because = replies::because(lost);
        let record = happened(attempt, entry, at, Fact::AnswerLost, Some(because.clone()));
        self.record(record, Event::AnswerLost { at, entry, attempt, because });
    }

    pub(super) fn not_placed(
        &mut self,
        authorised: &Authorised,
        retry_at: DateTime<Utc>,
        reason: Reason,
        detail: Option<String>,
    ) {
        self.guard.not_placed();
        self.became_due(retry_at);
        let &Authorised { entry, attempt, .. } = authorised;
        let at = self.engine.clock.now();
        let record = happened(attempt, entry, at, Fact::NotPlaced { retry_at, reason }, detail);
        self.record(record, Event::NotPlaced { at, entry, attempt, reason, retry_at });
    }

    pub(super) fn refused(&mut self, authorised: &Authorised, reason: Reason, detail: Option<String>) {
        self.guard.not_placed();
        self.guard.failed();
        let &Authorised { entry, attempt, .. } = authorised;
        self.refusals.explained(entry);
        let at = self.engine.clock.now();
        let record = happened(attempt, entry, at, Fact::Refused { reason }, detail);
        self.record(record, Event::Refused { at, entry, attempt, reason });
    }
}
