//! Households: patients who share a number share a call (`calling-rules.md`, Households).
//!
//! Everybody here may be called: whoever is suppressed, held or booked is an entry of their own and was never let in.

use super::list::Row;
use super::patient::Patient;

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
    let mut calls: Vec<Call> = Vec::new();
    for adult in adults {
        match calls.iter_mut().find(|call| share_household(&call[0], &adult) && share_day_and_place(&call[0], &adult)) {
            Some(call) => call.push(adult),
            None => calls.push(vec![adult]),
        }
    }
    for minor in minors {
        let of_household =
            calls.iter().position(|call| share_household(&call[0], &minor) && share_day_and_place(&call[0], &minor));
        let home = of_household.or_else(|| calls.iter().position(|call| share_day_and_place(&call[0], &minor)));
        match home {
            Some(at) => calls[at].push(minor),
            None => calls.push(vec![minor]),
        }
    }
    calls.into_iter().map(speaker_first).collect()
}

fn share_household(one: &Candidate, other: &Candidate) -> bool {
    one.patient.household.is_some() && one.patient.household == other.patient.household
}

fn share_day_and_place(one: &Candidate, other: &Candidate) -> bool {
    let (one, other) = (&one.patient, &other.patient);
    one.appointment_day == other.appointment_day && one.location == other.location
}

/// The guarantor is spoken to, or else an adult, or else the first on the list.
fn speaker_first(mut call: Call) -> Call {
    call.sort_by_key(|candidate| candidate.row.line);
    let guarantor = call.iter().position(|candidate| is_guarantor(candidate, &call));
    let adult = || call.iter().position(|candidate| !candidate.patient.is_minor);
    let speaker = guarantor.or_else(adult).unwrap_or(0);
    call[..=speaker].rotate_right(1);
    call
}

/// Somebody whose own number is the household's.
fn is_guarantor(candidate: &Candidate, call: &[Candidate]) -> bool {
    let patient = &candidate.patient;
    let names = |other: &Candidate| other.patient.household == patient.info.patient_id;
    patient.info.patient_id.is_some() && !patient.is_minor && call.iter().any(names)
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
