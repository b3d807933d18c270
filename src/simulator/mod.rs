//! A faithful Annie over real HTTP on loopback, with invented people.
//!
//! It is written from the vendor's contract (`annie-api.md`), never from our client: an error that both made in the
//! same way would stay unseen. What the contract leaves open is a setting here, so that the client can be tested both
//! ways.
//!
//! * [`World`] is the vendor without a network: its rules, its conversations, its list. It does no I/O and reads no
//!   clock, so everything in it follows from the seed, the calls and the instants that it is given. The deterministic
//!   simulation in `tests/` uses it in process.
//! * [`Simulator`] puts a world behind HTTP/1.1: credentials, the request budget, latency, and [`Fault`]s down to the
//!   TCP reset. Its [`call_log`] gets each placed call before the response leaves, and is the oracle of the tests.
//!
//! | file | holds |
//! |---|---|
//! | [`settings`], [`habits`] | how this vendor behaves, and the words for it; the default follows the contract |
//! | [`call`] | the body of a `POST /calls` or `POST /sms`, and its validation |
//! | [`rules`] | how often and when a number may be called, and every refusal |
//! | [`people`], [`call_transcript`] | how people take a call, and what a closed conversation shows of it |
//! | [`bot_style`], [`sayings`] | how bots tag and sum up calls, in many styles and phrasings |
//! | [`medium`], [`conversation`], [`world`] | a conversation through time, and all of them |
//! | [`budget`], [`access`] | requests per minute, and who may send them |
//! | [`fault`], `corrupt_response` | what goes wrong, and the corrupted responses |
//! | [`server`], `listener`, `server_state` | the HTTP server, its socket, and the state that its requests share |
//! | `request_context`, `routes`, `envelope` | a request, the endpoints, and the JSON envelope of a response |
//! | [`webhook`] | the deliveries that it sends |
//! | [`call_log`] | the log of placed calls |
//! | `seeded_rng` | random numbers that follow from a seed |

pub mod access;
pub mod bot_style;
pub mod budget;
pub mod call;
pub mod call_log;
pub mod call_transcript;
pub mod conversation;
mod corrupt_response;
mod envelope;
pub mod fault;
pub mod habits;
mod listener;
pub mod medium;
pub mod people;
mod request_context;
mod routes;
pub mod rules;
pub mod sayings;
mod seeded_rng;
pub mod server;
mod server_state;
pub mod settings;
pub mod webhook;
pub mod world;

pub use bot_style::BotStyle;
pub use call::{PlaceCall, PlaceSms};
pub use fault::Fault;
pub use people::{Behaviour, People};
pub use rules::CallRefusal;
pub use server::{Running, Simulator};
pub use settings::Settings;
pub use world::{ListPage, ListQuery, World};
