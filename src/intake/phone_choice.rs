//! The choice among a patient's phone numbers.

use super::rejection::RejectReason;
use crate::phone::E164;
use crate::phone::parse_cell::{DialRules, DialableNumber, PhoneError, numbers_in};

/// A patient's numbers that can be dialled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PhoneChoice {
    /// The number to dial first.
    pub(super) best: DialableNumber,
    /// The other numbers without an extension, best first, without duplicates.
    pub(super) alternatives: Vec<E164>,
    /// The first number before any was taken out: by it the rows that share a number are counted.
    pub(super) counted: E164,
}

impl PhoneChoice {
    /// Reads the phone cells, given best column first. Chooses a number with an extension only if there is no other.
    pub(super) fn choose<'r>(cells: impl Iterator<Item = &'r str>, rules: DialRules<'_>) -> Result<Self, RejectReason> {
        let mut found: Vec<DialableNumber> = Vec::new();
        let mut problem = PhoneError::Missing;
        for cell in cells {
            match numbers_in(cell, rules) {
                Ok(numbers) if found.is_empty() => found = numbers,
                Ok(numbers) => found.extend(numbers),
                Err(next) if problem == PhoneError::Missing => problem = next,
                Err(_) => {}
            }
        }
        let without_extension = found.iter().find(|number| !number.extension);
        let best = *without_extension.or(found.first()).ok_or(RejectReason::Phone(problem))?;
        let mut alternatives: Vec<E164> = Vec::new();
        for other in found.iter().filter(|other| !other.extension).map(|other| other.number) {
            if other != best.number && !alternatives.contains(&other) {
                alternatives.push(other);
            }
        }
        Ok(Self { best, alternatives, counted: best.number })
    }

    /// The choice without some of the numbers; `None` if none is left.
    pub(super) fn without(&self, is_barred: impl Fn(&E164) -> bool) -> Option<Self> {
        let mut alternatives: Vec<E164> = self.alternatives.iter().copied().filter(|it| !is_barred(it)).collect();
        if !is_barred(&self.best.number) {
            return Some(Self { alternatives, ..self.clone() });
        }
        let number = (!alternatives.is_empty()).then(|| alternatives.remove(0))?;
        Some(Self { best: DialableNumber { number, extension: false }, alternatives, counted: self.counted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cells: &[&str]) -> Result<(String, bool, Vec<String>), String> {
        let rules = DialRules { fiction_allowed: true, own: &[] };
        let phones = PhoneChoice::choose(cells.iter().copied(), rules).map_err(|reason| reason.to_string())?;
        let others = phones.alternatives.into_iter().map(E164::expose).collect();
        Ok((phones.best.number.expose(), phones.best.extension, others))
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
    fn the_first_error_is_the_reason() {
        assert_eq!(read(&["", "312-555-014", "none"]), Err("phone: too short".to_owned()));
        assert_eq!(read(&["", " "]), Err("phone: missing".to_owned()));
    }
}
