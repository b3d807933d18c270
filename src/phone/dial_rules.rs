//! The rules by which a number may be dialled, however it was read, and why one may not.

use super::{E164, NorthAmerican};

/// The rules by which a number may be dialled.
#[derive(Debug, Clone, Copy)]
pub struct DialRules<'a> {
    /// Whether numbers reserved for fiction may be dialled; in a rehearsal only.
    pub fiction_allowed: bool,
    /// The practice's own numbers, never dialled.
    pub own: &'a [E164],
}

/// A number that can be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DialableNumber {
    /// The number, without its extension.
    pub number: E164,
    /// Whether the cell has an extension, which cannot be dialled.
    pub extension: bool,
}

/// Why a cell has no number that can be dialled. The message never repeats the cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum PhoneError {
    /// The cell is empty or has no digit.
    #[error("missing")]
    Missing,
    /// Seven digits.
    #[error("no area code")]
    NoAreaCode,
    /// Fewer digits than a number has.
    #[error("too short")]
    TooShort,
    /// More digits than a number has.
    #[error("too long")]
    TooLong,
    /// A placeholder typed into a required field.
    #[error("a filler, not a number")]
    Filler,
    /// Ten digits that are not an assigned number.
    #[error("no such number")]
    NoSuchNumber,
    /// 800 and its overlays.
    #[error("a toll-free number")]
    TollFree,
    /// 900.
    #[error("a premium-rate number")]
    Premium,
    /// 211 to 911.
    #[error("a service number")]
    Service,
    /// 555-0100 to 555-0199.
    #[error("reserved for fiction; such numbers are dialled against the simulator only")]
    Fictitious,
    /// The practice's own.
    #[error("the practice's own number")]
    Own,
    /// Not in the North American numbering plan.
    #[error("not a number of the United States or Canada")]
    Foreign,
    /// Scientific notation with fewer digits than the number has.
    #[error("digits are lost: a spreadsheet wrote it as 3.12555E+09; format the column as text and export again")]
    DigitsLost,
    /// The cell says that the number is wrong, dead or a fax.
    #[error("the cell says that the number is not to be used")]
    MarkedUnusable,
    /// Anything else.
    #[error("not a number")]
    NotANumber,
}

impl PhoneError {
    /// Whether a number was parsed and refused. Then searching the cell again could only find a part of that number.
    pub(super) fn is_final(self) -> bool {
        match self {
            Self::Missing
            | Self::Filler
            | Self::TollFree
            | Self::Premium
            | Self::Service
            | Self::Fictitious
            | Self::Own
            | Self::DigitsLost
            | Self::MarkedUnusable
            | Self::Foreign => true,
            Self::NoAreaCode | Self::TooShort | Self::TooLong | Self::NoSuchNumber | Self::NotANumber => false,
        }
    }
}

/// The rules for every number, however it was parsed (`calling-rules.md`, Suppression, consent, eligibility).
pub(super) fn apply_rules(number: E164, extension: bool, rules: DialRules<'_>) -> Result<DialableNumber, PhoneError> {
    let parts = number.north_american().ok_or(PhoneError::Foreign)?;
    let problem = match parts {
        _ if is_filler(parts) => PhoneError::Filler,
        _ if parts.is_toll_free() => PhoneError::TollFree,
        _ if parts.is_premium() => PhoneError::Premium,
        _ if parts.is_service() => PhoneError::Service,
        _ if !could_be_assigned(parts) => PhoneError::NoSuchNumber,
        _ if parts.is_fictitious() && !rules.fiction_allowed => PhoneError::Fictitious,
        _ if rules.own.contains(&number) => PhoneError::Own,
        _ => return Ok(DialableNumber { number, extension }),
    };
    Err(problem)
}

/// One digit ten times, digits in order, `000`, `555-5555`, and directory assistance.
fn is_filler(parts: NorthAmerican) -> bool {
    let national =
        u64::from(parts.area) * 10_000_000 + u64::from(parts.exchange) * 10_000 + u64::from(parts.subscriber);
    let same = national.is_multiple_of(1_111_111_111);
    let in_order = matches!(national, 123_456_789 | 1_234_567_890 | 2_345_678_901 | 9_876_543_210);
    let placeholder = parts.exchange == 555 && matches!(parts.subscriber, 0 | 1212 | 5555);
    same || in_order || placeholder || parts.area == 0 || (parts.exchange == 0 && parts.subscriber == 0)
}

/// Area codes and exchanges start with 2 to 9, and no area code has a 9 in its middle.
fn could_be_assigned(parts: NorthAmerican) -> bool {
    parts.area >= 200 && parts.exchange >= 200 && parts.area / 10 % 10 != 9
}
