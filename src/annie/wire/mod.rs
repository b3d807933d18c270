//! The JSON of the Annie API: what is sent and what comes back, exactly as the contract has it (`annie-api.md`).
//!
//! Writing is strict: what is absent is omitted, and nothing goes out that the contract does not list. Reading is
//! tolerant: an unknown field, an unknown word, a `null`, a missing field or a number given as a string never breaks a
//! read. What must be there for an answer to mean anything (the envelope, a conversation's id) is insisted on.

mod answers;
mod lenient;
mod mend;
mod request;

pub use answers::{Malformed, Said, Token, conversation, is_web_page, may_call_from, page, placed, said, token};
pub use request::{call_body, token_body};
