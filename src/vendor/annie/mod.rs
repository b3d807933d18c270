//! The Annie voice API over HTTP (`annie-api.md`).
//!
//! | module | holds |
//! |---|---|
//! | [`client`] | [`client::AnnieClient`]: the [`Vendor`](crate::vendor::Vendor) trait over HTTP |
//! | [`address`], [`transport`] | addresses that are safe to send to; one request, sent at most once |
//! | [`auth`] | API keys, OAuth clients, tokens |
//! | [`wire`], [`rate_headers`] | JSON bodies, and the headers of a response |
//! | [`reply`], [`refusal`] | what a response means for the attempt, and what a refusal is about |
//! | [`quote`] | the vendor's message, made safe to show |
//! | [`webhook`] | the listener for the vendor's deliveries |

pub mod address;
pub mod auth;
pub mod client;
pub mod quote;
pub mod rate_headers;
pub mod refusal;
pub mod reply;
pub mod transport;
pub mod webhook;
pub mod wire;
