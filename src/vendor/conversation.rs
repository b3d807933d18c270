//! A conversation and a page of the conversation list, as the vendor shows them.

use chrono::{DateTime, TimeDelta, Utc};

use crate::entry::OutcomeSignals;
use crate::ids::ConversationId;
use crate::phone::E164;

use super::channel::Medium;

/// A page of the conversation list, in the vendor's order, which is not documented.
///
/// Proofs rest on these rows alone. The vendor may be wrong about where the page starts and how long the list is,
/// so the offset is not kept, and the total is at most a hint.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The rows that have an id.
    pub conversations: Vec<Conversation>,
    /// The rows whose id could not be read, with those of their other fields that could.
    pub rows_without_id: Vec<RowWithoutId>,
    /// The vendor's count of all conversations: a hint for where the list may end, never a proof of it.
    pub total: Option<u64>,
}

impl Page {
    /// The number of rows, with and without an id.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.conversations.len() + self.rows_without_id.len()
    }
}

/// A row of the list without an id. It cannot be read by id, and may be any conversation that its other fields match.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RowWithoutId {
    /// The vendor's word for its channel.
    pub medium: Medium,
    /// The calling number; `None` if missing or not a phone number.
    pub from: Option<E164>,
    /// The called number; `None` if missing or not a phone number.
    pub to: Option<E164>,
    /// Its start; `None` if missing or not an instant.
    pub started: Option<DateTime<Utc>>,
}

/// A conversation, with the fields that a run uses. Any field but the id may be missing while the call is in progress.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// The vendor's id.
    pub id: ConversationId,
    /// The vendor's word for its channel: texts and chats are on the same list as calls.
    pub medium: Medium,
    /// The calling number; `None` if missing or not a phone number.
    pub from: Option<E164>,
    /// The called number; `None` if missing or not a phone number.
    pub to: Option<E164>,
    /// Its start; `None` if missing or not an instant.
    pub started: Option<DateTime<Utc>>,
    /// Its end; `None` if missing or not an instant.
    pub ended: Option<DateTime<Utc>>,
    /// Its status word.
    pub status: Status,
    /// The fields that may tell its outcome.
    pub signals: OutcomeSignals,
}

/// A conversation with an undocumented status is over this long after its end: the vendor adds nothing more.
const OVER_AFTER_END: TimeDelta = TimeDelta::minutes(10);

/// The same for a conversation that already has a tag, a topic or a summary.
const OVER_AFTER_END_WITH_RESULT: TimeDelta = TimeDelta::minutes(2);

impl Conversation {
    /// Whether nothing more will change: the status is [`Status::Closed`], or it is one that the contract does not have
    /// (`COMPLETED`, `ENDED`, none at all) and the conversation's end is long enough ago.
    #[must_use]
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        let OutcomeSignals { tags, topic, summary, .. } = &self.signals;
        let has_result = !tags.is_empty() || topic.is_some() || summary.is_some();
        let grace = if has_result { OVER_AFTER_END_WITH_RESULT } else { OVER_AFTER_END };
        match self.status {
            Status::Closed => true,
            Status::Open | Status::Closing => false,
            Status::Other => self.ended.is_some_and(|ended| ended + grace <= now),
        }
    }

    /// Whether its call has ended; its tags, topic and summary may still be missing.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended.is_some() || matches!(self.status, Status::Closing | Status::Closed)
    }

    /// When its call had ended, by what the vendor shows at `now` (the vendor's clock): an end that lies in the future is
    /// announced and has not happened, and one that is not after the start is none. Without an end, the status tells it,
    /// and the instant is `now`.
    #[must_use]
    pub fn call_ended_by(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let by_status = matches!(self.status, Status::Closing | Status::Closed).then_some(now);
        let is_after_start = |ended: &DateTime<Utc>| self.started.is_none_or(|started| started < *ended);
        self.ended.filter(|ended| *ended <= now && is_after_start(ended)).or(by_status)
    }
}

/// The status of a conversation; each vendor's client reads it from the vendor's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The call is in progress.
    Open,
    /// The call has ended; its result may still change.
    Closing,
    /// Nothing more will change.
    Closed,
    /// Missing, or a word that the contract does not have.
    Other,
}
