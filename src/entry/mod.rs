//! An entry is one unit to call: its content, its state and the transitions between states.
//!
//! [`state`] has the states and the one function that decides every transition, [`attempt`] the states of a single
//! `POST`, [`effect`] what a fact sets besides the states, [`list_effect`] what a newer list says of a known entry,
//! [`outcome`] the meaning of a finished conversation, [`classification`] what one was taken for and how sure that is,
//! [`conversation_words`] what was said in it and is kept,
//! [`reason`] why an entry is not being called, [`remedy`] what a person can do about it, [`content`] the patient and
//! the texts of the call, [`list_counts`] a list's rows by result, [`transcript_message`] a message of a transcript,
//! [`work_group`] what the front desk has to do about an entry; `labelled_enum` defines enums with their words.

pub mod attempt;
pub mod classification;
pub mod content;
pub mod conversation_words;
pub mod effect;
mod labelled_enum;
pub mod list_counts;
pub mod list_effect;
pub mod outcome;
pub mod reason;
pub mod remedy;
pub mod state;
pub mod transcript_message;
pub mod work_group;

pub use attempt::AttemptState;
pub use classification::{Classification, Doubt, RuleName};
pub use content::{
    Appointment, CallContent, CalledPartyZones, HouseholdMember, ListEligibility, NewEntry, PatientInfo, TextsAlone,
    ZoneSource,
};
pub use conversation_words::ConversationWords;
pub use effect::{AttemptEffect, EntryEffect, EntryStatus};
pub use list_counts::ListCounts;
pub use list_effect::{AbsenceEffect, EntryChange, ListEffect, ListedNumber, Listing};
pub use outcome::{Outcome, OutcomeSignals};
pub use reason::Reason;
pub use remedy::{Remedy, doubt_of_held};
pub use state::{Fact, IllegalTransition, State};
pub use transcript_message::TranscriptMessage;
pub use work_group::WorkGroup;
