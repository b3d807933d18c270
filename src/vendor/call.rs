//! One call request: the call that it asks for, and what the response means for the attempt.

use serde::Deserialize;

use crate::entry::CallContent;
use crate::ids::ConversationId;
use crate::phone::E164;

/// One call to place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRequest {
    /// The caller id: the organisation's number that calls.
    pub from: E164,
    /// The number to dial.
    pub to: E164,
    /// What the bot is given for this call.
    pub content: CallContent,
}

/// What a response to a call request means for the attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The call was accepted.
    Accepted(ConversationId),
    /// Provably no call was placed.
    NotPlaced(NotPlaced),
    /// The answer is lost: the call may have been placed or not.
    Lost(LostAnswer),
}

/// Why no call was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotPlaced {
    /// No connection was established, either for the call or for the token that it needed.
    NeverConnected,
    /// The request budget was used up (429).
    RateLimited,
    /// The vendor rejected a token that was replaced while the request was in flight. The next request carries the new
    /// one.
    StaleToken,
    /// The vendor refused the call.
    Refused(Refused),
}

/// A refusal: any 4xx that means that no call was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// What the refusal is about, as far as its text and its status tell.
    pub concern: Concern,
    /// The vendor's message, made safe to keep and to show by the vendor's client: without patient data, phone numbers
    /// and control characters, and short; empty if it sent none.
    pub message: String,
}

/// What a refusal is about, and so how many calls it stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concern {
    /// The number to dial: this patient only, permanently.
    Destination,
    /// The content of this call: this patient only, permanently.
    Content,
    /// A cap on calls to one number: this patient only, for a while.
    Cap,
    /// The caller id.
    CallerId,
    /// The organisation's account.
    Account,
    /// The credentials.
    Credentials,
    /// The time of day.
    Hours,
    /// The request rate.
    RateLimit,
    /// The number of calls in progress at once.
    ConcurrentCalls,
    /// Nothing that is recognised.
    Unknown,
}

impl NotPlaced {
    /// A refusal without a message.
    #[must_use]
    pub fn refused(status: u16, concern: Concern) -> Self {
        Self::Refused(Refused::bare(status, concern))
    }
}

impl Refused {
    /// A refusal without a message.
    #[must_use]
    pub fn bare(status: u16, concern: Concern) -> Self {
        Self { status, concern, message: String::new() }
    }
}

/// Why a response does not tell whether the call was placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostAnswer {
    /// No response within the request's timeout.
    Timeout,
    /// The connection broke after the request may have been sent.
    Broken,
    /// A status that decides nothing (3xx, 408, 409, 425, 5xx).
    Status(u16),
    /// 2xx, but no conversation id could be read.
    Unreadable,
    /// 2xx, but the conversation belongs to another attempt.
    WrongConversation,
}
