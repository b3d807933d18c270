//! A campaign: the checked content of a campaign file.
//!
//! Everything here has been checked: zones exist, numbers are numbers, templates compile. [`load`] makes it, in one pass
//! that reports everything that is wrong at once:
//!
//! text → values, each with its place ([`mod@file`], [`value`]) → over the purpose's and the general defaults (`defaults.toml`,
//! embedded in the program) → the rules between keys → [`Campaign`], or [`Problems`]. [`lines`] says who calls for which
//! location.

mod check;
mod defaults;
pub mod file;
mod holiday;
pub mod lines;
mod literal;
mod problem;
mod read;
mod rules;
#[cfg(test)]
mod tests;
pub mod value;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc, Weekday};
use minijinja::Value;
use serde::{Deserialize, Serialize};

pub use check::{Allowances, load};
pub use defaults::DEFAULTS;
pub use file::schema;
pub use holiday::Holiday;
pub use lines::{Account, Lines};
pub use problem::{Problem, Problems};
pub use read::Placed;
pub use value::VendorKind;

use crate::entry::{Outcome, OutcomeRules};
use crate::ids::{CampaignName, OrganisationId};
use crate::phone::E164;
use crate::phone::area_codes::AreaCodes;
use crate::template::Template;
use crate::zone::Zone;

/// A checked campaign.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// Names the campaign in the ledger: entries are unique within it.
    pub name: CampaignName,
    /// What the calls are for.
    pub purpose: Purpose,
    /// Who calls; where there are lines, what they have in common.
    pub practice: Practice,
    /// Who calls for which location.
    pub lines: Lines,
    /// How the patient list is read.
    pub list: ListRules,
    /// What is said.
    pub message: Message,
    /// When calls may be made.
    pub calling: Calling,
    /// When an entry is called again.
    pub redial: Redial,
    /// How fast calls are placed.
    pub rate: Rate,
    /// What stops a run, and how a lost answer is settled.
    pub safety: Safety,
    /// Who places the calls.
    pub vendor: Vendor,
    /// What a finished conversation means.
    pub outcomes: OutcomeRules,
    /// The file this came from.
    pub source: Source,
}

/// The text of a campaign file and the folder that its relative paths start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file's text, which the ledger keeps so that `resume` needs no file.
    pub text: String,
    /// The folder of the file.
    pub directory: PathBuf,
}

impl Source {
    /// A path of the campaign file, from its folder.
    #[must_use]
    pub fn beside(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }
}

impl Campaign {
    /// What every template may use, whatever the row of a practice: `practice` and `campaign`.
    #[must_use]
    pub fn template_objects(&self, practice: &Practice) -> Vec<(&'static str, Value)> {
        let practice = minijinja::context! {
            name => practice.name.as_str(),
            callback_number => practice.callback_number.expose(),
            timezone => practice.zone.name(),
        };
        let campaign = minijinja::context! { name => self.name.as_str(), purpose => self.purpose.name() };
        vec![("practice", practice), ("campaign", campaign)]
    }

    /// The problem of a campaign that does not say where consent is recorded, for a list that does not either.
    #[must_use]
    pub fn consent_problem(&self, file_name: &str) -> Problems {
        Problems::new(file_name, &self.source.text, vec![check::consent_problem(&self.source.text)])
    }
}

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
    /// Its word in campaign files, templates and the ledger.
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
    /// The organisation's zone: the vendor's legal hours are in it.
    pub zone: Zone,
    /// The Annie number that calls.
    pub from_number: E164,
    /// The number that patients call back.
    pub callback_number: E164,
    /// Numbers of the practice itself, never dialled; those of all its lines are always among them.
    pub own_numbers: Vec<E164>,
    /// The organisation that owns `from_number`.
    pub organisation: OrganisationId,
}

/// How the patient list is read.
#[derive(Debug, Clone)]
pub struct ListRules {
    /// The list, relative to the campaign file's folder, if the campaign names one.
    pub file: Option<PathBuf>,
    /// The columns whose values make an entry's key, as field names of the intake or normalised column names.
    pub key: Vec<String>,
    /// What happens to entries that a later list does not have.
    pub on_absent: OnAbsent,
    /// What happens to rows that have the same key and different data.
    pub on_conflict: OnConflict,
    /// Field name → column name, where the header does not say it.
    pub columns: Vec<(String, String)>,
    /// The share of bad rows above which the list is refused whole: 0 to 1.
    pub max_reject_rate: f64,
    /// The share of the entries still to be called that a list may withdraw: 0 to 1. A list that would withdraw more may
    /// have been cut short, and is refused whole.
    pub max_withdraw_rate: f64,
    /// How old the list file may be.
    pub max_list_age: TimeDelta,
    /// Day and month order for all date columns, where the cells do not decide it.
    pub date_order: Option<DateOrder>,
    /// Where rejected rows are written; beside the ledger if not given.
    pub rejects: Option<PathBuf>,
}

/// What happens to an entry that is not on the newest list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnAbsent {
    /// Nightly lists are authoritative: it is withdrawn.
    Withdraw,
    /// One-off lists add up: it stays.
    Keep,
}

/// Which of several rows with the same key and different data counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// The first one; the others are rejected, for somebody to decide.
    Reject,
    /// The last one that can be used.
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

/// What is said. Templates are compiled and use known names only.
#[derive(Debug, Clone)]
pub struct Message {
    /// Supplements the bot's workflow for one call.
    pub context: Template,
    /// Left when voicemail is detected.
    pub voicemail: Option<Template>,
}

/// When calls may be made.
#[derive(Debug, Clone)]
pub struct Calling {
    /// The called party's windows.
    pub preset: Preset,
    /// Where consent is recorded. `None`: in the list, if it has a consent column; otherwise the list is refused with
    /// [`Campaign::consent_problem`].
    pub consent: Option<Consent>,
    /// The practice's own calling days.
    pub days: Vec<Weekday>,
    /// The practice's own calling hours, in its zone.
    pub window: DayWindow,
    /// The practice's own days and hours stand in place of the preset's instead of narrowing them. The vendor's legal
    /// hours hold all the same.
    pub allow_wider: bool,
    /// Which zones of the called party count.
    pub zone_mode: ZoneMode,
    /// Whether patients who share a number share a call.
    pub household: bool,
    /// How often one number may be called.
    pub caps: Caps,
    /// The holidays on which nobody is called where they are kept; none if the campaign, or its preset, keeps none.
    pub holidays: Arc<[Holiday]>,
    /// The whole list of holidays, which a state's rule may ask for.
    pub all_holidays: Arc<[Holiday]>,
    /// Where an area code's numbers may ring.
    pub area_codes: AreaCodes,
}

/// A named set of calling windows (`calling-rules.md`, Called-party windows). Not legal advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// 9–20 in every zone that may apply, Monday to Saturday.
    VendorSafe,
    /// 8–21 daily.
    UsFederal,
    /// 8–21 daily, narrowed by the rules of the called party's state where it is known.
    UsStates,
    /// Monday to Friday 9:00–21:30, Saturday and Sunday 10:00–18:00.
    Canada,
}

impl Preset {
    /// Its word in campaign files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::VendorSafe => "vendor-safe",
            Self::UsFederal => "us-federal",
            Self::UsStates => "us-states",
            Self::Canada => "canada",
        }
    }

    /// Where its hours come from, and when they were last looked at (`calling-rules.md`, Called-party windows).
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

    /// Whether holidays are kept where a campaign does not say.
    #[must_use]
    pub fn keeps_holidays(self) -> bool {
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
    /// The practice attests that every patient on the list gave this number for such calls. A consent cell that says
    /// `no` wins all the same.
    OnFile,
    /// One per row.
    Column,
}

/// Which zones of the called party count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ZoneMode {
    /// Every zone that may apply.
    Intersect,
    /// A zone that the row names replaces what the number suggests.
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
    /// What both have; `None` if that is nothing.
    #[must_use]
    pub fn narrowed_to(self, other: Self) -> Option<Self> {
        let both = Self { start: self.start.max(other.start), end: self.end.min(other.end) };
        (both.start < both.end).then_some(both)
    }
}

/// How often one number may be called, over all campaigns on the ledger (`annie-api.md`, POST /calls).
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
    /// The outcomes of a failed attempt.
    pub failed: Vec<Outcome>,
}

/// When an entry is called again.
#[derive(Debug, Clone, PartialEq)]
pub struct Redial {
    /// Calls in all, the first one included.
    pub max_attempts: u32,
    /// The least time between two calls to one entry.
    pub min_gap: TimeDelta,
    /// Outcomes after which an entry is called again.
    pub after: Vec<Outcome>,
    /// At another part of the day than the last call.
    pub vary_time: bool,
    /// Calls end this long before the appointment starts; none if calls do not depend on one.
    pub stop_before_appointment: Option<TimeDelta>,
}

/// How fast calls are placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The organisation's request budget, reads included.
    pub requests_per_minute: u32,
    /// Conversations under way at once.
    pub open_calls: u32,
}

/// What stops a run, and how a lost answer is settled.
#[derive(Debug, Clone, PartialEq)]
pub struct Safety {
    /// Calls placed by one run at most.
    pub max_calls: Option<u32>,
    /// Place this many, look at their outcomes, then go on.
    pub canary: Option<u32>,
    /// Shares of finished calls that stop the run.
    pub stop_on: StopOn,
    /// S of rule R.
    pub settle: TimeDelta,
    /// What happens to an entry whose call rule R found absent.
    pub on_lost_answer: OnLostAnswer,
    /// A conversation that is not closed this long after its start is lost track of.
    pub track_for: TimeDelta,
    /// How long the vendor may be out of reach before a run ends.
    pub outage: TimeDelta,
}

/// Shares, 0 to 1, of the run's finished calls that stop it once enough calls have finished to judge.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StopOn {
    /// Finished calls before a rate is judged.
    pub at_least: u32,
    /// The newest finished calls on which it is judged; all of the run's if not given.
    pub last: Option<u32>,
    /// Opt-outs.
    pub opt_out_rate: Option<f64>,
    /// Wrong or invalid numbers.
    pub wrong_number_rate: Option<f64>,
    /// Calls that the vendor refused or whose answer was lost.
    pub error_rate: Option<f64>,
    /// Calls that reached nobody.
    pub unanswered_rate: Option<f64>,
}

/// What happens to an entry whose lost answer turns out to have no conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnLostAnswer {
    /// A person decides.
    Hold,
    /// It is called again.
    Retry,
}

/// Who places the calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Vendor {
    /// The Annie API, or the embedded simulator.
    pub kind: VendorKind,
    /// Nobody is called: the API's address must be on this machine, and what guards live calls may be loosened.
    pub rehearsal: bool,
    /// A file, readable by its owner only, that holds the API key; the environment otherwise.
    pub key_file: Option<PathBuf>,
    /// How the embedded simulator behaves, where it is used.
    pub simulator: SimulatorSettings,
}

/// How the embedded simulator behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatorSettings {
    /// Decides everybody's behaviour.
    pub seed: u64,
    /// The first run's first instant; the present if not given.
    pub start: Option<DateTime<Utc>>,
    /// Simulated seconds per real second.
    pub speed: f64,
    /// A file that scripts how single numbers behave, relative to the campaign file's folder.
    pub people: Option<PathBuf>,
    /// Faults as `simulate --fault` takes them: `KIND=SHARE`.
    pub faults: Vec<String>,
}
