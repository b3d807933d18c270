//! Households: patients who share a number share a call (`calling-rules.md`, Households).
//!
//! All candidates may be called. A suppressed or held patient is a separate entry and does not get here.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;

use super::list::ListRow;
use super::patient::Patient;
use crate::campaign::{HouseholdRule, Purpose};
use crate::ids::Location;

/// A patient who may be called, and the row it came from.
#[derive(Clone)]
pub(super) struct HouseholdCandidate {
    pub(super) patient: Box<Patient>,
    pub(super) row: ListRow,
}

/// The patients of one call: first the one spoken to, then the others in the list's order.
pub(super) type HouseholdCall = Vec<HouseholdCandidate>;

/// Splits the patients of one number into households, each with the one spoken to first. Under
/// [`HouseholdRule::Name`], minors without an adult of their household join the first adult on the list, or else each
/// other. Patients of different locations are separate households; so are, except in reminders, appointments on different
/// days.
pub(super) fn split_into_households(
    mut patients: Vec<HouseholdCandidate>,
    rule: HouseholdRule,
    purpose: Purpose,
) -> Vec<HouseholdCall> {
    patients.sort_by_key(|candidate| candidate.row.line);
    let mut groups: BTreeMap<CallGroup, Vec<HouseholdCandidate>> = BTreeMap::new();
    for candidate in patients {
        groups.entry(group_of(&candidate, purpose)).or_default().push(candidate);
    }
    let mut households: Vec<HouseholdCall> = groups.into_values().flat_map(|group| split(group, rule)).collect();
    households.sort_by_key(|household| household[0].row.line);
    households.into_iter().map(speaker_first).collect()
}

/// What all patients of a call share: the day of the appointment, except in a reminder, and the location.
type CallGroup = (Option<NaiveDate>, Option<Location>);

fn group_of(HouseholdCandidate { patient, .. }: &HouseholdCandidate, purpose: Purpose) -> CallGroup {
    let day = match purpose {
        // A reminder names each appointment with its time.
        Purpose::Reminder => None,
        Purpose::Recall | Purpose::FollowUp => patient.appointment_day,
    };
    (day, patient.location.clone())
}

/// Splits the patients of one group, which are in the list's order.
fn split(patients: Vec<HouseholdCandidate>, rule: HouseholdRule) -> Vec<HouseholdCall> {
    let mut joined = JoinedPatients::new(patients.len());
    let mut first_with: HashMap<HouseholdTie, usize> = HashMap::new();
    for (at, candidate) in patients.iter().enumerate() {
        for tie in ties(&candidate.patient, rule) {
            joined.join(*first_with.entry(tie).or_insert(at), at);
        }
    }
    if rule == HouseholdRule::Name {
        join_minors(&mut joined, &patients);
    }
    let mut households: BTreeMap<usize, HouseholdCall> = BTreeMap::new();
    for (at, candidate) in patients.into_iter().enumerate() {
        households.entry(joined.first(at)).or_default().push(candidate);
    }
    households.into_values().collect()
}

/// What two patients of one household have in common. The number they share anyway.
#[derive(PartialEq, Eq, Hash)]
enum HouseholdTie {
    Number,
    /// A household id. The guarantor's patient id is one, too.
    Household(String),
    LastName(String),
}

fn ties(patient: &Patient, rule: HouseholdRule) -> Vec<HouseholdTie> {
    match rule {
        HouseholdRule::Off => Vec::new(),
        HouseholdRule::Number => vec![HouseholdTie::Number],
        HouseholdRule::Name => {
            let ids = [&patient.household, &patient.info.patient_id];
            let name = patient.info.last_name.as_deref().map(letters_of).filter(|name| !name.is_empty());
            let ids = ids.into_iter().flatten().map(|id| HouseholdTie::Household(id.clone()));
            ids.chain(name.map(HouseholdTie::LastName)).collect()
        }
    }
}

/// The letters of a name in lower case: `O'Brien` and `OBRIEN` are one name.
fn letters_of(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Joins the minors whose household has no adult to the first adult, or else to the first of them.
fn join_minors(joined: &mut JoinedPatients, patients: &[HouseholdCandidate]) {
    let with_adult: HashSet<usize> =
        (0..patients.len()).filter(|at| !patients[*at].patient.is_minor).map(|adult| joined.first(adult)).collect();
    let first_adult = patients.iter().position(|candidate| !candidate.patient.is_minor);
    let alone: Vec<usize> = (0..patients.len()).filter(|at| !with_adult.contains(&joined.first(*at))).collect();
    if let Some(with) = first_adult.or(alone.first().copied()) {
        for minor in alone {
            joined.join(with, minor);
        }
    }
}

/// Which patients have been joined. Thousands may have the same placeholder number.
struct JoinedPatients(Vec<usize>);

impl JoinedPatients {
    fn new(patients: usize) -> Self {
        Self((0..patients).collect())
    }

    /// The first of the patients that `at` has been joined with.
    fn first(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.first(one), self.first(other));
        self.0[one.max(other)] = one.min(other);
    }
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

/// The same with the others in the order of their appointments: if not all fit in a call, the later ones wait.
pub(super) fn by_appointment(call: HouseholdCall) -> HouseholdCall {
    let mut call = speaker_first(call);
    let start = |candidate: &HouseholdCandidate| candidate.patient.appointment.as_ref().and_then(|it| it.start);
    call[1..].sort_by_key(|candidate| (candidate.patient.appointment_day, start(candidate), candidate.row.line));
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

    #[test]
    fn a_last_name_is_compared_by_its_letters() {
        for (one, other, is_same) in
            [("O'Brien", "OBRIEN", true), ("García López", "GARCÍA-LÓPEZ", true), ("Ruiz", "Ruis", false)]
        {
            assert_eq!(letters_of(one) == letters_of(other), is_same, "{one} {other}");
        }
    }
}
