//! Households: patients who share a number share a call (`calling-rules.md`, Households).
//!
//! Everybody here may be called: whoever is suppressed, held or booked is an entry of their own and was never let in.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use super::list::Row;
use super::patient::Patient;
use crate::ids::Location;

/// A patient who may be called, and the row it came from.
#[derive(Clone)]
pub(super) struct Candidate {
    pub(super) patient: Box<Patient>,
    pub(super) row: Row,
}

/// One call's patients: the one spoken to first, the others in the list's order.
pub(super) type Call = Vec<Candidate>;

/// Splits the patients of one number into calls. Adults share one only if they share a household's number; minors join
/// their household's adults, or else the first adult on the list, or else each other. Appointments on different days
/// are different calls, and so are patients of different locations, who are called by different lines.
pub(super) fn calls_of(mut patients: Vec<Candidate>) -> Vec<Call> {
    patients.sort_by_key(|candidate| candidate.row.line);
    let (minors, adults): (Vec<_>, Vec<_>) = patients.into_iter().partition(|candidate| candidate.patient.is_minor);
    let mut calls = Calls::default();
    for adult in adults {
        match calls.of_household(&adult) {
            Some(call) => calls.join(call, adult),
            None => calls.begin(adult),
        }
    }
    for minor in minors {
        match calls.of_household(&minor).or_else(|| calls.of_day_and_place(&minor)) {
            Some(call) => calls.join(call, minor),
            None => calls.begin(minor),
        }
    }
    calls.all.into_iter().map(speaker_first).collect()
}

/// What two patients must share beside their household: the day of the appointment and the place.
type DayAndPlace = (Option<NaiveDate>, Option<Location>);

/// The calls to one number, at hand by whose they are: a placeholder's number may have thousands of patients.
#[derive(Default)]
struct Calls {
    all: Vec<Call>,
    by_household: HashMap<(String, DayAndPlace), usize>,
    by_day_and_place: HashMap<DayAndPlace, usize>,
}

impl Calls {
    /// The first call whose first patient is of this one's household.
    fn of_household(&self, candidate: &Candidate) -> Option<usize> {
        let household = candidate.patient.household.clone()?;
        self.by_household.get(&(household, day_and_place(candidate))).copied()
    }

    /// The first call on the same day, for the same place.
    fn of_day_and_place(&self, candidate: &Candidate) -> Option<usize> {
        self.by_day_and_place.get(&day_and_place(candidate)).copied()
    }

    fn join(&mut self, call: usize, candidate: Candidate) {
        self.all[call].push(candidate);
    }

    fn begin(&mut self, candidate: Candidate) {
        let (at, day_and_place) = (self.all.len(), day_and_place(&candidate));
        if let Some(household) = candidate.patient.household.clone() {
            self.by_household.entry((household, day_and_place.clone())).or_insert(at);
        }
        self.by_day_and_place.entry(day_and_place).or_insert(at);
        self.all.push(vec![candidate]);
    }
}

fn day_and_place(Candidate { patient, .. }: &Candidate) -> DayAndPlace {
    (patient.appointment_day, patient.location.clone())
}

/// The guarantor is spoken to, or else an adult, or else the first on the list.
pub(super) fn speaker_first(mut call: Call) -> Call {
    call.sort_by_key(|candidate| candidate.row.line);
    let households: HashSet<&str> =
        call.iter().filter_map(|candidate| candidate.patient.household.as_deref()).collect();
    // Somebody whose own number is the household's.
    let is_guarantor = |Candidate { patient, .. }: &Candidate| {
        !patient.is_minor && patient.info.patient_id.as_deref().is_some_and(|id| households.contains(id))
    };
    let guarantor = call.iter().position(is_guarantor);
    let adult = || call.iter().position(|candidate| !candidate.patient.is_minor);
    let speaker = guarantor.or_else(adult).unwrap_or(0);
    call[..=speaker].rotate_right(1);
    call
}

/// First names for a sentence, at most `most` of them: `Ana, Ben and 2 others`.
pub(super) fn spoken_list(names: &[String], most: usize) -> String {
    let rest = names.len().saturating_sub(most);
    let mut parts: Vec<String> = names[..names.len() - rest].to_vec();
    match rest {
        0 => {}
        1 => parts.push("1 other".to_owned()),
        more => parts.push(format!("{more} others")),
    }
    match parts.pop() {
        None => String::new(),
        Some(last) if parts.is_empty() => last,
        Some(last) => format!("{} and {last}", parts.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_people_say_them() {
        let names: Vec<String> = ["Ana", "Ben", "Cai", "Dee"].map(str::to_owned).to_vec();
        for (of, most, expected) in [
            (0, 4, ""),
            (1, 4, "Ana"),
            (2, 4, "Ana and Ben"),
            (4, 4, "Ana, Ben, Cai and Dee"),
            (4, 2, "Ana, Ben and 2 others"),
            (4, 3, "Ana, Ben, Cai and 1 other"),
            (4, 0, "4 others"),
        ] {
            assert_eq!(spoken_list(&names[..of], most), expected);
        }
    }
}
