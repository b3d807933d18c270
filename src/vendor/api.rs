//! The [`Vendor`] trait: the requests that the engine sends; and [`Transcripts`], which a person asks for.

use std::future::Future;

use crate::entry::TranscriptMessage;
use crate::ids::ConversationId;
use crate::phone::E164;

use super::call::{CallRequest, Reply};
use super::conversation::{Conversation, Page};
use super::response::{ReadError, Response};

/// The vendor's API with one organisation's credentials. Every method is one request.
pub trait Vendor: Send + Sync + 'static {
    /// Requests a call. Sends the request at most once and never repeats it, whatever happens.
    fn place(&self, call: CallRequest) -> impl Future<Output = Response<Reply>> + Send;

    /// One page of the conversation list: at most `limit` rows, and at most as many as the vendor allows.
    fn page(&self, offset: u64, limit: u32) -> impl Future<Output = Response<Result<Page, ReadError>>> + Send;

    /// Reads one conversation.
    fn conversation(
        &self,
        id: &ConversationId,
    ) -> impl Future<Output = Response<Result<Conversation, ReadError>>> + Send;

    /// Whether the caller id `from` exists and is enabled for outbound calls. `None`: the response does not say.
    fn may_call_from(&self, from: E164) -> impl Future<Output = Response<Result<Option<bool>, ReadError>>> + Send;
}

/// What was said in the vendor's conversations, word by word. A run never asks for it.
pub trait Transcripts: Send + Sync + 'static {
    /// Reads the messages of one conversation, in the order in which they were said as far as their times show it. One
    /// request.
    fn messages(
        &self,
        id: &ConversationId,
    ) -> impl Future<Output = Response<Result<Vec<TranscriptMessage>, ReadError>>> + Send;
}
