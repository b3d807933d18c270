//! The vendor as the engine sees it: the [`Vendor`] trait and the types that pass through it; [`Transcripts`] is what
//! only a person asks for.
//!
//! Tests implement the trait with the simulator's rules, without a network. [`annie`] is the only vendor in production;
//! [`http`] holds what another vendor over HTTP needs as well. [`quota`] limits how fast an organisation sends requests,
//! [`backoff`] computes how long to wait before a retry, and [`hints`] carries what webhooks report to the run. What a
//! vendor allows at most is a [`VendorLimits`](crate::campaign::VendorLimits).

pub mod annie;
mod api;
pub mod backoff;
mod call;
mod channel;
mod conversation;
pub mod hints;
pub mod http;
pub mod quota;
mod response;

pub use api::{Transcripts, Vendor};
pub use call::{CallRequest, Concern, LostAnswer, NotPlaced, Refused, Reply};
pub use channel::{Channel, Medium};
pub use conversation::{Conversation, Page, RowWithoutId, Status};
pub use response::{RateHeaders, ReadError, Response};
