//! The plan file: who would be called, with which texts and at which earliest instant, and by which rule the other entries
//! would not be called. It holds patient data, because the operator requested the file. A run of an approved plan dials
//! exactly its calls.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::campaign::Campaign;
use crate::entry::{
    AbsenceEffect, CallContent, CalledPartyZones, HouseholdMember, ListCounts, Outcome, PatientInfo, Reason, State,
};
use crate::ids::{CampaignName, EntryId, EntryKey};
use crate::ledger::{ApprovedCall, EnrolmentCounts};
use crate::phone::E164;

use super::planned::{CallScript, GoneEntry, NotCalled, Plan, PlannedCall};
use super::schedule_simulation::Forecast;

/// The version of the format that this program writes and reads.
pub const VERSION: u32 = 1;

/// A plan: what one run would do, and, once approved, all that it may do.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(title = "Plan of `callrounds check --plan`")]
pub struct PlanFile {
    /// Always `callrounds-plan`.
    pub format: PlanFormat,
    /// The version of the format.
    pub version: u32,
    /// Identifies the plan.
    pub id: String,
    /// The instant for which it was made.
    pub made_at: DateTime<Utc>,
    /// The campaign.
    pub campaign: CampaignPart,
    /// Where the list's rows went.
    pub list: ListCounts,
    /// What placing the calls will take.
    pub forecast: ForecastPart,
    /// Who is called.
    pub calls: Vec<CallPart>,
    /// Who is not, and why.
    pub left_out: Vec<NotCalledPart>,
    /// Entries of earlier lists that this list does not have.
    pub gone: Vec<GonePart>,
}

/// What kind of file this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum PlanFormat {
    /// A plan.
    #[serde(rename = "callrounds-plan")]
    Plan,
}

/// The campaign that a plan is of.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CampaignPart {
    /// Its name.
    pub name: CampaignName,
    /// Its file's text.
    pub source: String,
    /// The preset of hours, with its source and when that was reviewed. Not legal advice.
    pub preset: String,
}

/// What placing the calls will take, and what the list changes.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ForecastPart {
    /// Time and requests.
    pub effort: Forecast,
    /// What the list changes about the campaign's entries.
    pub changes: EnrolmentCounts,
}

/// One call.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CallPart {
    /// The patient's key: one value for each key column of the campaign.
    pub key: Vec<String>,
    /// The row of the list.
    pub line: u64,
    /// The entry's id in the ledger, if it has one.
    pub entry: Option<EntryId>,
    /// The number that is dialled, in E.164.
    pub phone: String,
    /// The patient's other numbers.
    pub other_numbers: Vec<String>,
    /// The earliest instant that every rule allows.
    pub earliest: DateTime<Utc>,
    /// When the call is expected; `null` if not in this run.
    pub expected: Option<DateTime<Utc>>,
    /// Why not earlier: `now`, the name of a rule, `no_turn` or `max_calls`.
    pub why: String,
    /// The time zones in which the called party may be.
    pub zones: CalledPartyZones,
    /// The call makes no sense after this instant.
    pub not_after: Option<DateTime<Utc>>,
    /// The patient and both texts, as they are sent.
    pub content: CallContent,
    /// The household's other patients that the call covers.
    pub covers: Vec<CoveredPart>,
    /// Calls to the entry so far.
    pub calls: u32,
    /// Calls to the number so far, from every campaign on the ledger.
    pub calls_to_number: u32,
}

/// A patient covered by another patient's call.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CoveredPart {
    /// The patient's key.
    pub key: Vec<String>,
    /// The row of the list.
    pub line: u64,
    /// The patient.
    pub patient: PatientInfo,
}

/// An entry that is not called.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NotCalledPart {
    /// The patient's key.
    pub key: Vec<String>,
    /// The row of the list.
    pub line: u64,
    /// The entry's id in the ledger, if it has one.
    pub entry: Option<EntryId>,
    /// Its state.
    pub state: State,
    /// The rule.
    pub reason: Option<Reason>,
    /// The rule in a sentence.
    pub says: Option<String>,
    /// The outcome of its last conversation.
    pub outcome: Option<Outcome>,
    /// The row whose call uses its number, if that prevents the call.
    #[serde(default)]
    pub used_by_line: Option<u64>,
}

/// An entry that the list does not have any more.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct GonePart {
    /// The patient's key.
    pub key: Vec<String>,
    /// The row of the earlier list.
    pub line: u64,
    /// The entry's id in the ledger.
    pub entry: EntryId,
    /// What its absence from the list does to it.
    pub becomes: AbsenceEffect,
}

impl PlanFile {
    /// The file of `plan`, made from a list with the row counts `list`.
    #[must_use]
    pub fn new(
        plan: &Plan,
        campaign: &Campaign,
        list: ListCounts,
        forecast: Forecast,
        id: String,
        made_at: DateTime<Utc>,
    ) -> Self {
        let preset = campaign.calling.preset;
        Self {
            format: PlanFormat::Plan,
            version: VERSION,
            id,
            made_at,
            campaign: CampaignPart {
                name: campaign.name.clone(),
                source: campaign.source.text.clone(),
                preset: format!("{}: {}. Not legal advice", preset.name(), preset.source()),
            },
            list,
            forecast: ForecastPart { effort: forecast, changes: plan.changes },
            calls: plan
                .calls
                .iter()
                .filter_map(|call| Some(CallPart::from_planned(call, call.script.as_deref()?)))
                .collect(),
            left_out: plan.left_out.iter().map(NotCalledPart::from_not_called).collect(),
            gone: plan.gone.iter().map(GonePart::from_gone).collect(),
        }
    }

    /// The approved calls, as the ledger stores them; `None` if the file has an invalid phone number.
    #[must_use]
    pub fn approved(&self) -> Option<Vec<ApprovedCall>> {
        let approved_call = |call: &CallPart| {
            let phone = E164::parse(&call.phone).ok()?;
            Some(ApprovedCall { key: key_of(&call.key), phone, content: call.content.clone(), calls: call.calls })
        };
        self.calls.iter().map(approved_call).collect()
    }

    /// Calls by their key.
    #[must_use]
    pub fn by_key(&self) -> BTreeMap<&[String], &CallPart> {
        self.calls.iter().map(|call| (call.key.as_slice(), call)).collect()
    }
}

impl CallPart {
    fn from_planned(call: &PlannedCall, script: &CallScript) -> Self {
        Self {
            key: parts(&call.key),
            line: call.line,
            entry: call.entry,
            phone: call.phone.expose(),
            other_numbers: script.other_numbers.iter().map(|phone| phone.expose()).collect(),
            earliest: call.earliest,
            expected: call.slot.at,
            why: call.slot.why.name().into(),
            zones: script.zones.clone(),
            not_after: script.not_after,
            content: script.content.clone(),
            covers: script.covers.iter().map(CoveredPart::from_member).collect(),
            calls: call.calls,
            calls_to_number: call.calls_to_number,
        }
    }
}

impl CoveredPart {
    fn from_member(member: &HouseholdMember) -> Self {
        Self { key: parts(&member.key), line: member.line, patient: member.patient.clone() }
    }
}

impl NotCalledPart {
    fn from_not_called(entry: &NotCalled) -> Self {
        Self {
            key: parts(&entry.key),
            line: entry.line,
            entry: entry.entry,
            state: entry.state,
            reason: entry.reason,
            says: entry.reason.map(|reason| reason.description().into()),
            outcome: entry.outcome,
            used_by_line: entry.used_by,
        }
    }
}

impl GonePart {
    fn from_gone(gone: &GoneEntry) -> Self {
        Self { key: parts(&gone.key), line: gone.line, entry: gone.entry, becomes: gone.absence }
    }
}

fn parts(key: &EntryKey) -> Vec<String> {
    key.parts().map(ToOwned::to_owned).collect()
}

fn key_of(parts: &[String]) -> EntryKey {
    EntryKey::from_parts(parts.iter().map(String::as_str))
}
