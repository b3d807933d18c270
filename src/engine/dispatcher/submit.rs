//! Calls: from the claim to what the vendor's answer means for the entry.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::engine::events::Event;
use crate::engine::reconciler::{LostAttempt, LostCallEvidence};
use crate::engine::reply_mapping;
use crate::engine::stop_reason::StopReason;
use crate::engine::tracker::TrackedConversation;
use crate::engine::vendor_health::RequestKind;
use crate::entry::{Fact, Reason, State};
use crate::ids::{ConversationId, EntryId};
use crate::ledger::{AttemptUpdate, ClaimRequest, ClaimResult, ClaimedAttempt, Deferral};
use crate::vendor::{CallRequest, LostAnswer, NotPlaced, RateHeaders, Reply, Response, Vendor};

use super::state::{Completion, Dispatcher, KnownNextDue, attempt_update};

/// The most attempts claimed at once.
const MAX_CLAIMS: u32 = 64;

/// The rules were checked when the intent was written. If that was longer ago than this (the machine slept), or lies in
/// the future (the clock was set back), the entry goes back to be claimed again.
const MAX_CLAIM_AGE: TimeDelta = TimeDelta::seconds(60);

impl<V: Vendor> Dispatcher<'_, '_, V> {
    pub(super) fn enforce_stop_rules(&mut self) {
        let is_nothing_due = matches!(self.next_due, KnownNextDue::At(None) | KnownNextDue::Asked);
        if self.stop_reason.is_none()
            && !is_nothing_due
            && let Some(reason) = self.stop_rules.stop_reason()
        {
            self.stop_placing(reason);
        }
    }

    pub(super) fn may_claim(&self, now: DateTime<Utc>) -> bool {
        let is_due = match self.next_due {
            KnownNextDue::Unknown => true,
            KnownNextDue::Asked | KnownNextDue::At(None) => false,
            KnownNextDue::At(Some(at)) => at <= now,
        };
        is_due
            && self.claiming == 0
            && self.stop_reason.is_none()
            && !self.is_clock_in_doubt()
            && self.vendor_health.paused_until(now).is_none()
            && self.hours.closes(now).is_some()
    }

    pub(super) fn start_claim(&mut self, now: DateTime<Utc>) {
        if !self.passes_preflight(now) {
            return;
        }
        let limit = self
            .free_call_slots()
            .min(self.stop_rules.allowance(self.open_calls()))
            .min(self.quotas.available(&self.organisation, now))
            .min(MAX_CLAIMS);
        if limit == 0 {
            return;
        }
        if !self.enforce_exclusions(now) {
            return;
        }
        self.claiming = limit;
        self.stop_rules.reserve(limit);
        let (run, campaign) = (self.deps.run, Arc::clone(&self.deps.campaign));
        let request = ClaimRequest { run, campaign, scope: self.claim_scope(), now, limit };
        let claim = self.deps.ledger.claim(request);
        let blocked = self.blocked.len();
        self.tasks.spawn(async move { Ok(Completion::Claimed { asked: limit, blocked, claims: claim.await? }) });
    }

    /// Applies new exclusions before the next claim; the ledger commits in order. Returns whether calls may be placed:
    /// not if the exclusions cannot be read.
    fn enforce_exclusions(&mut self, now: DateTime<Utc>) -> bool {
        match self.shared.changed_exclusions() {
            Ok(None) => true,
            Ok(Some(is_excluded)) => {
                self.recording += 1;
                let excluded = self.deps.ledger.exclude(self.deps.run, is_excluded, now);
                self.tasks.spawn(async move { Ok(Completion::Excluded(excluded.await?)) });
                true
            }
            Err(why) => {
                self.stop_placing(StopReason::Exclusions { why: why.to_string() });
                false
            }
        }
    }

    pub(super) fn on_excluded(&mut self, entries: &[EntryId]) {
        self.recording -= 1;
        let at = self.deps.clock.now();
        let event = |&entry: &EntryId| Event::SetAside {
            at,
            entry,
            state: State::Suppressed,
            reason: Reason::Excluded,
            until: None,
        };
        let events: Vec<_> = entries.iter().map(event).collect();
        self.emit(&events);
    }

    pub(super) fn ask_next_due(&mut self) {
        self.next_due = KnownNextDue::Asked;
        self.due_while_asked = None;
        let next_due = self.deps.ledger.next_due(self.deps.run, self.claim_scope());
        let blocked = self.blocked.len();
        self.tasks.spawn(async move { Ok(Completion::NextDue { blocked, next_due: next_due.await? }) });
    }

    pub(super) fn on_next_due(&mut self, blocked: usize, next_due: Option<DateTime<Utc>>) {
        let due_while_asked = self.due_while_asked.take();
        self.next_due = if blocked < self.blocked.len() {
            // The next due entry may belong to a caller id that was blocked since the ledger was asked.
            KnownNextDue::Unknown
        } else {
            KnownNextDue::At(next_due.into_iter().chain(due_while_asked).min())
        };
    }

    pub(super) fn on_due(&mut self, at: DateTime<Utc>) {
        match &mut self.next_due {
            KnownNextDue::Unknown => {}
            KnownNextDue::Asked => self.due_while_asked = Some(self.due_while_asked.map_or(at, |due| due.min(at))),
            KnownNextDue::At(due) => *due = Some(due.map_or(at, |due| due.min(at))),
        }
    }

    pub(super) fn on_claims(&mut self, asked: u32, blocked: usize, claims: ClaimResult) {
        self.claiming = 0;
        self.stop_rules.release(asked);
        if let Some(by) = claims.paused_by {
            return self.stop_placing(StopReason::Paused { by });
        }
        let now = self.deps.clock.now();
        let claimed = claims.claimed.len();
        let events: Vec<_> = claims.deferred.iter().map(|deferral| deferral_event(deferral, now)).collect();
        self.emit(&events);
        for attempt in claims.claimed {
            match self.blocked.iter().position(|number| *number == attempt.from) {
                None => self.dial(attempt),
                Some(at) => self.on_claim_of_blocked(&attempt, at < blocked),
            }
        }
        // A claim that returned fewer attempts than asked for, and deferred none, has seen every due entry.
        if claimed < asked as usize && claims.deferred.is_empty() {
            self.ask_next_due();
        } else {
            self.next_due = KnownNextDue::Unknown;
        }
    }

    /// Sends the request, once; the intent is on stable storage. If the vendor asked for a pause since the claim,
    /// nothing is sent and the attempt counts as not placed.
    pub(super) fn dial(&mut self, claimed: ClaimedAttempt) {
        let now = self.deps.clock.now();
        self.stop_rules.on_claimed();
        if (now - claimed.intent_at).abs() > MAX_CLAIM_AGE || self.is_clock_in_doubt() {
            let why = "the claim was made at another time, or the clock is in doubt";
            return self.record_not_placed(&claimed, now, Reason::Window, Some(why.into()));
        }
        if let Err(until) = self.quotas.take(&self.organisation, now) {
            return self.record_not_placed(&claimed, until, Reason::RateLimited, None);
        }
        self.sending += 1;
        self.requests.calls += 1;
        let ClaimedAttempt { entry, attempt, number: call, .. } = claimed;
        self.emit(&[Event::Dialling { at: now, entry, attempt, call }]);
        let request = CallRequest { from: claimed.from, to: claimed.to, content: claimed.content.clone() };
        let vendor = Arc::clone(&self.deps.vendor);
        let clock = Arc::clone(&self.deps.clock);
        let ledger = self.deps.ledger.clone();
        let forbidden = ledger.forbids(claimed.to, self.deps.campaign.purpose, now);
        self.tasks.spawn(async move {
            if forbidden.await? {
                return Ok(Completion::Forbidden(claimed, Reason::Suppressed));
            }
            // Checks the dialing hours again at the instant of dialing.
            if clock.now() >= claimed.allowed_until {
                return Ok(Completion::Forbidden(claimed, Reason::Window));
            }
            let mut answer = vendor.place(request).await;
            if let Reply::Accepted(id) = &answer.value
                && ledger.unrecorded_among(vec![id.clone()]).await?.is_empty()
            {
                answer.value = Reply::Lost(LostAnswer::WrongConversation);
            }
            Ok(Completion::Replied(claimed, answer))
        });
    }

    /// Since the claim, the number was suppressed or the dialing hours have closed. Nothing was sent; the next claim
    /// decides about the entry.
    pub(super) fn on_forbidden(&mut self, claimed: &ClaimedAttempt, reason: Reason) {
        self.sending -= 1;
        self.requests.calls -= 1;
        let now = self.deps.clock.now();
        self.quotas.observe(&self.organisation, &RateHeaders::default(), now);
        self.record_not_placed(claimed, now, reason, Some("found after the claim; nothing was sent".into()));
    }

    pub(super) fn on_reply(&mut self, claimed: &ClaimedAttempt, answer: Response<Reply>) {
        self.sending -= 1;
        self.observe_headers(&answer);
        match answer.value {
            // Two answers in flight at the same time may name the same conversation.
            Reply::Accepted(conversation) if self.tracker.is_tracking(&conversation) => {
                self.on_lost_answer(claimed, LostAnswer::WrongConversation);
            }
            Reply::Accepted(conversation) => self.on_accepted(claimed, conversation),
            Reply::NotPlaced(not_placed) => {
                if not_placed != NotPlaced::NeverConnected {
                    self.vendor_health.on_call_answered();
                }
                self.on_not_placed(claimed, &not_placed);
            }
            Reply::Lost(lost) => self.on_lost_answer(claimed, lost),
        }
    }

    pub(super) fn on_accepted(&mut self, claimed: &ClaimedAttempt, conversation: ConversationId) {
        self.vendor_health.on_call_answered();
        self.on_request_succeeded(RequestKind::Calls);
        self.refusals.on_accepted(claimed.from);
        let &ClaimedAttempt { entry, attempt, number, .. } = claimed;
        let at = self.deps.clock.now();
        self.tracker.track(
            conversation.clone(),
            TrackedConversation { attempt, entry, number, since: at, answered: true, asked_at: None },
        );
        let record = AttemptUpdate {
            conversation: Some(conversation.clone()),
            ..attempt_update(attempt, entry, at, Fact::Accepted, None)
        };
        self.record(record, Event::Accepted { at, entry, attempt, conversation });
    }

    pub(super) fn on_lost_answer(&mut self, claimed: &ClaimedAttempt, lost: LostAnswer) {
        self.stop_rules.on_failed();
        self.enforce_lost_answer_pause();
        let &ClaimedAttempt { entry, attempt, number, from, to, intent_at, .. } = claimed;
        let at = self.deps.clock.now();
        self.reconciler.add(LostAttempt {
            attempt,
            entry,
            from,
            to,
            number,
            intent_at,
            lost_at: at,
            readable_at_start: self.tracker.readable_time(),
            absence_scans: 0,
            evidence: LostCallEvidence::default(),
        });
        let because = reply_mapping::lost_answer_reason(lost);
        let record = attempt_update(attempt, entry, at, Fact::AnswerLost, Some(because.clone()));
        self.record(record, Event::AnswerLost { at, entry, attempt, because });
    }

    pub(super) fn record_not_placed(
        &mut self,
        claimed: &ClaimedAttempt,
        retry_at: DateTime<Utc>,
        reason: Reason,
        detail: Option<String>,
    ) {
        self.stop_rules.on_not_placed();
        self.on_due(retry_at);
        let &ClaimedAttempt { entry, attempt, .. } = claimed;
        let at = self.deps.clock.now();
        let record = attempt_update(attempt, entry, at, Fact::NotPlaced { retry_at, reason }, detail);
        self.record(record, Event::NotPlaced { at, entry, attempt, reason, retry_at });
    }

    pub(super) fn record_refused(&mut self, claimed: &ClaimedAttempt, reason: Reason, detail: Option<String>) {
        self.stop_rules.on_not_placed();
        self.stop_rules.on_failed();
        let &ClaimedAttempt { entry, attempt, .. } = claimed;
        self.refusals.on_entry_settled(entry);
        let at = self.deps.clock.now();
        let record = attempt_update(attempt, entry, at, Fact::Refused { reason }, detail);
        self.record(record, Event::Refused { at, entry, attempt, reason });
    }
}

fn deferral_event(deferral: &Deferral, at: DateTime<Utc>) -> Event {
    let &Deferral { entry, state, reason, until } = deferral;
    Event::SetAside { at, entry, state, reason, until }
}
