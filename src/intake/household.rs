//! Households: patients who share a number share a call (`calling-rules.md`, Households).
//!
//! All candidates may be called. A suppressed or held patient is a separate entry and does not get here.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use super::list::ListRow;
use super::patient::Patient;
use crate::ids::Location;

/// A patient who may be called, and the row it came from.
#[derive(Clone)]
pub(super) struct HouseholdCandidate {
    pub(super) patient: Box<Patient>,
    pub(super) row: ListRow,
}

/// The patients of one call: first the one spoken to, then the others in the list's order.
pub(super) type HouseholdCall = Vec<HouseholdCandidate>;

/// Splits the patients of one number into calls. Adults share a call only if they share a household id. Minors join the
/// adults of their household, or else the first adult on the list, or else each other. Appointments on different days,
/// and patients of different locations, are separate calls.
pub(super) fn split_into_calls(mut patients: Vec<HouseholdCandidate>) -> Vec<HouseholdCall> {
    patients.sort_by_key(|candidate| candidate.row.line);
    let (minors, adults): (Vec<_>, Vec<_>) = patients.into_iter().partition(|candidate| candidate.patient.is_minor);
    let mut calls = CallsByNumber::default();
    for adult in adults {
        match calls.position_of_household(&adult) {
            Some(call) => calls.join(call, adult),
            None => calls.start(adult),
        }
    }
    for minor in minors {
        match calls.position_of_household(&minor).or_else(|| calls.position_of_group(&minor)) {
            Some(call) => calls.join(call, minor),
            None => calls.start(minor),
        }
    }
    calls.all.into_iter().map(speaker_first).collect()
}

/// What all patients of a call share: the day of the appointment and the location.
type CallGroup = (Option<NaiveDate>, Option<Location>);

/// The calls to one number. Indexed, because thousands of patients may have the same placeholder number.
#[derive(Default)]
struct CallsByNumber {
    all: Vec<HouseholdCall>,
    by_household: HashMap<(String, CallGroup), usize>,
    by_group: HashMap<CallGroup, usize>,
}

impl CallsByNumber {
    /// The first call of the same group whose first patient is of the same household.
    fn position_of_household(&self, candidate: &HouseholdCandidate) -> Option<usize> {
        let household = candidate.patient.household.clone()?;
        self.by_household.get(&(household, group_of(candidate))).copied()
    }

    /// The first call of the same group.
    fn position_of_group(&self, candidate: &HouseholdCandidate) -> Option<usize> {
        self.by_group.get(&group_of(candidate)).copied()
    }

    fn join(&mut self, call: usize, candidate: HouseholdCandidate) {
        self.all[call].push(candidate);
    }

    fn start(&mut self, candidate: HouseholdCandidate) {
        let (at, group) = (self.all.len(), group_of(&candidate));
        if let Some(household) = candidate.patient.household.clone() {
            self.by_household.entry((household, group.clone())).or_insert(at);
        }
        self.by_group.entry(group).or_insert(at);
        self.all.push(vec![candidate]);
    }
}

fn group_of(HouseholdCandidate { patient, .. }: &HouseholdCandidate) -> CallGroup {
    (patient.appointment_day, patient.location.clone())
}

/// Moves the patient who is spoken to to the front: the guarantor, or else the first adult, or else the first on the
/// list.
pub(super) fn speaker_first(mut call: HouseholdCall) -> HouseholdCall {
    call.sort_by_key(|candidate| candidate.row.line);
    let households: HashSet<&str> =
        call.iter().filter_map(|candidate| candidate.patient.household.as_deref()).collect();
    // The guarantor's patient id is the household id.
    let is_guarantor = |HouseholdCandidate { patient, .. }: &HouseholdCandidate| {
        !patient.is_minor && patient.info.patient_id.as_deref().is_some_and(|id| households.contains(id))
    };
    let guarantor = call.iter().position(is_guarantor);
    let adult = || call.iter().position(|candidate| !candidate.patient.is_minor);
    let speaker = guarantor.or_else(adult).unwrap_or(0);
    call[..=speaker].rotate_right(1);
    call
}

/// A phrase with at most `limit` names: `Ana, Ben and 2 others`.
pub(super) fn spoken_list(names: &[String], limit: usize) -> String {
    let omitted = names.len().saturating_sub(limit);
    let mut parts: Vec<String> = names[..names.len() - omitted].to_vec();
    match omitted {
        0 => {}
        1 => parts.push("1 other".to_owned()),
        omitted => parts.push(format!("{omitted} others")),
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
        for (count, limit, expected) in [
            (0, 4, ""),
            (1, 4, "Ana"),
            (2, 4, "Ana and Ben"),
            (4, 4, "Ana, Ben, Cai and Dee"),
            (4, 2, "Ana, Ben and 2 others"),
            (4, 3, "Ana, Ben, Cai and 1 other"),
            (4, 0, "4 others"),
        ] {
            assert_eq!(spoken_list(&names[..count], limit), expected);
        }
    }
}
