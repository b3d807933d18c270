//! Whether an entry may be called now, later or never, and by which rule. The rules are pure functions that `check`, `run`
//! and `explain` share.
//!
//! The ledger calls [`decide`] in the transaction that claims an entry. [`dialing_hours`] has the hours, [`caps`] the limits
//! on calls to one number, [`state_rules`] the rules of single states, [`redial`] the rules for further calls, [`decision`]
//! the decision itself, [`evidence`] the facts that it was made from. Sources: `annie-api.md` and `calling-rules.md`.

pub mod caps;
pub mod decision;
pub mod dialing_hours;
pub mod evidence;
pub mod redial;
pub mod state_rules;

pub use caps::{ContactResult, NumberHistory, PastCall};
pub use decision::{CallFacts, Decision, RedialFacts, decide};
pub use dialing_hours::{Hours, HoursUnion};
pub use evidence::DecisionEvidence;
