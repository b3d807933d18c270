//! The numbers of one patient: the best one to dial and the others.

use super::rejection::RejectReason;
use crate::phone::E164;
use crate::phone::cell::{CellRules, PhoneProblem, Usable, numbers_in};

/// A patient's usable numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contact {
    /// The number to dial.
    pub(super) phone: Usable,
    /// The others without extension, best first, each once.
    pub(super) alternatives: Vec<E164>,
}

impl Contact {
    /// Reads the phone cells, the best column first. A number with an extension is taken only where there is no other.
    pub(super) fn of<'r>(cells: impl Iterator<Item = &'r str>, rules: CellRules<'_>) -> Result<Self, RejectReason> {
        let mut found: Vec<Usable> = Vec::new();
        let mut problem = PhoneProblem::Missing;
        for cell in cells {
            match numbers_in(cell, rules) {
                Ok(numbers) if found.is_empty() => found = numbers,
                Ok(numbers) => found.extend(numbers),
                Err(next) if problem == PhoneProblem::Missing => problem = next,
                Err(_) => {}
            }
        }
        let plain = found.iter().find(|usable| !usable.extension);
        let phone = *plain.or(found.first()).ok_or(RejectReason::Phone(problem))?;
        let mut alternatives: Vec<E164> = Vec::new();
        for other in found.iter().filter(|other| !other.extension).map(|other| other.number) {
            if other != phone.number && !alternatives.contains(&other) {
                alternatives.push(other);
            }
        }
        Ok(Self { phone, alternatives })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cells: &[&str]) -> Result<(String, bool, Vec<String>), String> {
        let rules = CellRules { fiction_allowed: true, own: &[] };
        let contact = Contact::of(cells.iter().copied(), rules).map_err(|reason| reason.to_string())?;
        let others = contact.alternatives.into_iter().map(E164::expose).collect();
        Ok((contact.phone.number.expose(), contact.phone.extension, others))
    }

    #[test]
    fn the_best_column_is_dialled_and_the_others_are_kept() {
        let found = read(&["", "312-555-0142 / 312-555-0143", "3125550142", "773-555-0144"]);
        let others = vec!["+13125550143".to_owned(), "+17735550144".to_owned()];
        assert_eq!(found, Ok(("+13125550142".to_owned(), false, others)));
    }

    #[test]
    fn a_number_with_an_extension_is_the_last_resort() {
        let found = read(&["312-555-0142 x5", "773-555-0144"]);
        assert_eq!(found, Ok(("+17735550144".to_owned(), false, vec![])));
        let found = read(&["312-555-0142 x5", ""]);
        assert_eq!(found, Ok(("+13125550142".to_owned(), true, vec![])));
    }

    #[test]
    fn the_first_thing_wrong_is_the_reason() {
        assert_eq!(read(&["", "312-555-014", "none"]), Err("phone: too short".to_owned()));
        assert_eq!(read(&["", " "]), Err("phone: missing".to_owned()));
    }
}
