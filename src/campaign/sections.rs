//! The sections of a checked campaign: one type for each table of the campaign file, and the choices within it.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc, Weekday};
use serde::{Deserialize, Serialize};

use super::holiday::Holiday;
use crate::entry::Outcome;
use crate::ids::OrganisationId;
use crate::phone::E164;
use crate::phone::area_codes::AreaCodes;
use crate::template::Template;
use crate::zone::Zone;

/// What the calls of a campaign are for. It decides the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The patient is due for a visit and has none booked.
    Recall,
    /// The patient has an appointment.
    Reminder,
    /// The patient was treated a short while ago.
    FollowUp,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 3] = [Self::Recall, Self::Reminder, Self::FollowUp];

    /// The purpose with this word.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.name() == name)
    }

    /// The purpose's word in campaign files, templates and the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Recall => "recall",
            Self::Reminder => "reminder",
            Self::FollowUp => "follow_up",
        }
    }
}

/// The practice on whose behalf calls are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Practice {
    /// Spoken in messages.
    pub name: String,
    /// The organisation's time zone: the vendor's legal hours apply in it.
    pub zone: Zone,
    /// The caller id: an Annie number.
    pub from_number: E164,
    /// The number that patients call back.
    pub callback_number: E164,
    /// The practice's own numbers, which are never dialled; they include those of all its locations.
    pub own_numbers: Vec<E164>,
    /// The organisation that owns `from_number`.
    pub organisation: OrganisationId,
}

/// How the patient list is read.
#[derive(Debug, Clone)]
pub struct ListRules {
    /// The list file, relative to the campaign file's folder.
    pub file: Option<PathBuf>,
    /// The columns whose values form an entry's key, as field names of the intake or normalised column names.
    pub key: Vec<String>,
    /// What happens to entries that are missing from a later list.
    pub on_absent: OnAbsent,
    /// What happens to rows that have the same key and different data.
    pub on_conflict: OnConflict,
    /// Field name → column name, for headers that the intake does not recognise.
    pub columns: Vec<(String, String)>,
    /// The columns that are read as no field, although their headings look like one.
    pub ignore: Vec<String>,
    /// What words in the columns that may forbid a call mean: the column's name or its field, the word, the meaning.
    pub values: Vec<(String, String, ValueMeaning)>,
    /// The fraction of rejected rows above which the whole list is refused: 0 to 1.
    pub max_reject_rate: f64,
    /// The fraction of the entries still to be called that a list may withdraw: 0 to 1. A list that would withdraw more
    /// may have been cut short, and is refused.
    pub max_withdraw_rate: f64,
    /// How old the list file may be.
    pub max_list_age: TimeDelta,
    /// The order of day and month in date columns whose cells do not decide it.
    pub date_order: Option<DateOrder>,
    /// The character encoding; detected if not given.
    pub encoding: Option<ListEncoding>,
    /// The rejects file; next to the ledger if not given.
    pub rejects: Option<PathBuf>,
}

/// What a word in a column of a list means for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValueMeaning {
    /// It says nothing against a call; in a consent column, there is consent.
    Call,
    /// The patient must not be called; in a consent column, there is no consent.
    DoNotCall,
    /// The patient is no longer one of the practice's.
    Inactive,
    /// The patient is deceased.
    Deceased,
    /// The appointment does not take place.
    AppointmentOff,
}

/// A list's character encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum ListEncoding {
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, the low byte first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, the high byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// Western European Windows.
    #[serde(rename = "windows-1252")]
    Windows1252,
    /// The Macintosh before Mac OS X.
    #[serde(rename = "mac-roman")]
    MacRoman,
    /// DOS in western Europe.
    #[serde(rename = "cp850")]
    Cp850,
}

/// What happens to an entry that is not on the newest list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnAbsent {
    /// The entry is withdrawn: each list is complete.
    Withdraw,
    /// The entry stays: lists add up.
    Keep,
}

/// Which of several rows with the same key and different data counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// The first one; the others are rejected for a person to decide.
    Reject,
    /// The last one that is accepted.
    LastWins,
}

/// The order of day, month and year in a date of three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DateOrder {
    /// 3/22/1988
    Mdy,
    /// 22/3/1988
    Dmy,
    /// 1988-03-22
    Ymd,
}

/// The message templates, compiled; they use known names only.
#[derive(Debug, Clone)]
pub struct MessageTemplates {
    /// The call's context: supplements the bot's workflow.
    pub context: Template,
    /// The message left when voicemail is detected.
    pub voicemail: Option<Template>,
}

/// When calls may be made.
#[derive(Debug, Clone)]
pub struct Calling {
    /// The dialing hours of the called party.
    pub preset: Preset,
    /// Where consent is recorded. `None`: in the list's consent column; a list without one is refused.
    pub consent: Option<Consent>,
    /// The practice's own calling days.
    pub days: Vec<Weekday>,
    /// The practice's own calling hours, in its zone.
    pub window: DayWindow,
    /// Whether the practice's days and hours replace the preset's instead of narrowing them. The vendor's legal hours
    /// apply in either case.
    pub allow_wider: bool,
    /// Which time zones of the called party are checked.
    pub zone_mode: ZoneMode,
    /// Which patients who share a number share a call.
    pub household: HouseholdRule,
    /// How often one number may be called.
    pub caps: Caps,
    /// The holidays on which nobody is called in the regions that observe them; empty if the campaign, or its preset,
    /// observes none.
    pub holidays: Arc<[Holiday]>,
    /// The full list of holidays, for the rules of states.
    pub all_holidays: Arc<[Holiday]>,
    /// The regions and time zones of area codes.
    pub area_codes: AreaCodes,
}

/// Which patients who share a number are one household, and share a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HouseholdRule {
    /// Those of the same last name, and a guarantor with the patients whose household id is the guarantor's.
    Name,
    /// All of them.
    Number,
    /// None: each patient is called separately.
    Off,
}

/// A named set of dialing hours (`calling-rules.md`, Called-party windows). Not legal advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// 9:00–20:00 in every time zone that may apply, Monday to Saturday.
    VendorSafe,
    /// 8:00–21:00 daily.
    UsFederal,
    /// 8:00–21:00 daily, narrowed by the rules of the called party's state where it is known.
    UsStates,
    /// Monday to Friday 9:00–21:30, Saturday and Sunday 10:00–18:00.
    Canada,
}

impl Preset {
    /// The preset's word in campaign files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::VendorSafe => "vendor-safe",
            Self::UsFederal => "us-federal",
            Self::UsStates => "us-states",
            Self::Canada => "canada",
        }
    }

    /// The source of its hours, and when it was last reviewed (`calling-rules.md`, Called-party windows).
    #[must_use]
    pub fn source(self) -> &'static str {
        match self {
            Self::VendorSafe => "the vendor's 9-20 in every zone that may apply; reviewed 2026-11",
            Self::UsFederal => "47 CFR 64.1200(c)(1), secondary; reviewed 2026-11",
            Self::UsStates => {
                "47 CFR 64.1200(c)(1) and the rules of the callee's state, see src/policy/states.tsv; reviewed 2026-11"
            }
            Self::Canada => "CRTC, Unsolicited Telecommunications Rules; reviewed 2026-11",
        }
    }

    /// Whether holidays are observed if the campaign does not set `observe`.
    #[must_use]
    pub fn observes_holidays(self) -> bool {
        match self {
            Self::VendorSafe => true,
            Self::UsFederal | Self::UsStates | Self::Canada => false,
        }
    }
}

/// Where consent to such calls is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// The practice attests that every patient on the list gave this number for such calls. A consent cell with `no`
    /// overrides it.
    OnFile,
    /// In the list's consent column, per row.
    Column,
}

/// Which time zones of the called party are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ZoneMode {
    /// Every time zone that may apply.
    Intersect,
    /// A time zone in the row replaces those of the number.
    RowWins,
}

/// Hours of a day: from `start`, inclusive, to `end`, exclusive. `start` is before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayWindow {
    /// The first moment.
    pub start: NaiveTime,
    /// The moment after the last.
    pub end: NaiveTime,
}

impl DayWindow {
    /// The hours in both windows; `None` if there are none.
    #[must_use]
    pub fn narrowed_to(self, other: Self) -> Option<Self> {
        let both = Self { start: self.start.max(other.start), end: self.end.min(other.end) };
        (both.start < both.end).then_some(both)
    }
}

/// The limits on calls to one number, over all campaigns on the ledger (`annie-api.md`, POST /calls).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caps {
    /// The least time between two attempts; the vendor's is 24 h.
    pub min_gap: TimeDelta,
    /// Attempts in rolling 7 days; the vendor's is 3.
    pub per_7_days: u32,
    /// Attempts in rolling 30 days; the vendor's is 6.
    pub per_30_days: u32,
    /// Failed attempts in a row that start the cool-down; the vendor's is 3.
    pub failures_before_cool_down: u32,
    /// How long the cool-down lasts; the vendor's is 30 days.
    pub cool_down: TimeDelta,
    /// The outcomes that count as a failed attempt.
    pub failed: Vec<Outcome>,
}

/// When an entry is called again.
#[derive(Debug, Clone, PartialEq)]
pub struct Redial {
    /// The total number of calls, the first one included.
    pub max_attempts: u32,
    /// The least time between two calls to one entry.
    pub min_gap: TimeDelta,
    /// Outcomes after which an entry is called again.
    pub after: Vec<Outcome>,
    /// Whether a redial is made at another part of the day than the last call.
    pub vary_time: bool,
    /// No call starts later than this before the appointment; `None` if calls do not depend on one.
    pub stop_before_appointment: Option<TimeDelta>,
}

/// How fast calls are placed, for one organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The request budget, requests per minute; reads count too.
    pub requests_per_minute: u32,
    /// The limit on concurrent calls.
    pub open_calls: u32,
}

/// What stops a run, and how a lost answer is settled.
#[derive(Debug, Clone, PartialEq)]
pub struct Safety {
    /// The number of calls that one run may place.
    pub max_calls: Option<u32>,
    /// The number of calls whose outcomes are awaited before others are placed.
    pub canary: Option<u32>,
    /// The fractions of finished calls that stop the run.
    pub stop_on: StopOn,
    /// The settle time, S of rule R: how long after a lost answer the vendor's list is taken as complete.
    pub settle: TimeDelta,
    /// What happens to an entry whose call is absent by rule R.
    pub on_lost_answer: OnLostAnswer,
    /// How long after its start a conversation is followed; one that is not closed by then is lost track of.
    pub track_for: TimeDelta,
    /// How long the vendor may be unreachable before a run ends.
    pub outage: TimeDelta,
}

/// How long patients' data is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Privacy {
    /// How long the ledger keeps what was said in a call.
    pub keep_words_for: TimeDelta,
}

/// The stop rules: fractions, 0 to 1, of the run's finished calls that stop it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StopOn {
    /// The number of finished calls before a rate is evaluated.
    pub at_least: u32,
    /// The number of newest finished calls that a rate is evaluated on; all of the run's if not given.
    pub last: Option<u32>,
    /// Opt-outs.
    pub opt_out_rate: Option<f64>,
    /// Wrong or invalid numbers.
    pub wrong_number_rate: Option<f64>,
    /// Calls that the vendor refused, and lost answers.
    pub error_rate: Option<f64>,
    /// Calls that reached nobody.
    pub unanswered_rate: Option<f64>,
}

/// What happens to an entry whose call the vendor's list does not show after a lost answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnLostAnswer {
    /// The entry is held for a person to decide.
    Hold,
    /// The entry is called again.
    Retry,
}

/// What places the calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VendorKind {
    /// The Annie API.
    Annie,
    /// The embedded simulator.
    Simulator,
}

impl VendorKind {
    /// The word of a campaign file and of the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Annie => "annie",
            Self::Simulator => "simulator",
        }
    }
}

/// The vendor, and the settings that depend on it.
#[derive(Debug, Clone, PartialEq)]
pub struct VendorChoice {
    /// The Annie API, or the embedded simulator.
    pub kind: VendorKind,
    /// Whether the campaign is a rehearsal: nobody is called, the API's address must be on this machine, and the limits
    /// that protect live calls may be loosened.
    pub rehearsal: bool,
    /// A file with the API key, readable by its owner only, used if the environment has no credentials.
    pub key_file: Option<PathBuf>,
    /// The settings of the embedded simulator, where it is used.
    pub simulator: SimulatorSettings,
}

/// The settings of the embedded simulator.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatorSettings {
    /// The seed of the patients' behaviour.
    pub seed: u64,
    /// The instant at which the first run starts; the current time if not given.
    pub start: Option<DateTime<Utc>>,
    /// Simulated seconds per real second.
    pub speed: f64,
    /// A file with scripted behaviour of single numbers, relative to the campaign file's folder.
    pub people: Option<PathBuf>,
    /// Faults as `simulate --fault` takes them: `KIND=SHARE`.
    pub faults: Vec<String>,
    /// The style of the bot's tags, as `simulate --bot-style` takes it.
    pub bot_style: Option<&'static str>,
}
