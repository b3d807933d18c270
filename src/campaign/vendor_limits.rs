//! The figures of a vendor's contract by which other parts of the program size what they send.

use super::sections::VendorKind;

/// What a vendor allows at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VendorLimits {
    /// An organisation's requests in a minute, reads included.
    pub requests_per_minute: u32,
    /// The rows of one page of the conversation list.
    pub page_rows: u32,
    /// The characters of a message.
    pub message_chars: usize,
    /// The characters of a first name, and of a last name.
    pub name_chars: usize,
}

/// The Annie API's (`annie-api.md`).
const ANNIE: VendorLimits =
    VendorLimits { requests_per_minute: 60, page_rows: 100, message_chars: 500, name_chars: 100 };

impl VendorKind {
    /// What this vendor allows at most.
    #[must_use]
    pub const fn limits(self) -> VendorLimits {
        match self {
            // With another API, `begin` in `src/ledger/runs.rs` must refuse to change a campaign's vendor while one of its
            // calls is in flight: the other list does not show that call, so rule R would find it absent, and
            // `on_lost_answer = "retry"` would dial again.
            // The simulator keeps the rules of the API that it simulates.
            Self::Annie | Self::Simulator => ANNIE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::DEFAULTS;

    #[test]
    fn the_default_budget_is_the_vendors() {
        let default = format!("\nrequests_per_minute = {} ", VendorKind::Annie.limits().requests_per_minute);
        assert!(DEFAULTS.contains(&default), "{default}");
    }
}
