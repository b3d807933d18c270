//! The Annie voice API (`annie-api.md`), with what [`http`](crate::vendor::http) offers.
//!
//! | module | holds |
//! |---|---|
//! | [`client`] | [`client::AnnieClient`]: the [`Vendor`](crate::vendor::Vendor) trait over HTTP |
//! | [`auth`] | API keys, OAuth clients, tokens |
//! | [`wire`], [`rate_headers`] | JSON bodies, and the headers of a response |
//! | [`reply`], [`refusal`] | what a response means for the attempt, and what a refusal is about |
//! | [`webhook`] | the listener for the vendor's deliveries |

pub mod auth;
pub mod client;
pub mod rate_headers;
pub mod refusal;
pub mod reply;
pub mod webhook;
pub mod wire;
