//! The events of a run: the progress on a terminal, and the JSON lines of `run --json`. An event is reported only once
//! its content is on stable storage. No event carries patient data: entries are named by their number in the ledger.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::outage::Outage;
use crate::entry::{Doubt, Outcome, Reason, State};
use crate::ids::{AttemptId, ConversationId, EntryId, Location, OrganisationId, RunId};

/// An event of a run. `at` is the time by the run's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The run began, or continued.
    Started {
        /// When it happened.
        at: DateTime<Utc>,
        /// The run's number.
        run: RunId,
        /// Open conversations from earlier runs.
        following: usize,
        /// Attempts from earlier runs whose answers were lost.
        unresolved: usize,
    },
    /// An attempt's intent is on stable storage, and its request is being sent.
    Dialling {
        /// When it happened.
        at: DateTime<Utc>,
        /// The entry's number.
        entry: EntryId,
        /// The attempt's number.
        attempt: AttemptId,
        /// Which call to the entry this is, from 1.
        call: u32,
    },
    /// The vendor accepted the call.
    Accepted {
        /// When it happened.
        at: DateTime<Utc>,
        /// The entry's number.
        entry: EntryId,
        /// The attempt's number.
        attempt: AttemptId,
        /// The vendor's id of the conversation.
        conversation: ConversationId,
    },
    /// Provably no call was placed; it will be tried again.
    NotPlaced {
        /// When it happened.
        at: DateTime<Utc>,
        /// The entry's number.
        entry: EntryId,
        /// The attempt's number.
        attempt: AttemptId,
        /// Why it was not placed.
        reason: Reason,
        /// When it may be tried again.
        retry_at: DateTime<Utc>,
    },
    /// The vendor refused the call for good.
    Refused {
        /// When it happened.
        at: DateTime<Utc>,
        /// The entry's number.
        entry: EntryId,
        /// The attempt's number.
        attempt: AttemptId,
        /// Why it was refused.
        reason: Reason,
    },
    /// It is unknown whether the call was placed: rule R settles it.
    AnswerLost {
        /// When it happened.
        at: DateTime<Utc>,
        /// The entry's number.
        entry: EntryId,
        /// The attempt's number.
        attempt: AttemptId,
        /// What came instead of an answer.
        because: String,
    },
    /// The conversation of a lost answer was found.
    Adopted {
        /// When it happened.
        at: DateTime<Utc>,
        /// The entry's number.
        entry: EntryId,
        /// The attempt's number.
        attempt: AttemptId,
        /// The vendor's id of the conversation.
        conversation: ConversationId,
    },
    /// A call that the ledger did not have was assigned to an entry and is now followed.
    TakenOver {
        /// When it happened.
        at: DateTime<Utc>,
        /// The entry's number.
        entry: EntryId,
        /// The attempt's number.
        attempt: AttemptId,
        /// The vendor's id of the conversation.
        conversation: ConversationId,
    },
    /// Rule R found no conversation for a lost answer.
    Absent {
        /// When it happened.
        at: DateTime<Utc>,
        /// The entry's number.
        entry: EntryId,
        /// The attempt's number.
        attempt: AttemptId,
        /// The entry's state now.
        state: State,
    },
    /// A conversation is closed.
    Ended {
        /// When it happened.
        at: DateTime<Utc>,
        /// The entry's number.
        entry: EntryId,
        /// The attempt's number.
        attempt: AttemptId,
        /// The vendor's id of the conversation.
        conversation: ConversationId,
        /// The outcome of the call.
        outcome: Outcome,
        /// What may have been said: the entry is held until a person has read it.
        #[serde(skip_serializing_if = "Option::is_none")]
        doubt: Option<Doubt>,
        /// When the entry may be called again, if at all.
        redial_at: Option<DateTime<Utc>>,
    },
    /// A conversation was not seen to end in time.
    TrackLost {
        /// When it happened.
        at: DateTime<Utc>,
        /// The entry's number.
        entry: EntryId,
        /// The attempt's number.
        attempt: AttemptId,
        /// The vendor's id of the conversation.
        conversation: ConversationId,
    },
    /// A due entry may not be called now.
    SetAside {
        /// When it happened.
        at: DateTime<Utc>,
        /// The entry's number.
        entry: EntryId,
        /// The entry's state now.
        state: State,
        /// The rule that forbids it.
        reason: Reason,
        /// When the entry is due again, if it waits.
        until: Option<DateTime<Utc>>,
    },
    /// The vendor does not let a caller id call: its locations stop, and the organisation's other caller ids continue.
    LineRefused {
        /// When it happened.
        at: DateTime<Utc>,
        /// The caller id.
        from: String,
        /// The locations whose patients are not called.
        locations: Vec<Location>,
        /// The vendor's words, if it refused every patient with the same ones.
        #[serde(skip_serializing_if = "Option::is_none")]
        says: Option<String>,
        /// The organisation, where the campaign has several.
        #[serde(skip_serializing_if = "Option::is_none")]
        organisation: Option<OrganisationId>,
    },
    /// Calls pause: credentials were rejected, or answers were lost.
    Paused {
        /// When it happened.
        at: DateTime<Utc>,
        /// When that ends.
        until: DateTime<Utc>,
        /// Why calls pause.
        reason: Reason,
        /// The organisation, where the campaign has several.
        #[serde(skip_serializing_if = "Option::is_none")]
        organisation: Option<OrganisationId>,
    },
    /// The vendor does not answer, or not usefully. Reported once per outage.
    OutageBegan {
        /// When it happened.
        at: DateTime<Utc>,
        /// What failed.
        outage: Outage,
        /// The organisation, where the campaign has several.
        #[serde(skip_serializing_if = "Option::is_none")]
        organisation: Option<OrganisationId>,
    },
    /// The vendor answers again.
    OutageEnded {
        /// When it happened.
        at: DateTime<Utc>,
        /// What had failed.
        outage: Outage,
        /// When the outage began.
        since: DateTime<Utc>,
        /// The organisation, where the campaign has several.
        #[serde(skip_serializing_if = "Option::is_none")]
        organisation: Option<OrganisationId>,
    },
    /// Nothing can be done until then.
    Resting {
        /// When it happened.
        at: DateTime<Utc>,
        /// When that ends.
        until: DateTime<Utc>,
        /// The organisation, where the campaign has several.
        #[serde(skip_serializing_if = "Option::is_none")]
        organisation: Option<OrganisationId>,
    },
    /// No new calls are placed; answers in flight are waited for.
    Stopping {
        /// When it happened.
        at: DateTime<Utc>,
        /// Why, in a sentence.
        why: String,
        /// The organisation, where the campaign has several.
        #[serde(skip_serializing_if = "Option::is_none")]
        organisation: Option<OrganisationId>,
    },
}

impl Event {
    /// When the event happened, by the run's clock.
    #[must_use]
    pub fn at(&self) -> DateTime<Utc> {
        match *self {
            Self::Started { at, .. }
            | Self::Dialling { at, .. }
            | Self::Accepted { at, .. }
            | Self::NotPlaced { at, .. }
            | Self::Refused { at, .. }
            | Self::AnswerLost { at, .. }
            | Self::Adopted { at, .. }
            | Self::TakenOver { at, .. }
            | Self::Absent { at, .. }
            | Self::Ended { at, .. }
            | Self::TrackLost { at, .. }
            | Self::SetAside { at, .. }
            | Self::LineRefused { at, .. }
            | Self::Paused { at, .. }
            | Self::OutageBegan { at, .. }
            | Self::OutageEnded { at, .. }
            | Self::Resting { at, .. }
            | Self::Stopping { at, .. } => at,
        }
    }
}

/// Receives the events of a run.
pub trait EventSink: Send {
    /// Called once per event, in the order in which the events happened.
    fn on_event(&mut self, event: &Event);
}

impl<F: FnMut(&Event) + Send> EventSink for F {
    fn on_event(&mut self, event: &Event) {
        self(event);
    }
}
