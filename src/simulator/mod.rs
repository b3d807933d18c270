//! A faithful Annie over real HTTP on loopback, with nobody behind it but invented people.
//!
//! Written from the vendor's contract (`annie-api.md`), never from our client: what both got wrong in the same way would
//! go unseen. What the contract leaves open is a setting here, so that the client can be shown either way.
//!
//! * [`World`] is the vendor without a network: its rules, its conversations, its list. It does no I/O and reads no
//!   clock, so everything in it follows from the seed, the calls and the instants it is handed. A deterministic
//!   simulation uses it in process.
//! * [`Simulator`] puts a world behind HTTP/1.1: credentials, the request budget, latency, and [`Fault`]s down to the
//!   TCP reset. Its [`log`] of placed calls is written before an answer leaves, and tests hold everybody else's
//!   story against it.
//!
//! | file | holds |
//! |---|---|
//! | [`settings`], [`habits`] | how this vendor behaves, and the words for it; the default is polite and friendly |
//! | [`call`] | what a `POST /calls` or `POST /sms` asks for, and whether it is well-formed |
//! | [`rules`] | how often and when a number may be called, and every refusal |
//! | [`people`], [`story`] | how people take a call, and what a conversation tells of it |
//! | [`conversation`], [`world`] | a conversation through time, and all of them |
//! | [`budget`], [`access`] | requests a minute, and who may ask |
//! | [`fault`], [`server`] | what goes wrong, and the network: the listening socket, the endpoints, spoilt answers |
//! | [`webhook`] | what it delivers by itself |
//! | [`log`] | the oracle |

pub mod access;
pub mod budget;
pub mod call;
pub mod conversation;
mod dice;
mod door;
pub mod fault;
pub mod habits;
pub mod log;
pub mod people;
mod routes;
pub mod rules;
pub mod server;
pub mod settings;
mod spoil;
pub mod story;
mod vendor;
pub mod webhook;
pub mod world;

pub use call::{PlaceCall, PlaceSms};
pub use fault::Fault;
pub use people::{Behaviour, People};
pub use rules::Refusal;
pub use server::{Running, Simulator};
pub use settings::Settings;
pub use world::{ListPage, ListQuery, World};
