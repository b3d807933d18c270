//! What a run would do: who would be called, the earliest and the expected instant of each call, who would not be called,
//! and by which rule. Planning writes nothing and calls nobody.
//!
//! A [`Planner`] takes the entries of a list one by one. At the end it decides about each in the order of the claims, from
//! the facts that a claim would gather and by the same rules ([`crate::policy`]). [`schedule_simulation`] then plays the calls through the organisation's request
//! budget to find each call's slot. [`mod@file`] is the plan file that is approved and dialled, and [`diff`] what has
//! changed since it was written. [`next_call`] finds the instant of a campaign's next call in the ledger alone.

pub mod diff;
mod due_calls;
pub mod file;
mod next_call;
mod planned;
mod planned_calls;
mod planner;
mod repeated_numbers;
pub mod schedule_simulation;

pub use next_call::next_call;
pub use planned::{CallScript, ExpectedSlot, GoneEntry, NotCalled, Plan, PlannedCall, SlotReason};
pub use planner::{LedgerSnapshot, Planner};
pub use schedule_simulation::{CallDurations, Forecast, MorePlaces};

#[cfg(test)]
mod tests;
