//! The vendor's webhooks (`annie-api.md`, Webhooks): deliveries that arrive during a run become hints.
//!
//! A delivery's bearer token shows only that its sender knows our webhook's token; its body is not documented. So every
//! text in the body that could be a conversation id ([`body`]) becomes a hint to read that conversation, and nothing else in it is
//! used. [Hints](crate::vendor::hints) reach the run through a bounded channel; a full channel drops them, since the
//! conversation list shows everything that they could. [`WebhookListener`] is the socket.

pub mod body;
mod listener;
mod token;

pub use listener::{RunningListener, WebhookListener};
pub use token::{WebhookToken, WebhookTokenError};
