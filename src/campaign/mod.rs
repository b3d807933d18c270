//! A campaign: the checked content of a campaign file.
//!
//! Every value has been checked: zones exist, phone numbers are valid, templates compile. [`load()`] builds a
//! [`Campaign`] in one pass, or reports every problem of the file at once ([`Diagnostics`]):
//!
//! 1. TOML text → values with their positions ([`mod@file`], [`value`]);
//! 2. laid over the defaults of the purpose and the general defaults (`defaults.toml`, embedded in the program);
//! 3. checked against the rules between keys (`validate`);
//! 4. converted to a [`Campaign`] (`convert`).
//!
//! `writeback` has the columns of write-back files. [`VendorLimits`] are the figures in which vendors differ.
//! [`locations`] holds the caller id of each location; [`locations_file`] reads a separate file of `[[line]]` tables.

mod convert;
mod defaults;
mod definition;
mod diagnostics;
pub mod file;
mod holiday;
mod load;
pub mod locations;
pub mod locations_file;
mod sections;
mod spanned_reader;
#[cfg(test)]
mod tests;
mod toml_span;
mod validate;
pub mod value;
mod vendor_limits;
mod writeback;

pub use defaults::DEFAULTS;
pub use definition::{Campaign, CampaignSource};
pub use diagnostics::Diagnostics;
pub use file::schema;
pub use holiday::Holiday;
pub use load::load;
pub use locations::{Locations, Organisation};
pub use sections::{
    Calling, Caps, Consent, DateOrder, DayWindow, HouseholdRule, ListEncoding, ListRules, MessageTemplates, OnAbsent,
    OnConflict, OnLostAnswer, Practice, Preset, Privacy, Purpose, Rate, Redial, Safety, SimulatorSettings, StopOn,
    ValueMeaning, VendorChoice, VendorKind, ZoneMode,
};
pub use validate::SafetyOverrides;
pub use vendor_limits::VendorLimits;
pub use writeback::{Writeback, WritebackField};
