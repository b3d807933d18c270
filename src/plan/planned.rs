//! A plan: the calls that a run would make, each with its expected slot, and the entries that it would not call.

use std::rc::Rc;

use chrono::{DateTime, Utc};

use crate::entry::reason::without_capital;
use crate::entry::{AbsenceEffect, CallContent, CalledPartyZones, HouseholdMember, Outcome, Reason, State};
use crate::ids::{EntryId, EntryKey, OrganisationId};
use crate::ledger::EnrolmentCounts;
use crate::phone::E164;
use crate::policy::Hours;

/// What a run would do.
#[derive(Default)]
pub struct Plan {
    /// The calls, in the order in which they would be claimed.
    pub calls: Vec<PlannedCall>,
    /// Entries that would not be called, in the list's order.
    pub left_out: Vec<NotCalled>,
    /// Entries of earlier lists that this one does not have.
    pub gone: Vec<GoneEntry>,
    /// What the list changes about the campaign's entries.
    pub changes: EnrolmentCounts,
}

/// A call that would be made.
pub struct PlannedCall {
    /// The entry's key.
    pub key: EntryKey,
    /// The row of the list.
    pub line: u64,
    /// The entry's id in the ledger, if it has one.
    pub entry: Option<EntryId>,
    /// The number to dial.
    pub phone: E164,
    /// The earliest instant that every rule allows.
    pub earliest: DateTime<Utc>,
    /// The expected instant of the call.
    pub slot: ExpectedSlot,
    /// Calls to the entry so far.
    pub calls: u32,
    /// Calls to the number so far, from every campaign.
    pub calls_to_number: u32,
    /// The texts of the call, if they were requested.
    pub script: Option<Box<CallScript>>,
    pub(super) hours: Rc<Hours>,
    /// The organisation whose request budget the call uses.
    pub(super) organisation: Rc<OrganisationId>,
}

/// The instant at which a call is expected to be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectedSlot {
    /// The expected instant; `None` if not in this run.
    pub at: Option<DateTime<Utc>>,
    /// Why it is not earlier.
    pub why: SlotReason,
}

/// The content of a call, its other numbers and the zones in which it may ring.
pub struct CallScript {
    /// The patient's other numbers.
    pub other_numbers: Vec<E164>,
    /// The zones in which the called party may be.
    pub zones: CalledPartyZones,
    /// The call makes no sense after this instant.
    pub not_after: Option<DateTime<Utc>>,
    /// The patient and the texts.
    pub content: CallContent,
    /// The other patients of the household covered by the call.
    pub covers: Vec<HouseholdMember>,
}

/// An entry that would not be called.
pub struct NotCalled {
    /// The entry's key.
    pub key: EntryKey,
    /// The row of the list.
    pub line: u64,
    /// The entry's id in the ledger, if it has one.
    pub entry: Option<EntryId>,
    /// The state that the entry would have.
    pub state: State,
    /// The rule that prevents the call.
    pub reason: Option<Reason>,
    /// The outcome of its last conversation.
    pub outcome: Option<Outcome>,
    /// The row whose call uses its number, if that prevents the call.
    pub used_by: Option<u64>,
}

/// An entry of an earlier list that is not on this list.
pub struct GoneEntry {
    /// The entry's key.
    pub key: EntryKey,
    /// The row of the earlier list.
    pub line: u64,
    /// The entry's id in the ledger.
    pub entry: EntryId,
    /// What its absence from the list does to it.
    pub absence: AbsenceEffect,
    /// Whether it was still to be called.
    pub is_to_call: bool,
}

/// Why a call is not expected earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotReason {
    /// Nothing defers it.
    Now,
    /// A rule defers it.
    Rule(Reason),
    /// The hours close first: too many calls precede it.
    WindowCloses,
    /// The run reaches `[safety] max_calls` first.
    MaxCalls,
}

impl SlotReason {
    /// The machine word in plans.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Rule(reason) => reason.name(),
            Self::WindowCloses => "no_turn",
            Self::MaxCalls => "max_calls",
        }
    }

    /// The reason in a sentence with a capital, as `check --json` has it.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Now => "Nothing stands in the way",
            Self::Rule(reason) => reason.description(),
            Self::WindowCloses => "The window closes before their turn comes",
            Self::MaxCalls => "Beyond max_calls: left for another run",
        }
    }

    /// The words for people, for the middle of a line.
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Self::Rule(reason) => reason.label(),
            Self::Now | Self::WindowCloses | Self::MaxCalls => without_capital(self.description()),
        }
    }
}
