//! The JSON of the Annie API: request and response bodies, exactly as in the contract (`annie-api.md`).
//!
//! Writing is strict: absent values are omitted, and only fields of the contract are sent. Reading is tolerant: an
//! unknown field, an unknown word, a `null`, a missing field or a number given as a string never breaks a read. Only
//! what gives a response its meaning (the envelope, a conversation's id) is required.

mod request;
mod responses;

pub use request::{call_body, token_body};
pub use responses::{
    ErrorBody, MalformedBody, TokenGrant, conversation, is_web_page, may_call_from, messages, page, parse_error_body,
    placed_conversation, token,
};
