//! Phone numbers: E.164 and what can be read off a North American one.

pub mod area_codes;
pub mod cell;

use std::fmt;

/// A phone number in E.164: a country code and a national number, 8 to 15 digits in all.
///
/// Only [`E164::parse`] and [`cell`] make one. `Debug` masks it; a patient's digits leave through [`E164::expose`] alone: to
/// the vendor, to the ledger, and to the plans, lists and reports that an operator asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct E164(u64);

/// Why a text is not an E.164 number. It never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a number in the form +13125550142")]
pub struct NotE164;

impl E164 {
    /// Reads `+` and 8 to 15 digits, the first not 0.
    pub fn parse(text: &str) -> Result<Self, NotE164> {
        let digits = text.strip_prefix('+').ok_or(NotE164)?;
        let plausible =
            (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        if !plausible {
            return Err(NotE164);
        }
        digits.parse().map(Self).map_err(|_| NotE164)
    }

    /// The number in full, as the vendor takes it: `+13125550142`.
    #[must_use]
    pub fn expose(self) -> String {
        format!("+{}", self.0)
    }

    /// The number's parts, if it is a North American one (country code 1 and ten digits).
    #[must_use]
    pub fn north_american(self) -> Option<NorthAmerican> {
        let national = self.0.checked_sub(10_000_000_000)?;
        if national >= 10_000_000_000 {
            return None;
        }
        Some(NorthAmerican {
            area: (national / 10_000_000) as u16,
            exchange: (national / 10_000 % 1_000) as u16,
            line: (national % 10_000) as u16,
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
    /// The three digits after it.
    pub exchange: u16,
    /// The last four digits.
    pub line: u16,
}

impl NorthAmerican {
    /// Reserved for fiction (555-0100 to 555-0199): rings nobody, so it may be dialled against a simulator only.
    #[must_use]
    pub fn is_fictitious(self) -> bool {
        self.exchange == 555 && (100..200).contains(&self.line)
    }

    /// 800 and its overlays.
    #[must_use]
    pub fn is_toll_free(self) -> bool {
        matches!(self.area, 800 | 822 | 833 | 844 | 855 | 866 | 877 | 888)
    }

    /// 900: the caller pays extra.
    #[must_use]
    pub fn is_premium(self) -> bool {
        self.area == 900
    }

    /// 211 to 911 as an area code or exchange: a service, not a subscriber.
    #[must_use]
    pub fn is_service(self) -> bool {
        self.area % 100 == 11 || self.exchange % 100 == 11
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_e164_number_survives_the_round_trip_and_is_masked() {
        let number = E164::parse("+13125550142").expect("a good number");
        assert_eq!(number.expose(), "+13125550142");
        assert_eq!(format!("{number:?}"), "E164(masked)");
    }

    #[test]
    fn anything_else_is_refused_without_repeating_it() {
        for text in ["", "+", "13125550142", "+0312555014", "+1312555014x", "+1234567", "+1234567890123456"] {
            let error = E164::parse(text).expect_err(text);
            assert_eq!(error.to_string(), "not a number in the form +13125550142");
        }
    }

    #[test]
    fn fiction_is_told_from_life() {
        let parts = |text| E164::parse(text).expect("a good number").north_american();
        assert!(parts("+13125550142").expect("ten digits").is_fictitious());
        assert!(!parts("+13125550242").expect("ten digits").is_fictitious());
        assert!(parts("+18005550142").expect("ten digits").is_toll_free());
        assert!(parts("+442079460000").is_none());
    }
}
