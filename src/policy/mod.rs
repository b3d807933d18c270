//! Whether an entry may be called now, later or never, and by which rule. The rules are pure functions that `check`, `run`
//! and `explain` share.
//!
//! The ledger gathers an entry's [`CallFacts`], and [`decide`] judges them: in the transaction that claims the entry, and for
//! `check`. [`dialing_hours`] has the hours, [`caps`] the limits on calls to one number, [`state_rules`] the rules of single
//! states, [`redial`] the rules for further calls, [`call_facts`] the facts, [`decision`] the decision, [`evidence`] what is
//! kept of the facts. Sources: `annie-api.md` and `calling-rules.md`.

pub mod call_facts;
pub mod caps;
pub mod decision;
pub mod dialing_hours;
pub mod evidence;
pub mod redial;
pub mod state_rules;

pub use call_facts::{CallFacts, CallRules, HouseholdCall};
pub use caps::{ContactResult, NumberHistory, PastCall};
pub use decision::{Decision, decide};
pub use dialing_hours::{Hours, HoursUnion};
pub use evidence::DecisionEvidence;
