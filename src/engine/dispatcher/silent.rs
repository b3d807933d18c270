//! Numbers of ours that the vendor does not let call: their lines stop at once, instead of burning entries, and the
//! organisation's others go on.

use crate::annie::Vendor;
use crate::engine::ending::{Ending, Refusal};
use crate::engine::events::Event;
use crate::engine::refusals::Cause;
use crate::entry::Reason;
use crate::ids::Location;
use crate::ledger::{Authorised, Share};
use crate::phone::E164;

use super::{Dispatcher, NextDue};

impl<V: Vendor> Dispatcher<'_, '_, V> {
    /// The entries that may be claimed: not those whose number is silent.
    pub(super) fn share(&self) -> Share {
        Share { but: self.silent_locations(), ..Share::of(self.organisation.clone()) }
    }

    /// The vendor does not let `from` call: it says so, or it refused different patients in a row for this `cause`.
    pub(super) fn silence(&mut self, from: E164, cause: Option<Cause>) {
        if self.silent.contains(&from) {
            // Its requests that were under way meet the same refusal.
            return;
        }
        self.silent.push(from);
        if self.numbers().iter().all(|number| self.silent.contains(number)) {
            let ending = match cause {
                Some(Cause { refusal, says }) => Ending::RefusedInARow { refusal, says, locations: Vec::new() },
                None => Ending::Refused(Refusal::FromNumber),
            };
            return self.stop_placing(ending);
        }
        // What was due may have been its lines'. Where the ledger is being asked, its answer is found to be out of date.
        if self.next_due != NextDue::Asked {
            self.next_due = NextDue::Unknown;
        }
        let organisation = self.common.name_of(&self.organisation);
        let (at, locations) = (self.engine.clock.now(), self.locations_of(&[from]));
        let says = cause.as_ref().and_then(|cause| cause.says.clone());
        self.tell(&[Event::LineRefused { at, from: from.expose(), locations, says, organisation }]);
        self.refused_for = cause.or(self.refused_for.take());
    }

    /// Whether no further call of this number is placed.
    pub(super) fn is_stopped(&self, from: E164) -> bool {
        self.ending.is_some() || self.silent.contains(&from)
    }

    /// A call by a silent number was authorised: nothing is sent. If its claim was made by somebody who knew, `in_spite` of
    /// that, the ledger has its location under another name than the campaign, and nobody can be called: the next claim would
    /// find it again.
    pub(super) fn keep_silent(&mut self, authorised: &Authorised, in_spite: bool) {
        self.guard.authorised();
        if in_spite {
            self.stop_placing(Ending::Refused(Refusal::FromNumber));
        }
        self.not_placed(authorised, self.engine.clock.now(), Reason::LineRefused, None);
    }

    /// How it ends, if some of the organisation's numbers were not allowed to call, or if nobody was left to tell by whether
    /// one is.
    pub(super) fn ending_with_the_refused(&mut self, ending: Ending) -> Ending {
        if self.silent.is_empty() {
            // Where others wait for a number that may not call, they are left to tell by.
            match self.refusals.left_undecided().filter(|_| ending == Ending::Done) {
                Some(cause) => self.refused_for = Some(cause),
                None => return ending,
            }
        }
        let locations = self.silent_locations();
        let refused = match self.refused_for.take() {
            Some(Cause { refusal, says }) => Ending::RefusedInARow { refusal, says, locations },
            None => Ending::LinesRefused { locations },
        };
        if ending.gravity() >= refused.gravity() { ending } else { refused }
    }

    fn silent_locations(&self) -> Vec<Location> {
        self.locations_of(&self.silent)
    }

    /// The locations for which one of these numbers calls.
    fn locations_of(&self, numbers: &[E164]) -> Vec<Location> {
        if numbers.is_empty() {
            return Vec::new();
        }
        let lines = self.engine.campaign.lines.iter();
        let ours = lines.filter(|(_, practice)| practice.organisation == self.organisation);
        ours.filter(|(_, practice)| numbers.contains(&practice.from_number))
            .map(|(location, _)| location.clone())
            .collect()
    }

    pub(super) fn numbers(&self) -> Vec<E164> {
        self.engine.campaign.lines.accounts()[self.at].numbers()
    }
}
