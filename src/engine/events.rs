//! What happens in a run, as it is told to the outside: the progress on a terminal, the JSON lines of `run --json`.
//! An event is told only once what it says is on stable storage. None carries a patient's data: entries go by their
//! number in the ledger.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::outage::Outage;
use crate::entry::{Outcome, Reason, State};
use crate::ids::{AttemptId, ConversationId, EntryId, Location, OrganisationId, RunId};

/// Something that happened in a run. `at` is when, by the run's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The run began, or went on.
    Started {
        /// When.
        at: DateTime<Utc>,
        /// Which run.
        run: RunId,
        /// Conversations from before that are followed.
        following: usize,
        /// Attempts from before whose answers were lost.
        unresolved: usize,
    },
    /// An attempt's intent is on stable storage, and its request is being sent.
    Dialling {
        /// When.
        at: DateTime<Utc>,
        /// Which entry.
        entry: EntryId,
        /// Which attempt.
        attempt: AttemptId,
        /// Which call to the entry it is.
        call: u32,
    },
    /// The vendor accepted the call.
    Accepted {
        /// When.
        at: DateTime<Utc>,
        /// Which entry.
        entry: EntryId,
        /// Which attempt.
        attempt: AttemptId,
        /// The vendor's id.
        conversation: ConversationId,
    },
    /// Provably no call was placed; it will be tried again.
    NotPlaced {
        /// When.
        at: DateTime<Utc>,
        /// Which entry.
        entry: EntryId,
        /// Which attempt.
        attempt: AttemptId,
        /// Why.
        reason: Reason,
        /// When it may be tried again.
        retry_at: DateTime<Utc>,
    },
    /// The vendor refused the call for good.
    Refused {
        /// When.
        at: DateTime<Utc>,
        /// Which entry.
        entry: EntryId,
        /// Which attempt.
        attempt: AttemptId,
        /// Why.
        reason: Reason,
    },
    /// Nothing says whether the call was placed: rule R settles it.
    AnswerLost {
        /// When.
        at: DateTime<Utc>,
        /// Which entry.
        entry: EntryId,
        /// Which attempt.
        attempt: AttemptId,
        /// What came instead of an answer.
        because: String,
    },
    /// The conversation of a lost answer was found.
    Adopted {
        /// When.
        at: DateTime<Utc>,
        /// Which entry.
        entry: EntryId,
        /// Which attempt.
        attempt: AttemptId,
        /// The vendor's id.
        conversation: ConversationId,
    },
    /// A call that the ledger did not know was put down to an entry; it is followed now.
    TakenOver {
        /// When.
        at: DateTime<Utc>,
        /// Which entry.
        entry: EntryId,
        /// Which attempt.
        attempt: AttemptId,
        /// The vendor's id.
        conversation: ConversationId,
    },
    /// Rule R found no conversation for a lost answer.
    Absent {
        /// When.
        at: DateTime<Utc>,
        /// Which entry.
        entry: EntryId,
        /// Which attempt.
        attempt: AttemptId,
        /// Where the entry stands now.
        state: State,
    },
    /// A conversation is closed.
    Ended {
        /// When.
        at: DateTime<Utc>,
        /// Which entry.
        entry: EntryId,
        /// Which attempt.
        attempt: AttemptId,
        /// The vendor's id.
        conversation: ConversationId,
        /// What it meant.
        outcome: Outcome,
        /// When the entry may be called again, if it is to be.
        redial_at: Option<DateTime<Utc>>,
    },
    /// A conversation was not seen to end in time.
    TrackLost {
        /// When.
        at: DateTime<Utc>,
        /// Which entry.
        entry: EntryId,
        /// Which attempt.
        attempt: AttemptId,
        /// The vendor's id.
        conversation: ConversationId,
    },
    /// A due entry may not be called now.
    SetAside {
        /// When.
        at: DateTime<Utc>,
        /// Which entry.
        entry: EntryId,
        /// Where it stands now.
        state: State,
        /// The rule.
        reason: Reason,
        /// When it is due again, if it waits.
        until: Option<DateTime<Utc>>,
    },
    /// The vendor does not let a number of ours call: its lines stop, and others of the organisation go on.
    LineRefused {
        /// When.
        at: DateTime<Utc>,
        /// The number.
        from: String,
        /// For whose patients nobody calls now.
        locations: Vec<Location>,
        /// The vendor's words, if it refused everybody in the same.
        #[serde(skip_serializing_if = "Option::is_none")]
        says: Option<String>,
        /// Whose number, where the campaign has several organisations.
        #[serde(skip_serializing_if = "Option::is_none")]
        organisation: Option<OrganisationId>,
    },
    /// No calls for a while: credentials that are not accepted, answers that are lost.
    Paused {
        /// When.
        at: DateTime<Utc>,
        /// Until when.
        until: DateTime<Utc>,
        /// Why.
        reason: Reason,
        /// Whose calls, where the campaign has several organisations.
        #[serde(skip_serializing_if = "Option::is_none")]
        organisation: Option<OrganisationId>,
    },
    /// The vendor's answers stopped coming, or became useless. Told once, until it is over.
    OutageBegan {
        /// When.
        at: DateTime<Utc>,
        /// What is out.
        outage: Outage,
        /// Whose calls, where the campaign has several organisations.
        #[serde(skip_serializing_if = "Option::is_none")]
        organisation: Option<OrganisationId>,
    },
    /// The vendor answers again.
    OutageEnded {
        /// When.
        at: DateTime<Utc>,
        /// What was out.
        outage: Outage,
        /// Since when.
        since: DateTime<Utc>,
        /// Whose calls, where the campaign has several organisations.
        #[serde(skip_serializing_if = "Option::is_none")]
        organisation: Option<OrganisationId>,
    },
    /// Nothing can be done until then.
    Resting {
        /// When.
        at: DateTime<Utc>,
        /// Until when.
        until: DateTime<Utc>,
        /// Whose calls, where the campaign has several organisations.
        #[serde(skip_serializing_if = "Option::is_none")]
        organisation: Option<OrganisationId>,
    },
    /// No new calls; replies under way are waited for.
    Stopping {
        /// When.
        at: DateTime<Utc>,
        /// Why, in a sentence.
        why: String,
        /// Whose calls, where the campaign has several organisations.
        #[serde(skip_serializing_if = "Option::is_none")]
        organisation: Option<OrganisationId>,
    },
}

impl Event {
    /// When it happened, by the run's clock.
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

/// Who is told what happens.
pub trait Listener: Send {
    /// Told in the order in which things happened.
    fn hear(&mut self, event: &Event);
}

impl<F: FnMut(&Event) + Send> Listener for F {
    fn hear(&mut self, event: &Event) {
        self(event);
    }
}
