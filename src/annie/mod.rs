//! The Annie voice API, as this program speaks it (`annie-api.md`).
//!
//! [`Vendor`] is the seam: the engine knows the vendor by these methods only, and tests put a simulator's rules behind
//! them without a network. [`client`] speaks HTTP, [`auth`] has the credentials, [`wire`] the JSON, [`reply`] tells what
//! an answer means for the attempt ([`refusal`]: whom a refusal concerns, [`mod@quote`]: what of its words is kept), [`budget`] how fast an organisation may ask, and [`backoff`] how long to wait before
//! asking again. [`transport`] sends one request at most once, [`address`] says where to, and [`meter`] reads the headers.
//! [`webhook`] takes what the vendor delivers by itself.

pub mod address;
pub mod auth;
pub mod backoff;
pub mod budget;
pub mod client;
pub mod meter;
pub mod quote;
pub mod refusal;
pub mod reply;
pub mod transport;
pub mod webhook;
pub mod wire;

pub use quote::quote;
pub use refusal::Concern;

use std::future::Future;

use chrono::{DateTime, TimeDelta, Utc};

use crate::entry::{Content, Testimony};
use crate::ids::ConversationId;
use crate::phone::E164;

/// What the engine asks of the vendor. One organisation's line; every method is one request.
pub trait Vendor: Send + Sync + 'static {
    /// `POST /calls`. Sends once and never again, whatever happens.
    fn place(&self, call: CallRequest) -> impl Future<Output = Answer<Reply>> + Send;

    /// `GET /conversations`: one page, `limit` 1 to 100.
    fn page(&self, offset: u64, limit: u32) -> impl Future<Output = Answer<Result<Page, Unread>>> + Send;

    /// `GET /conversations/{id}`.
    fn conversation(&self, id: &ConversationId) -> impl Future<Output = Answer<Result<Conversation, Unread>>> + Send;

    /// `GET /phone-numbers`: whether `from` exists and may call out. `None`: the answer does not say.
    fn may_call_from(&self, from: E164) -> impl Future<Output = Answer<Result<Option<bool>, Unread>>> + Send;
}

/// One call to be placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRequest {
    /// The Annie number that calls.
    pub from: E164,
    /// The number to dial.
    pub to: E164,
    /// What the call says.
    pub content: Content,
}

/// What came back of a request, and what its headers said.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    /// What came back.
    pub value: T,
    /// The request budget, as the vendor sees it.
    pub meter: Meter,
    /// The vendor's clock when it answered, from `Date`.
    pub date: Option<DateTime<Utc>>,
}

impl<T> Answer<T> {
    /// An answer that brought no headers, or none at all.
    #[must_use]
    pub fn bare(value: T) -> Self {
        Self { value, meter: Meter::default(), date: None }
    }
}

/// The request budget, as an answer's headers tell it. Any part may be missing. Instants are on our clock: where the
/// answer's `Date` shows that the vendor's differs, they have been moved by the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meter {
    /// `X-RateLimit-Limit`: requests a minute.
    pub limit: Option<u32>,
    /// `X-RateLimit-Remaining`: requests left in this window.
    pub remaining: Option<u32>,
    /// `X-RateLimit-Reset`: when the window ends.
    pub reset: Option<DateTime<Utc>>,
    /// `Retry-After`, whether given in seconds or as a date.
    pub retry_at: Option<DateTime<Utc>>,
    /// The answer was 429.
    pub exhausted: bool,
}

/// What an answer to `POST /calls` means for the attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The call was accepted.
    Accepted(ConversationId),
    /// Provably no call was placed.
    NotPlaced(NotPlaced),
    /// Nothing says whether the call was placed.
    Lost(LostAnswer),
}

/// Why no call was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotPlaced {
    /// The connection was never established, or no token could be fetched for want of one.
    NeverConnected,
    /// 429.
    RateLimited,
    /// The vendor did not accept a token that had been replaced by then: the next request bears another one.
    StaleToken,
    /// The vendor refused the call.
    Refused(Refused),
}

/// A refusal of the vendor's: any 4xx that means that no call was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The status.
    pub status: u16,
    /// Whom it concerns, as far as its words and its status tell.
    pub concern: Concern,
    /// The vendor's own words, made safe ([`quote()`]); empty if there are none.
    pub words: String,
}

impl NotPlaced {
    /// A refusal without words.
    #[must_use]
    pub fn refused(status: u16, concern: Concern) -> Self {
        Self::Refused(Refused::bare(status, concern))
    }
}

impl Refused {
    /// A refusal without words.
    #[must_use]
    pub fn bare(status: u16, concern: Concern) -> Self {
        Self { status, concern, words: String::new() }
    }
}

/// Why an answer says nothing about the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostAnswer {
    /// No answer within the request's time.
    Timeout,
    /// The connection broke after the request may have been sent.
    Broken,
    /// An answer with a status that does not say (3xx, 408, 409, 425, 5xx).
    Status(u16),
    /// 2xx, but no conversation id could be read.
    Unreadable,
    /// 2xx, but the conversation is another attempt's.
    OfAnother,
}

/// Why a read brought nothing. Reads may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// No connection.
    #[error("no connection to the vendor")]
    Unreachable,
    /// A connection, but a broken one, or no answer in time.
    #[error("the vendor did not answer")]
    NoAnswer,
    /// A page for people instead of JSON, with this status.
    #[error("a web page answered in the vendor's place (status {0})")]
    WebPage(u16),
    /// 429.
    #[error("the vendor asked for a slower pace")]
    RateLimited,
    /// 401, with renewed credentials too, or 403.
    #[error("the vendor did not accept our credentials (status {0})")]
    Unauthorised(u16),
    /// 404.
    #[error("the vendor knows no such conversation")]
    NotFound,
    /// Any other status.
    #[error("the vendor answered with status {0}")]
    Status(u16),
    /// 2xx with a body that is longer than what is read: a shorter page may not be.
    #[error("the vendor's answer is too long")]
    TooLong,
    /// 2xx with a body that is not what the contract says.
    #[error("the vendor's answer could not be read")]
    Unreadable,
}

/// A page of the conversation list, in the vendor's order, which is not documented.
///
/// What the list proves is read off these rows alone. Where the page starts and how long the list is, the vendor may say
/// wrongly (`annie-api.md`, GET /conversations), so the first is not kept, and the second is a hint at most.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The rows that have an id.
    pub conversations: Vec<Conversation>,
    /// The rows whose id could not be read, as far as the rest of them could.
    pub nameless: Vec<Nameless>,
    /// How many conversations the vendor says there are. Where to look for the end of the list, never a proof of it.
    pub total: Option<u64>,
}

impl Page {
    /// How many rows the page has.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.conversations.len() + self.nameless.len()
    }
}

/// A row of the list without an id: it cannot be asked for, and may be any conversation that its other fields fit.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Nameless {
    /// What the vendor says it is made of.
    pub medium: Medium,
    /// Who called; `None` where it is missing or not a number.
    pub from: Option<E164>,
    /// Who was called; `None` where it is missing or not a number.
    pub to: Option<E164>,
    /// When it started.
    pub started: Option<DateTime<Utc>>,
}

/// The `medium` of a conversation: the vendor's word for what it is made of, in capitals. Which word a phone call has is
/// not documented.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Medium(Option<String>);

impl Medium {
    /// The longest word that is kept, in characters.
    const AT_MOST: usize = 40;

    /// From what a row says; nothing, or blanks, is no word.
    #[must_use]
    pub fn read(word: Option<&str>) -> Self {
        let word = word.map(|word| word.trim().chars().take(Self::AT_MOST).collect::<String>().to_uppercase());
        Self(word.filter(|word| !word.is_empty()))
    }

    /// The word, if the vendor says one.
    #[must_use]
    pub fn word(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Whether it is one that the contract names and that is no phone call.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self.word(), Some("SMS" | "CHAT"))
    }

    /// Whether the word itself says that it is a phone call.
    #[must_use]
    pub fn sounds_like_a_call(&self) -> bool {
        const SOUNDS: [&str; 5] = ["VOICE", "CALL", "PHONE", "TELEPHON", "PSTN"];
        self.word().is_some_and(|word| SOUNDS.iter().any(|sound| word.contains(sound)))
    }
}

/// A conversation, as far as it matters here. Any field but the id may be missing while the call is under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// The vendor's id.
    pub id: ConversationId,
    /// What the vendor says it is made of: texts and chats are on the same list.
    pub medium: Medium,
    /// Who called; `None` where it is missing or not a number.
    pub from: Option<E164>,
    /// Who was called; `None` where it is missing or not a number.
    pub to: Option<E164>,
    /// When it started.
    pub started: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended: Option<DateTime<Utc>>,
    /// Where it stands.
    pub status: Status,
    /// What may tell its outcome.
    pub testimony: Testimony,
}

/// So long after its end, a conversation whose status is a word that the contract does not have is over: nothing more is
/// written about it.
const OVER_AFTER_ITS_END: TimeDelta = TimeDelta::minutes(10);

/// The same, once something is written about it.
const OVER_ONCE_TOLD: TimeDelta = TimeDelta::minutes(2);

impl Conversation {
    /// Whether nothing more will change. `CLOSED` says so; a status that the contract does not have (`COMPLETED`, `ENDED`,
    /// none at all) does once the conversation's end lies long enough back.
    #[must_use]
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        let Testimony { tags, topic, summary, .. } = &self.testimony;
        let is_told = !tags.is_empty() || topic.is_some() || summary.is_some();
        let grace = if is_told { OVER_ONCE_TOLD } else { OVER_AFTER_ITS_END };
        match self.status {
            Status::Closed => true,
            Status::Open | Status::Closing => false,
            Status::Other => self.ended.is_some_and(|ended| ended + grace <= now),
        }
    }

    /// Whether its call is over, though its story may still be written.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended.is_some() || matches!(self.status, Status::Closing | Status::Closed)
    }
}

/// Where a conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// `OPEN`.
    Open,
    /// `CLOSING`.
    Closing,
    /// `CLOSED`: nothing more will change.
    Closed,
    /// Missing, or a word that the contract does not have.
    Other,
}
