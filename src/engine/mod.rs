//! A run: claims due entries, places their calls, follows the conversations and settles each attempt.
//!
//! Each organisation of the campaign has one [`dispatcher`], which owns all of its state. Requests and commits run as
//! background tasks and come back to it as completions. The other modules serve the dispatcher:
//!
//! | module | does |
//! |---|---|
//! | [`tracker`] | decides what to read next from the vendor, and when |
//! | [`scan`], [`list_order`], [`call_media`] | read the conversation list: completeness, order, which rows are calls |
//! | [`webhook_hints`] | uses webhooks to read ended conversations sooner |
//! | [`reconciler`] | settles lost answers by rule R |
//! | [`placed_call`] | compares a conversation that an operator names with the lost call |
//! | [`staleness_check`] | checks that the ledger holds every call before the first one is placed |
//! | [`vendor_clock`] | compares our clock with the vendor's |
//! | [`stop_rules`], [`stop_reason`] | stop a run early, and say why it stopped |
//! | [`vendor_health`], [`outage`], [`refusals`], [`reply_mapping`] | interpret the vendor's answers |
//! | [`idle_barrier`] | lets a simulated clock jump ahead, or the run rest, once all organisations are idle |
//! | [`run_inputs`], [`run_result`] | what a run works with, and how it ended |
//! | [`events`], [`exclusions`] | report what happens, and take exclusions while the run is in progress |
//!
//! The vendors, the clock and the stop signal are handed in.

pub mod call_media;
mod dispatcher;
pub mod events;
pub mod exclusions;
mod idle_barrier;
pub mod list_order;
pub mod outage;
pub mod placed_call;
pub mod reconciler;
mod refusals;
mod reply_mapping;
mod run_inputs;
mod run_result;
pub mod scan;
pub mod staleness_check;
pub mod stop_reason;
pub mod stop_rules;
pub mod tracker;
pub mod vendor_clock;
mod vendor_health;
pub mod webhook_hints;

pub use events::{Event, EventSink};
pub use exclusions::ExclusionSource;
pub use outage::Outage;
pub use run_inputs::Engine;
pub use run_result::{EngineError, IdleWait, RequestCounts, RunResult, RunSegment};
pub use stop_reason::{RefusedByVendor, StopReason};
pub use vendor_clock::CLOCK_TOLERANCE;
