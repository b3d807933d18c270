//! Phone numbers in E.164, and the parts of North American ones.

pub mod area_codes;
mod dial_rules;
pub mod number_notes;
pub mod parse_cell;
mod parse_number;

use std::fmt;

/// A phone number in E.164: a country code and a national number, 8 to 15 digits in all.
///
/// Only [`E164::parse`] and the reading of cells ([`parse_cell`]) create one. `Debug` masks it. [`E164::expose`] is the only way to the
/// digits: for the vendor, the ledger, and the plans, lists and reports that an operator asks for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct E164(u64);

/// The text is not an E.164 number. The message never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a number in the form +13125550142")]
pub struct E164Error;

impl E164 {
    /// Parses `+` and 8 to 15 digits, of which the first is not 0.
    pub fn parse(text: &str) -> Result<Self, E164Error> {
        let digits = text.strip_prefix('+').ok_or(E164Error)?;
        let plausible =
            (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        if !plausible {
            return Err(E164Error);
        }
        digits.parse().map(Self).map_err(|_| E164Error)
    }

    /// The full number, as the vendor expects it: `+13125550142`.
    #[must_use]
    pub fn expose(self) -> String {
        format!("+{}", self.0)
    }

    /// The parts of a North American number (country code 1 and ten digits); `None` for others.
    #[must_use]
    pub fn north_american(self) -> Option<NorthAmerican> {
        let national = self.0.checked_sub(10_000_000_000)?;
        if national >= 10_000_000_000 {
            return None;
        }
        Some(NorthAmerican {
            area: (national / 10_000_000) as u16,
            exchange: (national / 10_000 % 1_000) as u16,
            subscriber: (national % 10_000) as u16,
        })
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("E164(masked)")
    }
}

/// A ten-digit North American number: `312 555 0142`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NorthAmerican {
    /// The area code, 200 to 999.
    pub area: u16,
    /// The exchange: the three digits after the area code.
    pub exchange: u16,
    /// The subscriber number: the last four digits.
    pub subscriber: u16,
}

impl NorthAmerican {
    /// Whether it is reserved for fiction (555-0100 to 555-0199). Such a number reaches nobody and may be dialled
    /// against a simulator only.
    #[must_use]
    pub fn is_fictitious(self) -> bool {
        self.exchange == 555 && (100..200).contains(&self.subscriber)
    }

    /// Whether the area code is 800 or one of its overlays.
    #[must_use]
    pub fn is_toll_free(self) -> bool {
        matches!(self.area, 800 | 822 | 833 | 844 | 855 | 866 | 877 | 888)
    }

    /// Whether the area code is 900: the caller pays extra.
    #[must_use]
    pub fn is_premium(self) -> bool {
        self.area == 900
    }

    /// Whether the area code or exchange is 211 to 911: a service, not a subscriber.
    #[must_use]
    pub fn is_service(self) -> bool {
        self.area % 100 == 11 || self.exchange % 100 == 11
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_e164_number_round_trips_and_is_masked() {
        let number = E164::parse("+13125550142").expect("a good number");
        assert_eq!(number.expose(), "+13125550142");
        assert_eq!(format!("{number:?}"), "E164(masked)");
    }

    #[test]
    fn another_text_is_refused_without_repeating_it() {
        for text in ["", "+", "13125550142", "+0312555014", "+1312555014x", "+1234567", "+1234567890123456"] {
            let error = E164::parse(text).expect_err(text);
            assert_eq!(error.to_string(), "not a number in the form +13125550142");
        }
    }

    #[test]
    fn fictitious_numbers_are_recognised() {
        let parts = |text| E164::parse(text).expect("a good number").north_american();
        assert!(parts("+13125550142").expect("ten digits").is_fictitious());
        assert!(!parts("+13125550242").expect("ten digits").is_fictitious());
        assert!(parts("+18005550142").expect("ten digits").is_toll_free());
        assert!(parts("+442079460000").is_none());
    }
}
