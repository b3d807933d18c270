//! What a dispatcher starts and what comes back: the work that its handlers return, and the completions of that work.

use chrono::{DateTime, Utc};

use crate::engine::events::Event;
use crate::engine::exclusions::ExclusionCheck;
use crate::engine::reconciler::{LostAttempt, MatchQuality};
use crate::entry::{Reason, State};
use crate::ids::{ConversationId, EntryId, OrganisationId};
use crate::ledger::{
    AttemptUpdate, AuditNote, CallerId, ClaimResult, ClaimScope, ClaimedAttempt, InFlightAttempt, ObservedCall,
    ObservedWithoutId,
};
use crate::phone::E164;
use crate::vendor::{Conversation, Page, ReadError, Reply, Response};

/// A request or a commit, to be made in the background. Each comes back as one [`Completion`].
pub(super) enum Work {
    /// Check the rules of due entries and write the intents of those that may be called.
    Claim {
        now: DateTime<Utc>,
        scope: ClaimScope,
        limit: u32,
        /// How many of our caller ids are blocked.
        blocked: usize,
    },
    /// Remove the entries that the run's exclusions name.
    Exclude {
        now: DateTime<Utc>,
        is_excluded: ExclusionCheck,
    },
    AskNextDue {
        scope: ClaimScope,
        /// How many of our caller ids are blocked.
        blocked: usize,
    },
    /// Send the one request of an attempt, if the last check before it still allows the call.
    Place(ClaimedAttempt),
    /// The event is reported once the update is on stable storage.
    Record {
        update: AttemptUpdate,
        event: Event,
    },
    Note(AuditNote),
    LearnMedium {
        organisation: OrganisationId,
        word: Option<String>,
        ended: bool,
    },
    ReadPage {
        offset: u64,
        limit: u32,
    },
    ReadConversation(ConversationId),
    CheckCallerId(E164),
    /// Read something other than the list.
    Probe(E164),
    /// Ask the ledger whether another attempt has the conversation.
    CheckCandidate {
        lost: LostAttempt,
        quality: MatchQuality,
        conversation: Conversation,
    },
    /// Ask the ledger which of these it has recorded.
    FindRecorded(Vec<ConversationId>),
    /// Ask the ledger which of these rows no recorded call explains.
    FindUnexplained(Vec<ObservedWithoutId>),
    /// Ask the ledger which of these calls it lacks.
    FindUnrecorded(Vec<ObservedCall>),
    /// Move the call watermark of a caller id forward, and take over these calls.
    TakeOver {
        now: DateTime<Utc>,
        caller_id: CallerId,
        calls: Vec<ObservedCall>,
    },
}

/// What a background task sends back to the dispatcher.
pub(super) enum Completion {
    Claimed {
        asked: u32,
        /// How many of our caller ids were blocked when the claim was made.
        blocked: usize,
        claims: ClaimResult,
    },
    /// The entries that the run's exclusions removed.
    Excluded(Vec<EntryId>),
    NextDue {
        /// How many of our caller ids were blocked when the ledger was asked.
        blocked: usize,
        next_due: Option<DateTime<Utc>>,
    },
    Replied(ClaimedAttempt, Response<Reply>),
    /// The last check before the request found that this rule forbids it now. Nothing was sent.
    Forbidden(ClaimedAttempt, Reason),
    Recorded {
        event: Event,
        /// The entry's new state.
        state: Option<State>,
    },
    /// A note, or a medium that was learnt, is on stable storage.
    Noted,
    Page(Response<Result<Page, ReadError>>),
    Conversation(ConversationId, Response<Result<Conversation, ReadError>>),
    /// Whether a caller id exists and may call out.
    CallerIdChecked(Response<Result<Option<bool>, ReadError>>),
    /// Whether anything but the list can be read.
    Probed(Response<Result<Option<bool>, ReadError>>),
    /// A conversation that may settle a lost answer.
    Candidate {
        lost: LostAttempt,
        quality: MatchQuality,
        conversation: Conversation,
        /// Whether no other attempt has this conversation.
        unclaimed: bool,
    },
    /// The rows of a page that the ledger has recorded, and whether by the answer to a request.
    RecordedCalls(Vec<(ConversationId, bool)>),
    /// The rows without an id that no recorded call explains.
    UnexplainedRows(Vec<ObservedWithoutId>),
    /// The calls seen by the staleness check that the ledger lacks.
    UnrecordedCalls(Vec<ObservedCall>),
    /// The call watermark of a caller id was moved forward, and these calls of our entries were taken over.
    TakenOver(Vec<InFlightAttempt>),
}

/// What follows from one thing that came to a dispatcher: the events are emitted first, then the work is started, each
/// in this order.
pub(super) struct Effects {
    /// When it came, by our clock.
    pub(super) now: DateTime<Utc>,
    pub(super) events: Vec<Event>,
    pub(super) work: Vec<Work>,
}

impl Effects {
    pub(super) fn at(now: DateTime<Utc>) -> Self {
        Self { now, events: Vec::new(), work: Vec::new() }
    }

    pub(super) fn emit(&mut self, event: Event) {
        self.events.push(event);
    }
}
