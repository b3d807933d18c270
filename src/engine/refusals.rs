//! Refusals that name no patient, counted: one is one patient's until others meet it, too.
//!
//! Three different patients in a row, without an accepted call between, and the location is stopped, or the organisation
//! where the refusals name the account. A patient who was refused waits a while and is tried once more: refused again after
//! others were accepted, the refusal is the patient's own; refused again with nobody accepted since, nobody else is left to
//! tell by, and the location is stopped on what is known.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;

use crate::annie::{Concern, Refused};
use crate::ids::{AttemptId, EntryId};
use crate::phone::E164;

use super::ending::Refusal;

/// Different patients who must be refused in a row.
pub(super) const IN_A_ROW: usize = 3;

/// Who was refused is tried again after so long: others come first.
pub(super) const TRIED_AGAIN_AFTER: TimeDelta = TimeDelta::minutes(15);

/// What follows from a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing yet.
    Undecided,
    /// It is this patient's own: others are accepted.
    OfThePatient,
    /// The location's number is refused.
    StopsNumber(Cause),
    /// The account is refused.
    StopsAccount(Cause),
}

/// What the vendor refused, and in which words if they were the same for everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cause {
    pub(super) refusal: Refusal,
    pub(super) says: Option<String>,
}

/// Refusals in a row.
#[derive(Debug, Default)]
struct Row {
    entries: Vec<EntryId>,
    concern: Option<Concern>,
    /// The vendor's words, while they are the same.
    says: Option<String>,
}

impl Row {
    /// Adds one; whether the row decides now.
    fn add(&mut self, entry: EntryId, refused: &Refused) -> bool {
        let says = evidence(refused);
        if self.entries.is_empty() {
            (self.concern, self.says) = (Some(refused.concern), Some(says));
        } else {
            self.concern = self.concern.filter(|concern| *concern == refused.concern);
            self.says.take_if(|said| *said != says);
        }
        let again = self.entries.contains(&entry);
        if !again {
            self.entries.push(entry);
        }
        again || self.entries.len() >= IN_A_ROW
    }

    fn cause(self) -> Cause {
        let refusal = match self.concern {
            Some(Concern::OurNumber) => Refusal::FromNumber,
            Some(Concern::Account) => Refusal::Account,
            Some(_) | None => Refusal::Unexplained,
        };
        // Words that fewer patients have met may be about one of them.
        let is_known = self.entries.len() >= IN_A_ROW;
        let says = self.says.map(|says| match says.split_once(':') {
            Some((status, _)) if !is_known => status.to_owned(),
            Some(_) | None => says,
        });
        Cause { refusal, says }
    }
}

/// The refusals of one organisation's run.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    rows: BTreeMap<E164, Row>,
    account: Row,
    /// Calls accepted, by the number that placed them.
    accepted: HashMap<E164, u64>,
    /// Who was refused, and how many calls of the number had been accepted by then.
    refused: HashMap<EntryId, u64>,
    /// The last attempt that was.
    newest: Option<AttemptId>,
}

impl Refusals {
    /// Whether a row has begun that is not decided: until it is, calls go out one at a time.
    pub(super) fn are_undecided(&self) -> bool {
        !self.account.entries.is_empty() || !self.rows.is_empty()
    }

    /// What the end of a run makes of a row that is not decided, where no call was ever accepted.
    pub(super) fn left_undecided(&mut self) -> Option<Cause> {
        let never = |number: &E164| !self.accepted.contains_key(number);
        let number = *self.rows.keys().find(|number| never(number))?;
        self.rows.remove(&number).map(Row::cause)
    }

    /// A call of this number was accepted.
    pub(super) fn accepted(&mut self, from: E164) {
        *self.accepted.entry(from).or_default() += 1;
        self.rows.remove(&from);
        self.account = Row::default();
    }

    /// A call whose answer was lost turns out to have been placed: it was accepted, if that was not before all refusals.
    pub(super) fn was_placed(&mut self, attempt: AttemptId, from: E164) {
        if self.newest.is_some_and(|newest| newest < attempt) {
            self.accepted(from);
        }
    }

    /// What becomes of this patient hangs on nobody else any more: the call was refused for a reason of the patient's own,
    /// which explains what went before, or it is to be decided by a person.
    pub(super) fn explained(&mut self, entry: EntryId) {
        for row in self.rows.values_mut().chain([&mut self.account]) {
            row.entries.retain(|one| *one != entry);
        }
        self.rows.retain(|_, row| !row.entries.is_empty());
        if self.account.entries.is_empty() {
            self.account = Row::default();
        }
    }

    /// A call was refused, for a reason that names no patient.
    pub(super) fn refused(&mut self, attempt: AttemptId, entry: EntryId, from: E164, refused: &Refused) -> Verdict {
        self.newest = self.newest.max(Some(attempt));
        let is_of_account = refused.concern == Concern::Account;
        let accepted = self.accepted.get(&from).copied().unwrap_or_default();
        let before = self.refused.insert(entry, accepted);
        if !is_of_account && before.is_some_and(|before| before < accepted) {
            return Verdict::OfThePatient;
        }
        if is_of_account && self.account.add(entry, refused) {
            self.rows.clear();
            return Verdict::StopsAccount(std::mem::take(&mut self.account).cause());
        }
        if self.rows.entry(from).or_default().add(entry, refused) {
            let row = self.rows.remove(&from).unwrap_or_default();
            return Verdict::StopsNumber(row.cause());
        }
        Verdict::Undecided
    }
}

/// A refusal in words: its status, and what the vendor says.
pub(super) fn evidence(Refused { status, words, .. }: &Refused) -> String {
    if words.is_empty() { format!("status {status}") } else { format!("status {status}: \"{words}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(last: u32) -> E164 {
        E164::parse(&format!("+1312555014{last}")).expect("a number")
    }

    fn unknown(words: &str) -> Refused {
        Refused { words: words.into(), ..Refused::bare(403, Concern::Unknown) }
    }

    #[test]
    fn three_different_patients_in_a_row_stop_their_number_and_an_accepted_call_between_does_not() {
        let mut refusals = Refusals::default();
        let refuse =
            |refusals: &mut Refusals, entry| refusals.refused(AttemptId(1), EntryId(entry), number(1), &unknown("no"));
        assert_eq!(refuse(&mut refusals, 1), Verdict::Undecided);
        assert_eq!(refuse(&mut refusals, 2), Verdict::Undecided);
        refusals.accepted(number(1));
        assert!(!refusals.are_undecided());
        assert_eq!(refuse(&mut refusals, 3), Verdict::Undecided);
        refusals.accepted(number(2));
        assert_eq!(refuse(&mut refusals, 4), Verdict::Undecided, "another number's call says nothing");
        let says = Some("status 403: \"no\"".into());
        let cause = Cause { refusal: Refusal::Unexplained, says };
        assert_eq!(refuse(&mut refusals, 5), Verdict::StopsNumber(cause));
    }

    #[test]
    fn a_lost_call_that_was_placed_after_a_refusal_ends_the_row_and_an_older_one_does_not() {
        for (lost, is_left) in [(6, true), (8, false)] {
            let mut refusals = Refusals::default();
            refusals.refused(AttemptId(7), EntryId(1), number(1), &unknown("no"));
            refusals.was_placed(AttemptId(lost), number(1));
            assert_eq!(refusals.left_undecided().is_some(), is_left, "{lost}");
        }
    }

    #[test]
    fn what_is_explained_by_the_patients_own_number_counts_for_nobody_else() {
        for concern in [Concern::Unknown, Concern::Account] {
            let mut refusals = Refusals::default();
            let refused = Refused::bare(403, concern);
            for entry in [1, 2] {
                assert_eq!(refusals.refused(AttemptId(1), EntryId(entry), number(1), &refused), Verdict::Undecided);
            }
            refusals.explained(EntryId(1));
            assert_eq!(
                refusals.refused(AttemptId(1), EntryId(3), number(1), &refused),
                Verdict::Undecided,
                "two are left"
            );
            for entry in [2, 3] {
                refusals.explained(EntryId(entry));
            }
            assert_eq!((refusals.are_undecided(), refusals.left_undecided()), (false, None));
        }
    }

    #[test]
    fn words_that_differ_from_patient_to_patient_are_not_repeated() {
        let mut refusals = Refusals::default();
        for (entry, words) in [(1, "no a"), (2, "no b")] {
            refusals.refused(AttemptId(1), EntryId(entry), number(1), &unknown(words));
        }
        let verdict = refusals.refused(AttemptId(1), EntryId(3), number(1), &unknown("no a"));
        assert_eq!(verdict, Verdict::StopsNumber(Cause { refusal: Refusal::Unexplained, says: None }));
    }

    #[test]
    fn who_is_refused_again_is_refused_alone_if_others_were_accepted_and_is_the_last_if_nobody_was() {
        let mut refusals = Refusals::default();
        refusals.refused(AttemptId(1), EntryId(1), number(1), &unknown("no"));
        refusals.accepted(number(1));
        assert_eq!(refusals.refused(AttemptId(1), EntryId(1), number(1), &unknown("no")), Verdict::OfThePatient);
        assert!(!refusals.are_undecided());
        refusals.refused(AttemptId(1), EntryId(2), number(1), &unknown("no"));
        assert!(matches!(
            refusals.refused(AttemptId(1), EntryId(2), number(1), &unknown("no")),
            Verdict::StopsNumber(_)
        ));
    }

    #[test]
    fn what_names_the_account_stops_it_whichever_number_called() {
        let mut refusals = Refusals::default();
        let account = Refused::bare(402, Concern::Account);
        assert_eq!(refusals.refused(AttemptId(1), EntryId(1), number(1), &account), Verdict::Undecided);
        assert_eq!(refusals.refused(AttemptId(1), EntryId(2), number(2), &account), Verdict::Undecided);
        let stopped = refusals.refused(AttemptId(1), EntryId(3), number(3), &account);
        assert!(matches!(stopped, Verdict::StopsAccount(Cause { refusal: Refusal::Account, .. })), "{stopped:?}");
    }
}
