//! The state of one organisation's dispatcher, and how a run begins with what earlier runs left. It holds neither the
//! ledger nor the vendor: its methods get what came and the instant, change it, and return the work to start. Only the
//! request budget looks at the clock itself, for its pace.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::campaign::{Campaign, Rate};
use crate::clock::SharedClock;
use crate::engine::call_media::CallMedia;
use crate::engine::reconciler::{LostAttempt, LostCallEvidence, Reconciler};
use crate::engine::refusals::{RefusalCause, Refusals};
use crate::engine::staleness_check::StalenessCheck;
use crate::engine::stop_reason::StopReason;
use crate::engine::stop_rules::{PlacedCalls, StopRules};
use crate::engine::tracker::{CompleteScan, TrackedConversation, Tracker};
use crate::engine::vendor_clock::VendorClock;
use crate::engine::vendor_health::VendorHealth;
use crate::entry::{AttemptState, Fact};
use crate::ids::{AttemptId, ConversationId, EntryId, OrganisationId};
use crate::ledger::{AttemptUpdate, InFlightAttempt, Watermark};
use crate::phone::E164;
use crate::policy::{Hours, HoursUnion};
use crate::vendor::quota::Quotas;

use super::call_places::CallPlaces;
use super::carried_over::CarriedOver;
use super::in_flight::InFlight;
use super::work::{Effects, Work};

/// So many conversations may be closing besides the calls in progress, or as many as may be in progress if that is more: a
/// vendor that takes long to close them gets no hundreds of calls whose outcomes nobody knows yet. It is about as many as a
/// stop rule needs to be judged.
const MOST_CLOSING: u32 = 20;

/// When the next entry is due, as far as the dispatcher knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KnownNextDue {
    /// Perhaps now: the next claim finds out.
    Unknown,
    /// The ledger is being asked; the earliest entry that has become due meanwhile.
    Asked(Option<DateTime<Utc>>),
    /// At this instant; `None`: no entry is due at any time.
    At(Option<DateTime<Utc>>),
}

/// What a dispatcher begins with.
pub(super) struct DispatcherInputs<'c> {
    pub(super) campaign: Arc<Campaign>,
    /// The organisation's index in the campaign.
    pub(super) index: usize,
    pub(super) until_done: bool,
    pub(super) seed: u64,
    /// For the pace of the requests; the dispatcher itself gets the instant of what comes.
    pub(super) clock: &'c SharedClock,
    /// The calls of all organisations.
    pub(super) run_calls: PlacedCalls,
    pub(super) carried: CarriedOver,
}

pub(super) struct Dispatcher {
    pub(super) campaign: Arc<Campaign>,
    /// The organisation's index in the campaign.
    pub(super) index: usize,
    pub(super) organisation: OrganisationId,
    /// The organisation's name for events, where the campaign has several.
    pub(super) name_in_events: Option<OrganisationId>,
    pub(super) until_done: bool,
    pub(super) rate: Rate,
    pub(super) call_places: CallPlaces,
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
    pub(super) in_flight: InFlight,
    /// A complete scan whose conversations are still being checked against the ledger.
    pub(super) scan_to_conclude: Option<CompleteScan>,
    /// Conversations to read by id before the complete scan can be concluded.
    pub(super) unclear_reads: BTreeSet<ConversationId>,
    /// The media that our own calls show.
    pub(super) call_media: CallMedia,
    pub(super) next_due: KnownNextDue,
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
    /// A page that the staleness check needs cannot be read: the next read asks for something else, to find out whether
    /// only the list is broken.
    pub(super) needs_probe: bool,
    /// The latest instant that our clock has shown or the ledger holds.
    pub(super) latest_instant: DateTime<Utc>,
}

impl Dispatcher {
    /// A dispatcher that continues what earlier runs left, and the attempts that were found without a reply: they are
    /// to be recorded before it works.
    pub(super) fn new(inputs: DispatcherInputs<'_>, now: DateTime<Utc>) -> (Self, Vec<AttemptUpdate>) {
        let DispatcherInputs { campaign, index, until_done, seed, clock, run_calls, carried } = inputs;
        let CarriedOver { in_flight, lost_track, placed, call_results, newest_event, watermarks, call_media, .. } =
            carried;
        let organisations = campaign.locations.organisations();
        let organisation = &organisations[index];
        let (rate, safety) = (organisation.rate, &campaign.safety);
        let zones = organisation.practices.iter().map(|practice| &practice.zone);
        let hours = zones.map(|zone| Hours::for_practice(&campaign.calling, zone)).collect();
        let stop_rules = StopRules::new(safety.clone(), placed, run_calls).with_finished(&call_results);
        let watermarks = watermarks.into_iter().map(|(from, watermark)| (from, not_after(watermark, now))).collect();
        let page_rows = campaign.vendor.kind.limits().page_rows;
        let mut dispatcher = Self {
            index,
            organisation: organisation.id.clone(),
            name_in_events: (organisations.len() > 1).then(|| organisation.id.clone()),
            until_done,
            rate,
            call_places: CallPlaces::new(rate.open_calls),
            hours: HoursUnion::any_of(hours),
            quotas: Quotas::new(Arc::clone(clock), rate.requests_per_minute),
            tracker: Tracker::new(safety.track_for, rate.requests_per_minute, page_rows),
            reconciler: Reconciler::new(safety.settle),
            stop_rules,
            vendor_health: VendorHealth::new(seed, safety.outage),
            refusals: Refusals::default(),
            refusal_cause: None,
            page_limit: page_rows,
            in_flight: InFlight::default(),
            scan_to_conclude: None,
            unclear_reads: BTreeSet::new(),
            call_media: CallMedia::from_known(call_media),
            next_due: KnownNextDue::Unknown,
            stop_reason: None,
            has_stopped_reading: false,
            unchecked_caller_ids: organisation.numbers(),
            blocked: Vec::new(),
            staleness_check: Some(StalenessCheck::new(watermarks, safety.settle)),
            reported_idle_until: None,
            vendor_clock: VendorClock::new(&**clock),
            needs_probe: false,
            latest_instant: newest_event.unwrap_or(now),
            campaign,
        };
        let found_lost = dispatcher.resume_in_flight(in_flight, now);
        for attempt in lost_track {
            dispatcher.retry_lost_track(&attempt);
        }
        (dispatcher, found_lost)
    }

    /// Counts the work as in flight, and adds it to what is to be started.
    pub(super) fn start(&mut self, work: Work, effects: &mut Effects) {
        self.in_flight.on_started(&work);
        effects.work.push(work);
    }

    /// Calls that are claimed, sent or whose conversation is open: their outcome is not known.
    pub(super) fn open_calls(&self) -> u32 {
        self.calls_starting() + u32::try_from(self.tracker.open_count()).unwrap_or(u32::MAX)
    }

    /// The places that our calls take, of the limit on concurrent calls.
    pub(super) fn places_taken(&self) -> u32 {
        self.calls_starting() + u32::try_from(self.tracker.places_taken()).unwrap_or(u32::MAX)
    }

    /// How many more calls may be placed besides those that are not finished: as many as have a place, and few enough that a
    /// stop rule can still prevent most calls if the outcomes of those that are closing break it.
    pub(super) fn free_places(&self, now: DateTime<Utc>) -> u32 {
        let limit = self.call_places.limit(now);
        let not_finished = limit.saturating_add(limit.max(MOST_CLOSING));
        limit.saturating_sub(self.places_taken()).min(not_finished.saturating_sub(self.open_calls()))
    }

    fn calls_starting(&self) -> u32 {
        self.in_flight.sending + self.in_flight.claiming
    }

    /// Takes up the attempts of earlier runs: tracks open conversations, and marks an attempt without a reply as a lost
    /// answer. Its request could have been accepted until now, so now is when the answer was lost.
    fn resume_in_flight(&mut self, in_flight: Vec<InFlightAttempt>, now: DateTime<Utc>) -> Vec<AttemptUpdate> {
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
        lost
    }

    /// Reads a conversation that was lost track of once more: it may contain an opt-out.
    pub(super) fn retry_lost_track(&mut self, attempt: &InFlightAttempt) {
        if let Some(id) = attempt.conversation.clone() {
            let since = attempt.answered_at.unwrap_or(attempt.intent_at);
            self.tracker.retry_lost_track(id, tracked(attempt, since));
        }
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
    AttemptUpdate {
        attempt,
        entry,
        at,
        fact,
        conversation: None,
        started: None,
        ended: None,
        words: None,
        patient_died: false,
        detail,
    }
}

/// A watermark later than now comes from a simulated clock: no call was placed before it.
fn not_after(watermark: Watermark, now: DateTime<Utc>) -> Watermark {
    let adopted_at = watermark.adopted_at.map(|at| at.min(now));
    Watermark { at: watermark.at.min(now), adopted_at, ..watermark }
}
