//! Why a run stopped.

use std::fmt;

use chrono::{DateTime, Utc};

use super::scan::ScanFlaw;
use crate::ids::Location;

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
    /// An operator paused it.
    Paused {
        /// The operator's name.
        by: String,
    },
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

/// What the vendor rejects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedByVendor {
    /// Our credentials.
    Credentials,
    /// Our caller id (`from_number`).
    CallerId,
    /// The API's address: nothing there answers like the API.
    Address,
    /// The organisation's account.
    Account,
    /// The vendor does not say.
    Unexplained,
}

impl StopReason {
    /// How severe the reason is: the most severe of the organisations' reasons is the run's.
    pub(super) fn severity(&self) -> u8 {
        match self {
            Self::Done => 0,
            Self::WindowClosed { .. } => 1,
            Self::MaxCalls { .. } => 2,
            Self::StopRule { .. } => 3,
            Self::Unreachable => 4,
            Self::Exclusions { .. } => 5,
            Self::Clock { .. } => 6,
            Self::Paused { .. } => 7,
            Self::Interrupted => 8,
            Self::CallerIdsRefused { .. } => 9,
            Self::RefusedInARow { locations, .. } => {
                if locations.is_empty() {
                    10
                } else {
                    9
                }
            }
            Self::Refused(_) => 10,
            Self::ListProvesNothing { .. } => 11,
            Self::Behind { .. } => 12,
        }
    }

    /// Its machine word in the ledger and in reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::WindowClosed { .. } => "window_closed",
            Self::MaxCalls { .. } => "max_calls",
            Self::Interrupted => "interrupted",
            Self::Paused { .. } => "paused",
            Self::StopRule { .. } => "stop_rule",
            Self::Unreachable => "unreachable",
            Self::Refused(_) | Self::CallerIdsRefused { .. } | Self::RefusedInARow { .. } => "vendor_refused",
            Self::Behind { .. } => "behind",
            Self::ListProvesNothing { .. } => "list_proves_nothing",
            Self::Clock { .. } => "clock",
            Self::Exclusions { .. } => "exclusions",
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("nothing more is due"),
            Self::WindowClosed { .. } => f.write_str("the calling window is closed"),
            Self::MaxCalls { limit } => write!(f, "max_calls = {limit} calls were placed"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Paused { by } => write!(f, "paused by {by}; `callrounds resume` continues it"),
            Self::StopRule { rule, hits, of } => write!(
                f,
                "stop_on.{rule}: {hits} of {of} finished calls; check them in `callrounds report`, fix the cause, and \
                 run again: the run continues and counts from zero"
            ),
            Self::Unreachable => f.write_str("the vendor cannot be reached"),
            Self::Behind { calls, since } => {
                let calls = if *calls == 1 { "a call".into() } else { format!("{calls} calls") };
                let since = since.format("%Y-%m-%dT%H:%M:%SZ");
                write!(
                    f,
                    "this ledger is behind: the vendor's list shows {calls} of ours since {since} that the ledger lacks"
                )
            }
            Self::ListProvesNothing { flaw } => write!(
                f,
                "the vendor's list proves nothing; nobody was called: {flaw}, so it cannot show whether this ledger \
                 holds every call; ask the vendor to fix its list of conversations, then run again"
            ),
            Self::Exclusions { why } => write!(f, "{why}; no further call is placed: fix it and run again"),
            Self::Clock { seconds } => {
                write!(
                    f,
                    "this machine's clock is wrong by about {seconds} s, so dialing hours cannot be trusted: set the \
                     clock"
                )
            }
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

impl RefusedByVendor {
    fn description(self) -> &'static str {
        match self {
            Self::Credentials => "the vendor does not accept our credentials",
            Self::CallerId => "the vendor does not let our caller id (from_number) call",
            Self::Address => "nothing at the API's address answers like Annie",
            Self::Account => "the vendor refuses calls of this account",
            Self::Unexplained => "the vendor refuses every call",
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
