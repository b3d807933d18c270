//! The [`Vendor`] trait: the requests that the engine sends.

use std::future::Future;

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
