//! How a run ends.

use std::fmt;

use chrono::{DateTime, Utc};

use super::scan::Flaw;
use crate::ids::Location;

/// Why a run placed no further calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Nothing more was due.
    Done,
    /// The calling window is closed.
    WindowClosed {
        /// When it opens next.
        opens: Option<DateTime<Utc>>,
    },
    /// The run placed as many calls as it may.
    MaxCalls {
        /// How many.
        limit: u32,
    },
    /// Somebody stopped it.
    Interrupted,
    /// An operator paused it.
    Paused {
        /// Who.
        by: String,
    },
    /// A stop rule of the campaign.
    StopRule {
        /// Its name in the campaign file.
        rule: &'static str,
        /// Finished calls that it counts.
        hits: u32,
        /// Finished calls that it was judged on.
        of: u32,
    },
    /// The vendor could not be reached, again and again.
    Unreachable,
    /// The vendor does not accept our credentials, or our number.
    Refused(Refusal),
    /// The vendor does not let some of an organisation's numbers call.
    LinesRefused {
        /// For whose patients nobody calls.
        locations: Vec<Location>,
    },
    /// The vendor refused different patients in a row, for reasons that name none of them.
    RefusedInARow {
        /// What it refuses.
        refusal: Refusal,
        /// Its words, if they were the same for everybody.
        says: Option<String>,
        /// For whose patients nobody calls; empty: for none of the organisation's.
        locations: Vec<Location>,
    },
    /// The vendor's list shows calls of ours that the ledger does not know: it is an older copy.
    Behind {
        /// How many.
        calls: usize,
        /// When the first of them began.
        since: DateTime<Utc>,
    },
    /// The vendor's list proves nothing, so nobody can say whether the ledger holds every call.
    ListProvesNothing {
        /// What is wrong with it.
        flaw: Flaw,
    },
    /// Nobody can tell any more whom to leave out.
    Exclusions {
        /// What is wrong.
        why: String,
    },
    /// Our clock cannot be trusted: it differs from the vendor's, or went back.
    Clock {
        /// By so many seconds.
        seconds: i64,
    },
}

/// What the vendor does not accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The credentials.
    Credentials,
    /// The from-number.
    FromNumber,
    /// The API's address: nothing there answers like the API.
    Address,
    /// The organisation's account.
    Account,
    /// It does not say.
    Unexplained,
}

impl Ending {
    /// How grave it is, beside other organisations' endings: the gravest is the run's.
    pub(super) fn gravity(&self) -> u8 {
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
            Self::LinesRefused { .. } => 9,
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

    /// Its word in the ledger and in reports.
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
            Self::Refused(_) | Self::LinesRefused { .. } | Self::RefusedInARow { .. } => "vendor_refused",
            Self::Behind { .. } => "behind",
            Self::ListProvesNothing { .. } => "list_proves_nothing",
            Self::Clock { .. } => "clock",
            Self::Exclusions { .. } => "exclusions",
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("nothing more is due"),
            Self::WindowClosed { .. } => f.write_str("the calling window is closed"),
            Self::MaxCalls { limit } => write!(f, "max_calls = {limit} calls were placed"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::Paused { by } => write!(f, "paused by {by}; `callrounds resume` goes on"),
            Self::StopRule { rule, hits, of } => write!(
                f,
                "stop_on.{rule}: {hits} of {of} finished calls; look at them in `callrounds report`, mend what is wrong, and run \
                 again: it goes on, and counts anew"
            ),
            Self::Unreachable => f.write_str("the vendor cannot be reached"),
            Self::Behind { calls, since } => {
                let calls = if *calls == 1 { "a call".into() } else { format!("{calls} calls") };
                let since = since.format("%Y-%m-%dT%H:%M:%SZ");
                write!(f, "this ledger is behind: the vendor's list shows {calls} of ours since {since} that it lacks")
            }
            Self::ListProvesNothing { flaw } => write!(
                f,
                "the vendor's list proves nothing; nobody was called: {flaw}, so nobody can tell whether this ledger knows \
                 every call; ask the vendor to mend its list of conversations, then run again"
            ),
            Self::Exclusions { why } => write!(f, "{why}; no further call is placed: mend it and run again"),
            Self::Clock { seconds } => {
                write!(f, "this machine's clock is wrong by about {seconds} s, so no hour can be trusted: set it")
            }
            Self::Refused(refusal) => f.write_str(refusal.says()),
            Self::LinesRefused { locations } => {
                write!(f, "the vendor does not let the from_number of {} call", named(locations))
            }
            Self::RefusedInARow { refusal, says, locations } => {
                match (refusal, &**locations) {
                    (_, []) => f.write_str(refusal.says())?,
                    (Refusal::FromNumber, some) => {
                        write!(f, "the vendor does not let the from_number of {} call", named(some))?;
                    }
                    (Refusal::Credentials | Refusal::Address | Refusal::Account | Refusal::Unexplained, some) => {
                        write!(f, "the vendor refuses every call of {}", named(some))?;
                    }
                }
                says.as_ref().map_or(Ok(()), |says| write!(f, " ({says})"))
            }
        }
    }
}

impl Refusal {
    fn says(self) -> &'static str {
        match self {
            Self::Credentials => "the vendor does not accept our credentials",
            Self::FromNumber => "the vendor does not let our from_number call",
            Self::Address => "nothing at the API's address answers like Annie",
            Self::Account => "the vendor refuses calls of this account",
            Self::Unexplained => "the vendor refuses every call",
        }
    }
}

/// Locations for a sentence: the first few by name.
pub(crate) fn named(locations: &[Location]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<_> = locations.iter().take(SHOWN).map(Location::to_string).collect();
    match locations.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
