//! Calls: from the claim to what the vendor's answer means for the entry.

use chrono::{DateTime, TimeDelta, Utc};

use crate::engine::events::Event;
use crate::engine::exclusions::{ExclusionCheck, ExclusionError};
use crate::engine::reconciler::{LostAttempt, LostCallEvidence};
use crate::engine::reply_mapping;
use crate::engine::stop_reason::StopReason;
use crate::engine::tracker::TrackedConversation;
use crate::engine::vendor_health::RequestKind;
use crate::entry::{Fact, Reason};
use crate::ids::ConversationId;
use crate::ledger::{AttemptUpdate, ClaimResult, ClaimedAttempt, Deferral, Pause};
use crate::vendor::{LostAnswer, NotPlaced, RateHeaders, Reply, Response};

use super::state::{Dispatcher, KnownNextDue, attempt_update};
use super::work::{Effects, Work};

/// The most attempts claimed at once.
const MAX_CLAIMS: u32 = 64;

/// The rules were checked when the intent was written. If that was longer ago than this (the machine slept), or lies in
/// the future (the clock was set back), the entry goes back to be claimed again.
const MAX_CLAIM_AGE: TimeDelta = TimeDelta::seconds(60);

impl Dispatcher {
    pub(super) fn enforce_stop_rules(&mut self, effects: &mut Effects) {
        let is_nothing_due = matches!(self.next_due, KnownNextDue::At(None) | KnownNextDue::Asked(_));
        if self.stop_reason.is_none()
            && !is_nothing_due
            && let Some(reason) = self.stop_rules.stop_reason()
        {
            self.stop_placing(reason, effects);
        }
    }

    pub(super) fn may_claim(&self, now: DateTime<Utc>) -> bool {
        let is_due = match self.next_due {
            KnownNextDue::Unknown => true,
            KnownNextDue::Asked(_) | KnownNextDue::At(None) => false,
            KnownNextDue::At(Some(at)) => at <= now,
        };
        is_due
            && self.in_flight.claiming == 0
            && self.stop_reason.is_none()
            && !self.is_clock_in_doubt()
            && self.vendor_health.paused_until(now).is_none()
            && self.hours.open_until(now).is_some()
    }

    /// How many attempts to claim, if a claim is due; starts the checks that it waits for.
    pub(super) fn claim_limit(&mut self, effects: &mut Effects) -> Option<u32> {
        let now = effects.now;
        if !self.may_claim(now) || !self.passes_preflight(effects) {
            return None;
        }
        let limit = self
            .free_call_slots(now)
            .min(self.stop_rules.allowance(self.open_calls()))
            .min(self.quotas.available(&self.organisation, now))
            .min(MAX_CLAIMS);
        (limit > 0).then_some(limit)
    }

    /// Claims at most `limit` attempts. `exclusions`: those that are new since the last claim. They come before it,
    /// since the ledger commits in order; if they cannot be read, nobody may be called.
    pub(super) fn claim(
        &mut self,
        limit: u32,
        exclusions: Result<Option<ExclusionCheck>, ExclusionError>,
        effects: &mut Effects,
    ) {
        let now = effects.now;
        match exclusions {
            Ok(None) => {}
            Ok(Some(is_excluded)) => self.start(Work::Exclude { now, is_excluded }, effects),
            Err(why) => return self.stop_placing(StopReason::Exclusions { why: why.to_string() }, effects),
        }
        self.stop_rules.reserve(limit);
        let (scope, blocked) = (self.claim_scope(), self.blocked.len());
        self.start(Work::Claim { now, scope, limit, blocked }, effects);
    }

    pub(super) fn ask_next_due(&mut self, effects: &mut Effects) {
        self.next_due = KnownNextDue::Asked(None);
        let (scope, blocked) = (self.claim_scope(), self.blocked.len());
        self.start(Work::AskNextDue { scope, blocked }, effects);
    }

    pub(super) fn on_next_due(&mut self, blocked: usize, next_due: Option<DateTime<Utc>>) {
        let due_meanwhile = if let KnownNextDue::Asked(due) = self.next_due { due } else { None };
        self.next_due = if blocked < self.blocked.len() {
            // The next due entry may belong to a caller id that was blocked since the ledger was asked.
            KnownNextDue::Unknown
        } else {
            KnownNextDue::At(next_due.into_iter().chain(due_meanwhile).min())
        };
    }

    pub(super) fn on_due(&mut self, at: DateTime<Utc>) {
        match &mut self.next_due {
            KnownNextDue::Unknown => {}
            KnownNextDue::Asked(due) | KnownNextDue::At(due) => *due = Some(due.map_or(at, |due| due.min(at))),
        }
    }

    pub(super) fn on_claims(&mut self, asked: u32, blocked: usize, claims: ClaimResult, effects: &mut Effects) {
        self.stop_rules.release(asked);
        if let Some(pause) = claims.pause {
            return self.on_pause(pause, effects);
        }
        let (at, claimed) = (effects.now, claims.claimed.len());
        for &Deferral { entry, state, reason, until } in &claims.deferred {
            effects.emit(Event::SetAside { at, entry, state, reason, until });
        }
        for attempt in claims.claimed {
            match self.blocked.iter().position(|number| *number == attempt.from) {
                None => self.dial(attempt, effects),
                Some(at) => self.on_claim_of_blocked(&attempt, at < blocked, effects),
            }
        }
        // A claim that returned fewer attempts than asked for, and deferred none, has seen every due entry.
        if claimed < asked as usize && claims.deferred.is_empty() {
            self.ask_next_due(effects);
        } else {
            self.next_due = KnownNextDue::Unknown;
        }
    }

    /// The campaign is paused: no further call is placed.
    pub(super) fn on_pause(&mut self, pause: Pause, effects: &mut Effects) {
        let zone = &self.campaign.practice.zone;
        let Pause { by, since, until } = pause;
        let (since, until) = (zone.local(since), until.map(|until| zone.local(until)));
        self.stop_placing(StopReason::Paused { by, since, until }, effects);
    }

    /// Sends the request, once; the intent is on stable storage. If the vendor asked for a pause since the claim,
    /// nothing is sent and the attempt counts as not placed.
    pub(super) fn dial(&mut self, claimed: ClaimedAttempt, effects: &mut Effects) {
        let now = effects.now;
        self.stop_rules.on_claimed();
        if (now - claimed.intent_at).abs() > MAX_CLAIM_AGE || self.is_clock_in_doubt() {
            let why = "the claim was made at another time, or the clock is in doubt";
            return self.record_not_placed(&claimed, now, Reason::Window, Some(why.into()), effects);
        }
        if let Err(until) = self.quotas.take(&self.organisation, now) {
            return self.record_not_placed(&claimed, until, Reason::RateLimited, None, effects);
        }
        let ClaimedAttempt { entry, attempt, number: call, .. } = claimed;
        effects.emit(Event::Dialling { at: now, entry, attempt, call });
        self.start(Work::Place(claimed), effects);
    }

    /// Since the claim, the number was suppressed or the dialing hours have closed. Nothing was sent; the next claim
    /// decides about the entry.
    pub(super) fn on_forbidden(&mut self, claimed: &ClaimedAttempt, reason: Reason, effects: &mut Effects) {
        let now = effects.now;
        self.quotas.observe(&self.organisation, &RateHeaders::default(), now);
        self.record_not_placed(claimed, now, reason, Some("found after the claim; nothing was sent".into()), effects);
    }

    pub(super) fn on_reply(&mut self, claimed: &ClaimedAttempt, answer: Response<Reply>, effects: &mut Effects) {
        self.observe_headers(&answer, effects);
        match answer.value {
            // Two answers in flight at the same time may name the same conversation.
            Reply::Accepted(conversation) if self.tracker.is_tracking(&conversation) => {
                self.on_lost_answer(claimed, LostAnswer::WrongConversation, effects);
            }
            Reply::Accepted(conversation) => self.on_accepted(claimed, conversation, effects),
            Reply::NotPlaced(not_placed) => {
                if not_placed != NotPlaced::NeverConnected {
                    self.vendor_health.on_call_answered();
                }
                self.on_not_placed(claimed, &not_placed, effects);
            }
            Reply::Lost(lost) => self.on_lost_answer(claimed, lost, effects),
        }
    }

    fn on_accepted(&mut self, claimed: &ClaimedAttempt, conversation: ConversationId, effects: &mut Effects) {
        self.vendor_health.on_call_answered();
        self.on_request_succeeded(RequestKind::Calls, effects);
        self.refusals.on_accepted(claimed.from);
        let &ClaimedAttempt { entry, attempt, number, .. } = claimed;
        let at = effects.now;
        self.tracker.track(
            conversation.clone(),
            TrackedConversation { attempt, entry, number, since: at, answered: true, asked_at: None },
        );
        let record = AttemptUpdate {
            conversation: Some(conversation.clone()),
            ..attempt_update(attempt, entry, at, Fact::Accepted, None)
        };
        self.record(record, Event::Accepted { at, entry, attempt, conversation }, effects);
    }

    fn on_lost_answer(&mut self, claimed: &ClaimedAttempt, lost: LostAnswer, effects: &mut Effects) {
        self.stop_rules.on_failed();
        self.enforce_lost_answer_pause(effects);
        let &ClaimedAttempt { entry, attempt, number, from, to, intent_at, .. } = claimed;
        let at = effects.now;
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
        self.record(record, Event::AnswerLost { at, entry, attempt, because }, effects);
    }

    pub(super) fn record_not_placed(
        &mut self,
        claimed: &ClaimedAttempt,
        retry_at: DateTime<Utc>,
        reason: Reason,
        detail: Option<String>,
        effects: &mut Effects,
    ) {
        self.stop_rules.on_not_placed();
        self.on_due(retry_at);
        let &ClaimedAttempt { entry, attempt, .. } = claimed;
        let at = effects.now;
        let record = attempt_update(attempt, entry, at, Fact::NotPlaced { retry_at, reason }, detail);
        self.record(record, Event::NotPlaced { at, entry, attempt, reason, retry_at }, effects);
    }

    pub(super) fn record_refused(
        &mut self,
        claimed: &ClaimedAttempt,
        reason: Reason,
        detail: Option<String>,
        effects: &mut Effects,
    ) {
        self.stop_rules.on_not_placed();
        self.stop_rules.on_failed();
        let &ClaimedAttempt { entry, attempt, .. } = claimed;
        self.refusals.on_entry_settled(entry);
        let at = effects.now;
        let record = attempt_update(attempt, entry, at, Fact::Refused { reason }, detail);
        self.record(record, Event::Refused { at, entry, attempt, reason }, effects);
    }

    /// Writes the update to the ledger; the event is reported once it is on stable storage.
    pub(super) fn record(&mut self, update: AttemptUpdate, event: Event, effects: &mut Effects) {
        self.start(Work::Record { update, event }, effects);
    }
}
