//! Counts refusals that name no patient. One refusal concerns its patient until other patients are refused too.
//!
//! Three different patients in a row, without an accepted call in between, block the caller id, or stop the
//! organisation if the refusals name the account. A refused patient is tried once more after a while. If others were
//! accepted in the meantime, a second refusal is the patient's own. If nobody was accepted, there is no other patient
//! left to compare with, and the caller id is blocked.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;

use crate::ids::{AttemptId, EntryId};
use crate::phone::E164;
use crate::vendor::{Concern, Refused};

use super::stop_reason::RefusedByVendor;

/// Different patients refused in a row that block a caller id.
pub(super) const REFUSALS_IN_A_ROW: usize = 3;

/// The wait before a refused patient is tried again: other patients come first.
pub(super) const RETRY_AFTER_REFUSAL: TimeDelta = TimeDelta::minutes(15);

/// What follows from a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RefusalEffect {
    /// Nothing yet.
    Undecided,
    /// It is this patient's own: others are accepted.
    PatientRefused,
    /// The caller id is refused.
    BlocksCallerId(RefusalCause),
    /// The vendor's account of the organisation is refused.
    StopsOrganisation(RefusalCause),
}

/// What the vendor refused, and its words if they were the same for every patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RefusalCause {
    pub(super) refusal: RefusedByVendor,
    pub(super) vendor_text: Option<String>,
}

/// Refusals in a row.
#[derive(Debug, Default)]
struct RefusalStreak {
    entries: Vec<EntryId>,
    concern: Option<Concern>,
    /// The vendor's words, while they are the same.
    vendor_text: Option<String>,
}

impl RefusalStreak {
    /// Adds one. Returns whether the streak is now decided.
    fn add(&mut self, entry: EntryId, refused: &Refused) -> bool {
        let vendor_text = evidence(refused);
        if self.entries.is_empty() {
            (self.concern, self.vendor_text) = (Some(refused.concern), Some(vendor_text));
        } else {
            self.concern = self.concern.filter(|concern| *concern == refused.concern);
            self.vendor_text.take_if(|known| *known != vendor_text);
        }
        let is_repeated = self.entries.contains(&entry);
        if !is_repeated {
            self.entries.push(entry);
        }
        is_repeated || self.entries.len() >= REFUSALS_IN_A_ROW
    }

    fn cause(self) -> RefusalCause {
        let refusal = match self.concern {
            Some(Concern::CallerId) => RefusedByVendor::CallerId,
            Some(Concern::Account) => RefusedByVendor::Account,
            Some(_) | None => RefusedByVendor::Unexplained,
        };
        // Words that fewer patients got may be about one of them.
        let is_certain = self.entries.len() >= REFUSALS_IN_A_ROW;
        let vendor_text = self.vendor_text.map(|vendor_text| match vendor_text.split_once(':') {
            Some((status, _)) if !is_certain => status.to_owned(),
            Some(_) | None => vendor_text,
        });
        RefusalCause { refusal, vendor_text }
    }
}

/// The refusals in one organisation's run.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    by_caller_id: BTreeMap<E164, RefusalStreak>,
    organisation: RefusalStreak,
    /// Calls accepted, by caller id.
    accepted_calls: HashMap<E164, u64>,
    /// The refused entries, each with how many calls of its caller id had been accepted by then.
    accepted_at_refusal: HashMap<EntryId, u64>,
    /// The newest refused attempt.
    newest_refused: Option<AttemptId>,
}

impl Refusals {
    /// Whether a streak is undecided. Until it is decided, calls go out one at a time.
    pub(super) fn is_undecided(&self) -> bool {
        !self.organisation.entries.is_empty() || !self.by_caller_id.is_empty()
    }

    /// At the end of a run: the cause of an undecided streak whose caller id never had a call accepted.
    pub(super) fn take_undecided(&mut self) -> Option<RefusalCause> {
        let never_accepted = |number: &E164| !self.accepted_calls.contains_key(number);
        let number = *self.by_caller_id.keys().find(|number| never_accepted(number))?;
        self.by_caller_id.remove(&number).map(RefusalStreak::cause)
    }

    /// A call of this caller id was accepted.
    pub(super) fn on_accepted(&mut self, from: E164) {
        *self.accepted_calls.entry(from).or_default() += 1;
        self.by_caller_id.remove(&from);
        self.organisation = RefusalStreak::default();
    }

    /// A lost call turned out to be placed. It counts as accepted only if its attempt is newer than every refused one.
    pub(super) fn on_lost_call_found(&mut self, attempt: AttemptId, from: E164) {
        if self.newest_refused.is_some_and(|newest| newest < attempt) {
            self.on_accepted(from);
        }
    }

    /// This entry no longer says anything about others: it was refused for a reason of its own, which explains its
    /// earlier refusals, or the operator decides about it.
    pub(super) fn on_entry_settled(&mut self, entry: EntryId) {
        for streak in self.by_caller_id.values_mut().chain([&mut self.organisation]) {
            streak.entries.retain(|refused| *refused != entry);
        }
        self.by_caller_id.retain(|_, streak| !streak.entries.is_empty());
        if self.organisation.entries.is_empty() {
            self.organisation = RefusalStreak::default();
        }
    }

    /// A call was refused for a reason that names no patient.
    pub(super) fn on_refusal(
        &mut self,
        attempt: AttemptId,
        entry: EntryId,
        from: E164,
        refused: &Refused,
    ) -> RefusalEffect {
        self.newest_refused = self.newest_refused.max(Some(attempt));
        let names_account = refused.concern == Concern::Account;
        let accepted = self.accepted_calls.get(&from).copied().unwrap_or_default();
        let before = self.accepted_at_refusal.insert(entry, accepted);
        if !names_account && before.is_some_and(|before| before < accepted) {
            return RefusalEffect::PatientRefused;
        }
        if names_account && self.organisation.add(entry, refused) {
            self.by_caller_id.clear();
            return RefusalEffect::StopsOrganisation(std::mem::take(&mut self.organisation).cause());
        }
        if self.by_caller_id.entry(from).or_default().add(entry, refused) {
            let streak = self.by_caller_id.remove(&from).unwrap_or_default();
            return RefusalEffect::BlocksCallerId(streak.cause());
        }
        RefusalEffect::Undecided
    }
}

/// A refusal in words: its status, and what the vendor says.
pub(super) fn evidence(Refused { status, message, .. }: &Refused) -> String {
    if message.is_empty() { format!("status {status}") } else { format!("status {status}: \"{message}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(last: u32) -> E164 {
        E164::parse(&format!("+1312555014{last}")).expect("a number")
    }

    fn unknown(words: &str) -> Refused {
        Refused { message: words.into(), ..Refused::bare(403, Concern::Unknown) }
    }

    #[test]
    fn three_different_patients_in_a_row_block_the_caller_id_unless_a_call_is_accepted_in_between() {
        let mut refusals = Refusals::default();
        let refuse = |refusals: &mut Refusals, entry| {
            refusals.on_refusal(AttemptId(1), EntryId(entry), number(1), &unknown("no"))
        };
        assert_eq!(refuse(&mut refusals, 1), RefusalEffect::Undecided);
        assert_eq!(refuse(&mut refusals, 2), RefusalEffect::Undecided);
        refusals.on_accepted(number(1));
        assert!(!refusals.is_undecided());
        assert_eq!(refuse(&mut refusals, 3), RefusalEffect::Undecided);
        refusals.on_accepted(number(2));
        assert_eq!(refuse(&mut refusals, 4), RefusalEffect::Undecided, "a call of another caller id says nothing");
        let vendor_text = Some("status 403: \"no\"".into());
        let cause = RefusalCause { refusal: RefusedByVendor::Unexplained, vendor_text };
        assert_eq!(refuse(&mut refusals, 5), RefusalEffect::BlocksCallerId(cause));
    }

    #[test]
    fn a_lost_call_found_after_a_refusal_ends_the_streak_and_an_older_one_does_not() {
        for (lost, is_left) in [(6, true), (8, false)] {
            let mut refusals = Refusals::default();
            refusals.on_refusal(AttemptId(7), EntryId(1), number(1), &unknown("no"));
            refusals.on_lost_call_found(AttemptId(lost), number(1));
            assert_eq!(refusals.take_undecided().is_some(), is_left, "{lost}");
        }
    }

    #[test]
    fn a_settled_entry_no_longer_counts_in_a_streak() {
        for concern in [Concern::Unknown, Concern::Account] {
            let mut refusals = Refusals::default();
            let refused = Refused::bare(403, concern);
            for entry in [1, 2] {
                assert_eq!(
                    refusals.on_refusal(AttemptId(1), EntryId(entry), number(1), &refused),
                    RefusalEffect::Undecided
                );
            }
            refusals.on_entry_settled(EntryId(1));
            assert_eq!(
                refusals.on_refusal(AttemptId(1), EntryId(3), number(1), &refused),
                RefusalEffect::Undecided,
                "two are left"
            );
            for entry in [2, 3] {
                refusals.on_entry_settled(EntryId(entry));
            }
            assert_eq!((refusals.is_undecided(), refusals.take_undecided()), (false, None));
        }
    }

    #[test]
    fn words_that_differ_from_patient_to_patient_are_not_repeated() {
        let mut refusals = Refusals::default();
        for (entry, words) in [(1, "no a"), (2, "no b")] {
            refusals.on_refusal(AttemptId(1), EntryId(entry), number(1), &unknown(words));
        }
        let verdict = refusals.on_refusal(AttemptId(1), EntryId(3), number(1), &unknown("no a"));
        assert_eq!(
            verdict,
            RefusalEffect::BlocksCallerId(RefusalCause { refusal: RefusedByVendor::Unexplained, vendor_text: None })
        );
    }

    #[test]
    fn a_second_refusal_is_the_patients_own_if_others_were_accepted_and_blocks_the_caller_id_otherwise() {
        let mut refusals = Refusals::default();
        refusals.on_refusal(AttemptId(1), EntryId(1), number(1), &unknown("no"));
        refusals.on_accepted(number(1));
        assert_eq!(
            refusals.on_refusal(AttemptId(1), EntryId(1), number(1), &unknown("no")),
            RefusalEffect::PatientRefused
        );
        assert!(!refusals.is_undecided());
        refusals.on_refusal(AttemptId(1), EntryId(2), number(1), &unknown("no"));
        assert!(matches!(
            refusals.on_refusal(AttemptId(1), EntryId(2), number(1), &unknown("no")),
            RefusalEffect::BlocksCallerId(_)
        ));
    }

    #[test]
    fn refusals_that_name_the_account_stop_the_organisation_whichever_caller_id_called() {
        let mut refusals = Refusals::default();
        let account = Refused::bare(402, Concern::Account);
        assert_eq!(refusals.on_refusal(AttemptId(1), EntryId(1), number(1), &account), RefusalEffect::Undecided);
        assert_eq!(refusals.on_refusal(AttemptId(1), EntryId(2), number(2), &account), RefusalEffect::Undecided);
        let stopped = refusals.on_refusal(AttemptId(1), EntryId(3), number(3), &account);
        assert!(
            matches!(stopped, RefusalEffect::StopsOrganisation(RefusalCause { refusal: RefusedByVendor::Account, .. })),
            "{stopped:?}"
        );
    }
}
