//! An entry is one unit to be called: what is to be said to whom, where it stands, and how it may move on.
//!
//! [`state`] holds the states and the one function that decides every transition; [`outcome`] what a finished
//! conversation meant; [`reason`] why an entry is not being called; [`content`] what its call says.

pub mod content;
pub mod outcome;
pub mod reason;
pub mod state;

pub use content::{Appointment, CalledPartyZones, Content, Draft, Member, PatientInfo, Standing, ZoneSource};
pub use outcome::{Outcome, OutcomeRule, OutcomeRules, Testimony};
pub use reason::Reason;
pub use state::{Fact, Illegal, State};
