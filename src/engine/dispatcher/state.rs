//! The state of one organisation's dispatcher, how a run starts it, and what its background tasks send back.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;

use crate::campaign::{Organisation, Rate};
use crate::clock::SharedClock;
use crate::engine::call_media::CallMedia;
use crate::engine::events::Event;
use crate::engine::reconciler::{LostAttempt, LostCallEvidence, MatchQuality, Reconciler};
use crate::engine::refusals::{RefusalCause, Refusals};
use crate::engine::run_result::{EngineError, RequestCounts};
use crate::engine::staleness_check::StalenessCheck;
use crate::engine::stop_reason::StopReason;
use crate::engine::stop_rules::StopRules;
use crate::engine::tracker::{CompleteScan, TrackedConversation, Tracker};
use crate::engine::vendor_clock::VendorClock;
use crate::engine::vendor_health::VendorHealth;
use crate::entry::{AttemptState, Fact, Reason, State};
use crate::ids::{AttemptId, ConversationId, EntryId, OrganisationId};
use crate::ledger::{
    AttemptUpdate, CallerId, ClaimResult, ClaimedAttempt, InFlightAttempt, LedgerError, ObservedCall,
    ObservedWithoutId, Watermark,
};
use crate::phone::E164;
use crate::policy::{Hours, HoursUnion};
use crate::vendor::quota::Quotas;
use crate::vendor::{Conversation, Page, ReadError, Reply, Response, Vendor};

use super::carried_over::CarriedOver;
use super::deps::Deps;
use super::shared::Shared;
use super::turn_timer::TurnTimer;

/// What a background task (a request or a commit) sends back to the dispatcher.
pub(super) enum Completion {
    Claimed {
        asked: u32,
        /// How many of our caller ids were blocked when the claim was made.
        blocked: usize,
        claims: ClaimResult,
    },
    NextDue {
        /// How many of our caller ids were blocked when the ledger was asked.
        blocked: usize,
        next_due: Option<DateTime<Utc>>,
    },
    Replied(ClaimedAttempt, Response<Reply>),
    /// The last check before the request found that this rule forbids it now. Nothing was sent.
    Forbidden(ClaimedAttempt, Reason),
    Recorded(Vec<Event>),
    Page(Response<Result<Page, ReadError>>),
    Conversation(ConversationId, Response<Result<Conversation, ReadError>>),
    /// A conversation that may settle a lost answer.
    Candidate {
        lost: LostAttempt,
        quality: MatchQuality,
        conversation: Conversation,
        /// Whether no other attempt has this conversation.
        unclaimed: bool,
    },
    /// The entries that the run's exclusions removed.
    Excluded(Vec<EntryId>),
    /// Whether a caller id exists and may call out.
    CallerIdChecked(Response<Result<Option<bool>, ReadError>>),
    /// Whether anything but the list can be read.
    Probed(Response<Result<Option<bool>, ReadError>>),
    /// The rows of a page that the ledger has recorded, and whether by the answer to a request.
    RecordedCalls(Vec<(ConversationId, bool)>),
    /// The rows without an id that no recorded call explains.
    UnexplainedRows(Vec<ObservedWithoutId>),
    /// The calls seen by the staleness check that the ledger lacks.
    UnrecordedCalls(Vec<ObservedCall>),
    /// The call watermark of a caller id was moved forward, and these calls of our entries were taken over.
    TakenOver(Vec<InFlightAttempt>),
}

/// When the next entry is due, as far as the dispatcher knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KnownNextDue {
    /// Perhaps now: the next claim finds out.
    Unknown,
    /// The ledger is being asked.
    Asked,
    /// At this instant; `None`: no entry is due at any time.
    At(Option<DateTime<Utc>>),
}

pub(super) struct Dispatcher<'a, 'l, V> {
    /// The organisation's index in the campaign.
    pub(super) index: usize,
    pub(super) shared: &'a Shared<'l>,
    pub(super) deps: Deps<V>,
    pub(super) organisation: OrganisationId,
    pub(super) rate: Rate,
    pub(super) hours: HoursUnion,
    pub(super) quotas: Quotas,
    pub(super) tracker: Tracker,
    pub(super) reconciler: Reconciler,
    pub(super) stop_rules: StopRules,
    pub(super) vendor_health: VendorHealth,
    pub(super) refusals: Refusals,
    /// Why caller ids were blocked after refusals in a row.
    pub(super) refusal_cause: Option<RefusalCause>,
    /// Conversations to ask for in one page: fewer than the vendor allows once a page was too long to be read.
    pub(super) page_limit: u32,
    pub(super) tasks: JoinSet<Result<Completion, LedgerError>>,
    /// Calls whose request has started and whose reply has not arrived.
    pub(super) sending: u32,
    /// Attempts asked for by the claim in flight.
    pub(super) claiming: u32,
    /// Ledger writes in flight.
    pub(super) recording: u32,
    /// Whether a read is in flight.
    pub(super) is_reading: bool,
    /// A complete scan whose conversations are still being checked against the ledger.
    pub(super) scan_to_conclude: Option<CompleteScan>,
    /// Questions to the ledger about conversations, in flight.
    pub(super) ledger_checks: u32,
    /// Conversations to read by id before the complete scan can be concluded.
    pub(super) unclear_reads: BTreeSet<ConversationId>,
    /// The media that our own calls show.
    pub(super) call_media: CallMedia,
    pub(super) next_due: KnownNextDue,
    /// The earliest entry that became due while the ledger was being asked.
    pub(super) due_while_asked: Option<DateTime<Utc>>,
    /// Why no further call is placed.
    pub(super) stop_reason: Option<StopReason>,
    /// Whether polling has stopped. Open conversations stay in the ledger for the next run.
    pub(super) has_stopped_reading: bool,
    /// Our caller ids that have not been checked with the vendor yet.
    pub(super) unchecked_caller_ids: Vec<E164>,
    /// Our caller ids that the vendor does not let call, in the order in which they were blocked.
    pub(super) blocked: Vec<E164>,
    /// `None` once the ledger is known to hold every call that our caller ids have placed.
    pub(super) staleness_check: Option<StalenessCheck>,
    /// The end of the idle time that was last reported.
    pub(super) reported_idle_until: Option<DateTime<Utc>>,
    pub(super) vendor_clock: VendorClock,
    pub(super) turn_timer: TurnTimer,
    /// A page that the staleness check needs cannot be read: the next read asks for something else, to find out whether
    /// only the list is broken.
    pub(super) needs_probe: bool,
    /// The latest instant that our clock has shown or the ledger holds.
    pub(super) latest_instant: DateTime<Utc>,
    pub(super) requests: RequestCounts,
}

impl<'a, 'l, V: Vendor> Dispatcher<'a, 'l, V> {
    pub(super) async fn start(
        index: usize,
        organisation: &Organisation,
        deps: Deps<V>,
        shared: &'a Shared<'l>,
        carried: CarriedOver,
    ) -> Result<Self, EngineError> {
        let now = deps.clock.now();
        let campaign = Arc::clone(&deps.campaign);
        let zones = organisation.practices.iter().map(|practice| &practice.zone);
        let hours = zones.map(|zone| Hours::for_practice(&campaign.calling, zone)).collect();
        let id = &organisation.id;
        let mut caller_ids = Vec::new();
        for from in organisation.numbers() {
            let watermark = deps.ledger.watermark(CallerId { organisation: id.clone(), from }).await?;
            // A watermark later than now comes from a simulated clock: no call was placed before it.
            let adopted_at = watermark.adopted_at.map(|at| at.min(now));
            caller_ids.push((from, Watermark { at: watermark.at.min(now), adopted_at, ..watermark }));
        }
        let call_media = CallMedia::from_known(deps.ledger.call_media(id.clone()).await?);
        let CarriedOver { in_flight, lost_track, placed, call_results, newest_event } = carried;
        let stop_rules =
            StopRules::new(campaign.safety.clone(), placed, shared.placed.clone()).with_finished(&call_results);
        let page_rows = campaign.vendor.kind.limits().page_rows;
        let mut dispatcher = Self {
            index,
            shared,
            organisation: id.clone(),
            rate: organisation.rate,
            hours: HoursUnion::any_of(hours),
            quotas: Quotas::new(Arc::clone(&deps.clock), organisation.rate.requests_per_minute),
            tracker: Tracker::new(campaign.safety.track_for, organisation.rate.requests_per_minute, page_rows),
            reconciler: Reconciler::new(campaign.safety.settle),
            stop_rules,
            vendor_health: VendorHealth::new(deps.seed, campaign.safety.outage),
            refusals: Refusals::default(),
            refusal_cause: None,
            page_limit: page_rows,
            tasks: JoinSet::new(),
            sending: 0,
            claiming: 0,
            recording: 0,
            is_reading: false,
            scan_to_conclude: None,
            ledger_checks: 0,
            unclear_reads: BTreeSet::new(),
            call_media,
            next_due: KnownNextDue::Unknown,
            due_while_asked: None,
            stop_reason: None,
            has_stopped_reading: false,
            unchecked_caller_ids: organisation.numbers(),
            blocked: Vec::new(),
            staleness_check: Some(StalenessCheck::new(caller_ids, campaign.safety.settle)),
            reported_idle_until: None,
            vendor_clock: VendorClock::new(&*deps.clock),
            turn_timer: TurnTimer::start(now),
            needs_probe: false,
            latest_instant: newest_event.unwrap_or(now),
            requests: RequestCounts::default(),
            deps,
        };
        dispatcher.resume_in_flight(in_flight, now).await?;
        for attempt in lost_track {
            dispatcher.retry_lost_track(&attempt);
        }
        dispatcher.ask_next_due();
        Ok(dispatcher)
    }

    /// Takes up the attempts of earlier runs: tracks open conversations, and marks an attempt without a reply as a lost
    /// answer. Its request could have been accepted until now, so now is when the answer was lost.
    async fn resume_in_flight(
        &mut self,
        in_flight: Vec<InFlightAttempt>,
        now: DateTime<Utc>,
    ) -> Result<(), EngineError> {
        let mut lost = Vec::new();
        for attempt in in_flight {
            if let (AttemptState::Open, Some(id)) = (attempt.state, attempt.conversation.clone()) {
                let since = attempt.answered_at.unwrap_or(attempt.intent_at);
                self.tracker.track(id, tracked(&attempt, since));
                continue;
            }
            if attempt.state == AttemptState::Submitting {
                let detail = Some("found without a reply at the start of a run".into());
                lost.push(attempt_update(attempt.attempt, attempt.entry, now, Fact::AnswerLost, detail));
            }
            self.reconciler.add(lost_attempt(&attempt, now, &self.tracker));
        }
        self.deps.ledger.record(self.deps.run, lost).await?;
        Ok(())
    }

    /// Reads a conversation that was lost track of once more: it may contain an opt-out.
    pub(super) fn retry_lost_track(&mut self, attempt: &InFlightAttempt) {
        if let Some(id) = attempt.conversation.clone() {
            let since = attempt.answered_at.unwrap_or(attempt.intent_at);
            self.tracker.retry_lost_track(id, tracked(attempt, since));
        }
    }

    pub(super) fn clock(&self) -> SharedClock {
        Arc::clone(&self.deps.clock)
    }

    pub(super) fn caller_id(&self, from: E164) -> CallerId {
        CallerId { organisation: self.organisation.clone(), from }
    }

    pub(super) fn open_calls(&self) -> u32 {
        self.sending + self.claiming + u32::try_from(self.tracker.open_count()).unwrap_or(u32::MAX)
    }

    pub(super) fn emit(&mut self, events: &[Event]) {
        self.shared.emit(events);
    }

    /// Writes the update to the ledger; the event is reported once it is on stable storage.
    pub(super) fn record(&mut self, update: AttemptUpdate, event: Event) {
        self.recording += 1;
        let recorded = self.deps.ledger.record(self.deps.run, vec![update]);
        self.tasks.spawn(async move {
            let state = recorded.await?.pop();
            Ok(Completion::Recorded(vec![recorded_event(event, state)]))
        });
    }
}

pub(super) fn tracked(attempt: &InFlightAttempt, since: DateTime<Utc>) -> TrackedConversation {
    let &InFlightAttempt { attempt, entry, number, .. } = attempt;
    TrackedConversation { attempt, entry, number, since, answered: false, asked_at: None }
}

/// A `lost_at` earlier than the intent was recorded by a clock that had been set back. The true time is unknown, so
/// `now` replaces it.
fn lost_attempt(attempt: &InFlightAttempt, now: DateTime<Utc>, tracker: &Tracker) -> LostAttempt {
    let is_credible = |lost_at: &DateTime<Utc>| *lost_at >= attempt.intent_at;
    LostAttempt {
        attempt: attempt.attempt,
        entry: attempt.entry,
        from: attempt.from,
        to: attempt.to,
        number: attempt.number,
        intent_at: attempt.intent_at,
        lost_at: attempt.lost_at.filter(is_credible).unwrap_or(now),
        readable_at_start: tracker.readable_time(),
        absence_scans: 0,
        evidence: LostCallEvidence::default(),
    }
}

pub(super) fn attempt_update(
    attempt: AttemptId,
    entry: EntryId,
    at: DateTime<Utc>,
    fact: Fact,
    detail: Option<String>,
) -> AttemptUpdate {
    AttemptUpdate { attempt, entry, at, fact, conversation: None, started: None, ended: None, detail }
}

/// Only the ledger knows whether the patient has another number. Without one the call was the last, and the event has
/// no redial time.
fn recorded_event(mut event: Event, state: Option<State>) -> Event {
    if let Event::Ended { redial_at, .. } = &mut event
        && state == Some(State::Finished)
    {
        *redial_at = None;
    }
    event
}
