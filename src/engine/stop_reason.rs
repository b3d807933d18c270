//! Why a run stopped.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};

pub use crate::ending::RefusedByVendor;

use super::scan::ScanFlaw;
use crate::ending::Ending;
use crate::ids::Location;
use crate::wording::counted;

/// Why a run placed no further calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// Nothing more was due.
    Done,
    /// The dialing hours are over.
    WindowClosed {
        /// When they open next, if they do.
        opens: Option<DateTime<Utc>>,
    },
    /// The run placed as many calls as `max_calls` allows.
    MaxCalls {
        /// The value of `max_calls`.
        limit: u32,
    },
    /// A signal stopped it.
    Interrupted,
    /// An operator paused the campaign.
    Paused {
        /// The operator's name.
        by: String,
        /// When, in the practice's time zone.
        since: NaiveDateTime,
        /// When the pause ends by itself, if it does.
        until: Option<NaiveDateTime>,
    },
    /// A later run of the campaign has begun while this one rested.
    Superseded,
    /// A stop rule of the campaign was broken.
    StopRule {
        /// Its name in the campaign file.
        rule: &'static str,
        /// Finished calls that the rule counts.
        hits: u32,
        /// Finished calls that it was judged on.
        of: u32,
    },
    /// The vendor could not be reached for too long.
    Unreachable,
    /// The vendor refuses us as a whole; the field says what it refuses.
    Refused(RefusedByVendor),
    /// The vendor does not let some of the organisation's caller ids call.
    CallerIdsRefused {
        /// The locations whose patients were not called.
        locations: Vec<Location>,
    },
    /// The vendor refused different patients in a row, for reasons that name none of them.
    RefusedInARow {
        /// What the vendor refuses.
        refusal: RefusedByVendor,
        /// The vendor's words, if they were the same for every patient.
        vendor_text: Option<String>,
        /// The locations whose patients were not called; empty: all of the organisation's.
        locations: Vec<Location>,
    },
    /// The vendor's list shows calls of ours that the ledger does not have: it is an older copy.
    Behind {
        /// How many calls it lacks.
        calls: usize,
        /// When the first of them began, by our clock.
        since: DateTime<Utc>,
    },
    /// The vendor's list proves nothing, so the ledger cannot be checked for missing calls.
    ListProvesNothing {
        /// What is wrong with the list.
        flaw: ScanFlaw,
    },
    /// The exclusions cannot be read.
    Exclusions {
        /// The error, in words.
        why: String,
    },
    /// Our clock cannot be trusted: it differs from the vendor's, or went back.
    Clock {
        /// By how many seconds it is off.
        seconds: i64,
    },
}

impl StopReason {
    /// Its kind, without its data: what it means for reports, the exit code and polling.
    #[must_use]
    pub fn ending(&self) -> Ending {
        match self {
            Self::Done => Ending::Done,
            Self::WindowClosed { .. } => Ending::WindowClosed,
            Self::MaxCalls { .. } => Ending::MaxCalls,
            Self::Interrupted => Ending::Interrupted,
            Self::Paused { .. } => Ending::Paused,
            Self::Superseded => Ending::Superseded,
            Self::StopRule { .. } => Ending::StopRule,
            Self::Unreachable => Ending::Unreachable,
            Self::Refused(_) | Self::CallerIdsRefused { .. } | Self::RefusedInARow { .. } => Ending::VendorRefused,
            Self::Behind { .. } => Ending::Behind,
            Self::ListProvesNothing { .. } => Ending::ListProvesNothing,
            Self::Exclusions { .. } => Ending::Exclusions,
            Self::Clock { .. } => Ending::Clock,
        }
    }

    /// What the vendor refuses, and the locations that it concerns; none: all of the organisation's.
    #[must_use]
    pub fn refusal(&self) -> Option<(RefusedByVendor, &[Location])> {
        match self {
            Self::Refused(refusal) => Some((*refusal, &[])),
            Self::CallerIdsRefused { locations } => Some((RefusedByVendor::CallerId, locations)),
            Self::RefusedInARow { refusal, locations, .. } => Some((*refusal, locations)),
            Self::Done
            | Self::WindowClosed { .. }
            | Self::MaxCalls { .. }
            | Self::Interrupted
            | Self::Paused { .. }
            | Self::Superseded
            | Self::StopRule { .. }
            | Self::Unreachable
            | Self::Behind { .. }
            | Self::ListProvesNothing { .. }
            | Self::Exclusions { .. }
            | Self::Clock { .. } => None,
        }
    }

    /// How severe the reason is: the most severe of the organisations' reasons is the run's. A refusal of some
    /// locations is less severe than one of a whole organisation.
    pub(super) fn severity(&self) -> (Ending, bool) {
        (self.ending(), self.refusal().is_some_and(|(_, locations)| locations.is_empty()))
    }

    /// Whether polling stops as well.
    pub(super) fn stops_polling(&self) -> bool {
        self.ending().stops_polling(self.refusal().map(|(refusal, _)| refusal))
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let remedy = self.ending().remedy();
        match self {
            Self::Done => f.write_str("nothing more is due"),
            Self::WindowClosed { .. } => f.write_str("the calling window is closed"),
            Self::MaxCalls { limit } => write!(f, "as many calls were placed as max_calls allows ({limit})"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Paused { by, since, until } => {
                let local = |at: &NaiveDateTime| at.format("%a %Y-%m-%d %H:%M").to_string();
                let until = until.as_ref().map_or_else(String::new, |until| format!(", until {}", local(until)));
                write!(f, "paused by {by} since {}{until}; {remedy}", local(since))
            }
            Self::Superseded => f.write_str("a later run of the campaign continues it"),
            Self::StopRule { rule, hits, of } => write!(f, "stop_on.{rule}: {hits} of {of} finished calls; {remedy}"),
            Self::Unreachable => f.write_str("the vendor cannot be reached"),
            Self::Behind { calls, since } => {
                let calls = counted(*calls as u64, "call", "calls");
                let since = since.format("%Y-%m-%dT%H:%M:%SZ");
                write!(
                    f,
                    "this ledger is behind: the vendor's list shows {calls} of ours since {since} that the ledger lacks"
                )
            }
            Self::ListProvesNothing { flaw } => write!(
                f,
                "the vendor's list proves nothing; nobody was called: {flaw}, so it cannot show whether this ledger \
                 holds every call; {remedy}"
            ),
            Self::Exclusions { why } => write!(f, "{why}; no further call is placed: {remedy}"),
            Self::Clock { seconds } => write!(
                f,
                "this machine's clock is wrong by about {seconds} s, so dialing hours cannot be trusted: {remedy}"
            ),
            Self::Refused(refusal) => f.write_str(refusal.description()),
            Self::CallerIdsRefused { locations } => {
                write!(f, "the vendor does not let the from_number of {} call", locations_text(locations))
            }
            Self::RefusedInARow { refusal, vendor_text, locations } => {
                match (refusal, &**locations) {
                    (_, []) => f.write_str(refusal.description())?,
                    (RefusedByVendor::CallerId, some) => {
                        write!(f, "the vendor does not let the from_number of {} call", locations_text(some))?;
                    }
                    (
                        RefusedByVendor::Credentials
                        | RefusedByVendor::Address
                        | RefusedByVendor::Account
                        | RefusedByVendor::Unexplained,
                        some,
                    ) => {
                        write!(f, "the vendor refuses every call of {}", locations_text(some))?;
                    }
                }
                vendor_text.as_ref().map_or(Ok(()), |vendor_text| write!(f, " ({vendor_text})"))
            }
        }
    }
}

/// Locations for a sentence: names the first few and counts the others.
pub(crate) fn locations_text(locations: &[Location]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<_> = locations.iter().take(SHOWN).map(Location::to_string).collect();
    match locations.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused_in_a_row(locations: &[&str]) -> StopReason {
        let locations = locations.iter().map(|name| Location::new(*name)).collect();
        StopReason::RefusedInARow { refusal: RefusedByVendor::Account, vendor_text: None, locations }
    }

    #[test]
    fn a_refusal_of_some_locations_is_less_severe_than_one_of_a_whole_organisation() {
        let in_order = [
            StopReason::Done,
            StopReason::Interrupted,
            refused_in_a_row(&["north"]),
            refused_in_a_row(&[]),
            StopReason::ListProvesNothing { flaw: ScanFlaw::TooLong },
        ];
        assert!(in_order.is_sorted_by(|less, more| less.severity() < more.severity()));
        assert_eq!(refused_in_a_row(&[]).severity(), StopReason::Refused(RefusedByVendor::Credentials).severity());
    }

    #[test]
    fn a_refusal_stops_polling_only_if_nothing_can_be_read() {
        let stopping = RefusedByVendor::ALL.iter().filter(|refusal| StopReason::Refused(**refusal).stops_polling());
        assert!(stopping.eq(&[RefusedByVendor::Credentials, RefusedByVendor::Address]));
        assert!(!refused_in_a_row(&[]).stops_polling());
    }
}
