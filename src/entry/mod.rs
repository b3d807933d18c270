//! An entry is one unit to be called: what is to be said to whom, where it stands, and how it may move on.
//!
//! [`state`] holds the states and the one function that decides every transition, [`attempt`] where a single `POST` stands; [`outcome`] what a finished
//! conversation meant; [`reason`] why an entry is not being called; [`content`] what its call says; [`tally`] where a list's rows went.

pub mod attempt;
pub mod content;
pub mod outcome;
pub mod reason;
pub mod state;
pub mod tally;

pub use attempt::AttemptState;
pub use content::{Appointment, CalledPartyZones, Content, Draft, Member, PatientInfo, Standing, ZoneSource};
pub use outcome::{Outcome, OutcomeRule, OutcomeRules, Testimony};
pub use reason::Reason;
pub use state::{Fact, Illegal, State};
pub use tally::ListTally;
