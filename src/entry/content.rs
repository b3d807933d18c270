//! The content of a call and its recipient: the part of an entry that holds patient data. It is never printed: `Debug`
//! masks it, and only the vendor client and the ledger read the fields.

use std::fmt;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::reason::Reason;
use crate::ids::{EntryKey, Location, OrganisationId};
use crate::phone::E164;

/// Everything one call carries to the vendor, except the two phone numbers.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CallContent {
    /// Who is called.
    pub patient: PatientInfo,
    /// What the call is about, for reminders and follow-ups.
    pub appointment: Option<Appointment>,
    /// Supplements the bot's workflow for this one call: at most 500 characters.
    pub context: Option<String>,
    /// Left when voicemail is detected: at most 500 characters.
    pub voicemail: Option<String>,
    /// The texts of a call that speaks of the patient alone, in a household: a member whose calls are used up is not
    /// named again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone: Option<TextsAlone>,
}

/// The texts of a call that names nobody of the household but the patient.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TextsAlone {
    /// As in [`CallContent`].
    pub context: Option<String>,
    /// As in [`CallContent`].
    pub voicemail: Option<String>,
}

impl CallContent {
    /// What a call says that speaks of the patient alone.
    #[must_use]
    pub fn without_household(self) -> Self {
        let TextsAlone { context, voicemail } = self.alone.unwrap_or_default();
        Self { context, voicemail, alone: None, ..self }
    }
}

/// The person called, as the vendor takes it (`annie-api.md`, POST /calls).
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PatientInfo {
    /// At most 100 characters.
    pub first_name: String,
    /// At most 100 characters.
    pub last_name: Option<String>,
    /// Sent as `YYYY-MM-DD`.
    pub date_of_birth: Option<NaiveDate>,
    /// The practice's own number for the patient.
    pub patient_id: Option<String>,
}

impl PatientInfo {
    /// First and last name, as far as they are known.
    #[must_use]
    pub fn full_name(&self) -> String {
        let names = [Some(self.first_name.as_str()), self.last_name.as_deref()];
        names.into_iter().flatten().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// The patient's number at the practice; without one the entry's key.
    #[must_use]
    pub fn id_or_key(&self, key: &EntryKey) -> String {
        self.patient_id.clone().unwrap_or_else(|| key.shown())
    }
}

/// An appointment, as the vendor takes it.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Appointment {
    /// The practice's own number for it.
    pub id: Option<String>,
    /// With the practice's offset on that day.
    pub start: Option<DateTime<FixedOffset>>,
    /// With the practice's offset on that day.
    pub end: Option<DateTime<FixedOffset>>,
    /// The practice's own number for the kind of appointment.
    pub type_id: Option<String>,
    /// In words.
    pub description: Option<String>,
}

/// An entry made by the intake, ready to enrol.
#[derive(Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// Unique within the campaign.
    pub key: EntryKey,
    /// The organisation whose credentials and request budget place the call.
    pub organisation: OrganisationId,
    /// The practice's location; `None` if the campaign has no `[[line]]`.
    pub location: Option<Location>,
    /// The number to dial.
    pub phone: E164,
    /// Other dialable numbers of the same patient, best first.
    pub alternatives: Vec<E164>,
    /// The time zones in which the called party may be.
    pub zones: CalledPartyZones,
    /// The patient and the texts that the call carries.
    pub content: CallContent,
    /// The call makes no sense after this instant.
    pub not_after: Option<DateTime<Utc>>,
    /// Whether the list itself forbids the call or requires a person's decision.
    pub eligibility: ListEligibility,
    /// The other patients of a household that this one call covers.
    pub members: Vec<HouseholdMember>,
    /// The row's first line in the list, counted from 1.
    pub line: u64,
}

/// A household member covered by another patient's call.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HouseholdMember {
    /// The member's own key.
    pub key: EntryKey,
    /// The member's name, date of birth and number at the practice.
    pub patient: PatientInfo,
    /// The first line of the member's row in the list, counted from 1.
    pub line: u64,
}

/// Whether the list itself allows the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListEligibility {
    /// Nothing in the list forbids the call.
    Ready,
    /// The list forbids the call.
    Suppressed(Reason),
    /// A person must decide.
    Held(Reason),
}

/// The zones in which the called party may be, as IANA names, and how that is known. Empty: anywhere in the United
/// States or Canada.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CalledPartyZones {
    /// IANA names, sorted, each once.
    pub zones: Vec<String>,
    /// The states and provinces that the row names, by their postal abbreviations in capitals; the area code's is not
    /// among them.
    #[serde(default)]
    pub regions: Vec<String>,
    /// Where the knowledge comes from.
    pub source: ZoneSource,
}

/// How a called party's zones are known, best first (`calling-rules.md`, Local time of the called party).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ZoneSource {
    /// The row names its zone.
    Row,
    /// The row names a state or province.
    State,
    /// The row's postcode lies in a state or province.
    Postcode,
    /// The number's area code.
    AreaCode,
    /// Not known.
    Unknown,
}

macro_rules! masked {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(masked)"))
            }
        }
    )*};
}

masked!(CallContent, TextsAlone, PatientInfo, Appointment, HouseholdMember, NewEntry);
