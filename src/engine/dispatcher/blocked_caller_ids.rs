//! Caller ids that the vendor does not let call. Their locations stop at once, before the refusals use up entries; the
//! organisation's other caller ids continue.

use crate::engine::events::Event;
use crate::engine::refusals::RefusalCause;
use crate::engine::stop_reason::{RefusedByVendor, StopReason};
use crate::entry::Reason;
use crate::ids::Location;
use crate::ledger::{ClaimScope, ClaimedAttempt};
use crate::phone::E164;

use super::state::{Dispatcher, KnownNextDue};
use super::work::Effects;

impl Dispatcher {
    /// The entries that may be claimed: all but those of locations whose caller id is blocked.
    pub(super) fn claim_scope(&self) -> ClaimScope {
        ClaimScope {
            excluded_locations: self.blocked_locations(),
            ..ClaimScope::for_organisation(self.organisation.clone())
        }
    }

    /// Blocks `from`: the vendor said that it may not call, or refused different patients in a row for `cause`.
    pub(super) fn block_caller_id(&mut self, from: E164, cause: Option<RefusalCause>, effects: &mut Effects) {
        if self.blocked.contains(&from) {
            // Requests of this caller id that were in flight get the same refusal.
            return;
        }
        self.blocked.push(from);
        if self.caller_ids().iter().all(|id| self.blocked.contains(id)) {
            let reason = match cause {
                Some(RefusalCause { refusal, vendor_text }) => {
                    StopReason::RefusedInARow { refusal, vendor_text, locations: Vec::new() }
                }
                None => StopReason::Refused(RefusedByVendor::CallerId),
            };
            return self.stop_placing(reason, effects);
        }
        // The next due entry may belong to a blocked location. If the ledger is being asked now, [`Self::on_next_due`]
        // discards its answer.
        if !matches!(self.next_due, KnownNextDue::Asked(_)) {
            self.next_due = KnownNextDue::Unknown;
        }
        let organisation = self.name_in_events.clone();
        let (at, locations) = (effects.now, self.locations_of(&[from]));
        let says = cause.as_ref().and_then(|cause| cause.vendor_text.clone());
        effects.emit(Event::LineRefused { at, from: from.expose(), locations, says, organisation });
        self.refusal_cause = cause.or(self.refusal_cause.take());
    }

    /// Whether this caller id places no further calls.
    pub(super) fn is_stopped_for(&self, from: E164) -> bool {
        self.stop_reason.is_some() || self.blocked.contains(&from)
    }

    /// Handles a claim for a blocked caller id: nothing is sent. `was_known`: the caller id was already blocked when
    /// the claim was made. Then the ledger has its location under another name than the campaign, the next claim would
    /// return the entry again, and the run stops.
    pub(super) fn on_claim_of_blocked(&mut self, claimed: &ClaimedAttempt, was_known: bool, effects: &mut Effects) {
        self.stop_rules.on_claimed();
        if was_known {
            self.stop_placing(StopReason::Refused(RefusedByVendor::CallerId), effects);
        }
        self.record_not_placed(claimed, effects.now, Reason::LineRefused, None, effects);
    }

    /// The final stop reason, given that caller ids were blocked, or that refusals were still undecided at the end of
    /// the run.
    pub(super) fn stop_reason_with_refusals(&mut self, reason: StopReason) -> StopReason {
        if self.blocked.is_empty() {
            // Not if a caller id is blocked: its patients still wait to be called, so there would be others to compare
            // with.
            match self.refusals.take_undecided().filter(|_| reason == StopReason::Done) {
                Some(cause) => self.refusal_cause = Some(cause),
                None => return reason,
            }
        }
        let locations = self.blocked_locations();
        let refused = match self.refusal_cause.take() {
            Some(RefusalCause { refusal, vendor_text }) => {
                StopReason::RefusedInARow { refusal, vendor_text, locations }
            }
            None => StopReason::CallerIdsRefused { locations },
        };
        if reason.severity() >= refused.severity() { reason } else { refused }
    }

    fn blocked_locations(&self) -> Vec<Location> {
        self.locations_of(&self.blocked)
    }

    /// The locations that use one of these caller ids.
    fn locations_of(&self, caller_ids: &[E164]) -> Vec<Location> {
        if caller_ids.is_empty() {
            return Vec::new();
        }
        let locations = self.campaign.locations.iter();
        let ours = locations.filter(|(_, practice)| practice.organisation == self.organisation);
        ours.filter(|(_, practice)| caller_ids.contains(&practice.from_number))
            .map(|(location, _)| location.clone())
            .collect()
    }

    pub(super) fn caller_ids(&self) -> Vec<E164> {
        self.campaign.locations.organisations()[self.index].numbers()
    }
}
