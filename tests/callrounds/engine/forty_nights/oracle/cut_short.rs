//! Whether a list was probably cut short, and must be refused.

use super::{Certainty, Key, ListExpectation, Oracle};
use crate::engine::forty_nights::story::{Patient, Row};

impl Oracle {
    /// Whether the night's recall list should be refused: ask before [`Oracle::begin_night`].
    ///
    /// "`max_withdraw_rate = 0.3`: a newer list that lacks more than this fraction of the entries still to be called (from
    /// 20 on) may have been cut short, and is refused."
    /// Open: whether a household counts once or each of its patients, whether it is missing when one or when all of them
    /// are; whether held and suppressed patients are still to be called; a list that came while the campaign was paused or
    /// cancelled.
    pub fn expect_list(&self, rows: &[Row]) -> ListExpectation {
        if rows.is_empty() {
            return ListExpectation::Refused;
        }
        if self.perhaps_enrolled.is_some() {
            return ListExpectation::Open;
        }
        let mut listed: Vec<Patient> = rows.iter().map(|row| row.patient).collect();
        listed.sort_unstable();
        let is_listed = |key: Key| listed.binary_search(&key.id).is_ok();
        let due: Vec<(Key, bool)> = self
            .recall_people()
            .filter_map(|key| match self.to_be_called(key) {
                Certainty::No => None,
                certainty => Some((key, certainty == Certainty::Yes)),
            })
            .collect();
        let mut by_patient = Absence::default();
        let mut by_household = Absence::default();
        let mut seen: Vec<Key> = Vec::new();
        for &(key, surely) in &due {
            by_patient.add(surely, !is_listed(key), !is_listed(key));
            if seen.contains(&key) {
                continue;
            }
            let kin = &self.people[&key].kin;
            let household = due.iter().filter(|(member, _)| *member == key || kin.contains(member));
            seen.extend(household.clone().map(|&(member, _)| member));
            by_household.add(
                household.clone().any(|&(_, surely)| surely),
                household.clone().all(|&(member, _)| !is_listed(member)),
                household.clone().any(|&(member, _)| !is_listed(member)),
            );
        }
        if by_patient.must_be_refused() && by_household.must_be_refused() {
            ListExpectation::Refused
        } else if by_patient.may_be_refused() || by_household.may_be_refused() {
            ListExpectation::Open
        } else {
            ListExpectation::Accepted
        }
    }
}

/// How many of those who are still to be called a list lacks, surely and perhaps.
#[derive(Default)]
struct Absence {
    surely_due: usize,
    surely_due_surely_missing: usize,
    surely_due_perhaps_missing: usize,
    perhaps_due_surely_there: usize,
    perhaps_due_perhaps_missing: usize,
    perhaps_due: usize,
}

impl Absence {
    fn add(&mut self, surely_due: bool, surely_missing: bool, perhaps_missing: bool) {
        if surely_due {
            self.surely_due += 1;
            self.surely_due_surely_missing += usize::from(surely_missing);
            self.surely_due_perhaps_missing += usize::from(perhaps_missing);
        } else {
            self.perhaps_due += 1;
            self.perhaps_due_surely_there += usize::from(!surely_missing);
            self.perhaps_due_perhaps_missing += usize::from(perhaps_missing);
        }
    }

    fn must_be_refused(&self) -> bool {
        let of = self.surely_due + self.perhaps_due_surely_there;
        self.surely_due >= 20 && self.surely_due_surely_missing * 10 > of * 3
    }

    fn may_be_refused(&self) -> bool {
        let missing = self.surely_due_perhaps_missing + self.perhaps_due_perhaps_missing;
        let of = self.surely_due + self.perhaps_due_perhaps_missing;
        self.surely_due + self.perhaps_due >= 20 && missing * 10 > of * 3
    }
}
