//! The worklist: what the front desk has to do about the entries that are finished or stuck, in each format.

use std::collections::BTreeMap;
use std::io::Write;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::entry::{Outcome, PatientInfo, Reason, State, WorkGroup};
use crate::ids::{CampaignName, EntryId, Location};
use crate::ledger::{Tick, WorkItem};
use crate::visible;
use crate::zone::Zone;

use super::exporter::ExportError;
use super::said_words;
use super::table::{CsvTable, Sheet, TextTable};

/// An item, and the zone of its practice.
pub struct ZonedItem {
    /// The item.
    pub item: WorkItem,
    /// The practice's zone.
    pub zone: Zone,
}

/// The columns of the CSV file and of the workbook, in order.
const HEADER: [&str; 17] = [
    "group",
    "name",
    "phone",
    "patient_id",
    "last_call",
    "what_was_said",
    "household",
    "outcome",
    "state",
    "reason",
    "calls",
    "campaign",
    "location",
    "entry",
    "done_at",
    "done_by",
    "note",
];

/// The index of the column with the count of calls.
const CALLS: usize = 10;

/// The headings of a group's table. `#` is the entry's number in the ledger.
const HEADINGS: [&str; 7] = ["#", "name", "phone", "chart", "last call", "household", "what was said"];

/// The worklist as one JSON document.
#[derive(Serialize, schemars::JsonSchema)]
pub struct Worklist {
    /// The items below that nobody has ticked off and about which somebody has to do something.
    pub open: u64,
    /// The items below by group.
    pub groups: BTreeMap<WorkGroup, u64>,
    /// The items, by group.
    pub items: Vec<WorklistItem>,
}

/// One entry that is finished or stuck.
#[derive(Serialize, schemars::JsonSchema)]
pub struct WorklistItem {
    /// What has to be done.
    pub group: WorkGroup,
    /// The entry's number in the ledger.
    pub entry: EntryId,
    /// Its campaign.
    pub campaign: CampaignName,
    /// The practice's location, if the campaign has locations.
    pub location: Option<Location>,
    /// The patient that the call addressed.
    pub patient: WorklistPatient,
    /// The other patients of the household that the call covers.
    pub household: Vec<WorklistPatient>,
    /// The number that was called last; if none was, the number to dial.
    pub phone: String,
    /// The entry's state.
    pub state: State,
    /// The reason for its state, where it has one.
    pub reason: Option<Reason>,
    /// The outcome of its last conversation.
    pub outcome: Option<Outcome>,
    /// The calls that were placed, or may have been.
    pub calls: u64,
    /// When the last of them was.
    pub last_call_at: Option<DateTime<Utc>>,
    /// What was said in the last conversation, as long as it is kept.
    pub what_was_said: Option<String>,
    /// Who has ticked it off, the first one first; empty: it is open.
    pub done: Vec<Tick>,
}

/// A patient of an item.
#[derive(Serialize, schemars::JsonSchema)]
pub struct WorklistPatient {
    /// The practice's own number for the patient.
    pub patient_id: Option<String>,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: Option<String>,
}

impl From<&PatientInfo> for WorklistPatient {
    fn from(patient: &PatientInfo) -> Self {
        let PatientInfo { first_name, last_name, patient_id, .. } = patient.clone();
        Self { patient_id, first_name, last_name }
    }
}

impl From<&WorkItem> for WorklistItem {
    fn from(item: &WorkItem) -> Self {
        Self {
            group: item.group,
            entry: item.entry,
            campaign: item.campaign.clone(),
            location: item.location.clone(),
            patient: (&item.patient).into(),
            household: item.household.iter().map(WorklistPatient::from).collect(),
            phone: item.phone.expose(),
            state: item.state,
            reason: item.reason,
            outcome: item.outcome,
            calls: item.calls,
            last_call_at: item.last_call_at,
            what_was_said: item.words.as_ref().map(said_words::in_one_line),
            done: item.ticks.clone(),
        }
    }
}

/// Sorts items as people read them: by group, then the longest wait first.
pub fn sort(items: &mut [ZonedItem]) {
    items.sort_by_key(|ZonedItem { item, .. }| (item.group, item.last_call_at, item.entry));
}

/// The document.
#[must_use]
pub fn document(items: &[ZonedItem]) -> Worklist {
    let open = items.iter().filter(|ZonedItem { item, .. }| item.is_open()).count() as u64;
    Worklist { open, groups: by_group(items), items: items.iter().map(|ZonedItem { item, .. }| item.into()).collect() }
}

fn by_group(items: &[ZonedItem]) -> BTreeMap<WorkGroup, u64> {
    let mut groups = BTreeMap::new();
    for ZonedItem { item, .. } in items {
        *groups.entry(item.group).or_default() += 1;
    }
    groups
}

/// Writes the items as CSV.
pub fn write_csv(items: &[ZonedItem], out: &mut dyn Write) -> Result<(), ExportError> {
    let mut table = CsvTable::begin(out, &HEADER)?;
    items.iter().try_for_each(|item| table.row(&cells(item)))?;
    table.finish()
}

/// Writes the items as a workbook, with the counts on a sheet of their own.
pub fn write_xlsx(items: &[ZonedItem], out: &mut dyn Write) -> Result<(), ExportError> {
    let mut sheet = Sheet::begin("worklist", &HEADER, Some(CALLS))?;
    items.iter().try_for_each(|item| sheet.row(&cells(item)))?;
    sheet.save(("summary", &counts(items)), out)
}

/// Writes the items as text: the counts, and a table for each group.
pub fn write_text(items: &[ZonedItem], out: &mut dyn Write) -> Result<(), ExportError> {
    write!(out, "{}", counts(items))?;
    for (group, count) in by_group(items) {
        writeln!(out, "\n{} ({count})", group.label())?;
        let mut table = TextTable::begin(&HEADINGS);
        items.iter().filter(|ZonedItem { item, .. }| item.group == group).for_each(|item| table.row(&text_cells(item)));
        table.write(out)?;
    }
    Ok(())
}

/// The number of open items, and of those of each group.
#[must_use]
pub fn counts(items: &[ZonedItem]) -> String {
    let open = items.iter().filter(|ZonedItem { item, .. }| item.is_open()).count();
    let mut text = format!("for the front desk: {}\n", if open == 0 { "nothing".into() } else { open.to_string() });
    for (group, count) in by_group(items) {
        let done = items.iter().filter(|ZonedItem { item, .. }| item.group == group && !item.ticks.is_empty()).count();
        let done = if done == 0 { String::new() } else { format!(", {done} of them done") };
        text += &format!("  {:<22}{count}{done}\n", group.label());
    }
    text
}

fn local(at: DateTime<Utc>, zone: &Zone) -> String {
    zone.local(at).format("%Y-%m-%d %H:%M").to_string()
}

/// The names of the household's other patients, each with its number at the practice.
fn household(item: &WorkItem) -> String {
    let named = |patient: &PatientInfo| match &patient.patient_id {
        Some(id) => format!("{} ({id})", patient.full_name()),
        None => patient.full_name(),
    };
    item.household.iter().map(named).collect::<Vec<_>>().join(", ")
}

/// What was said; without words the outcome, or why the entry is stuck.
fn what_was_said(item: &WorkItem) -> String {
    let said = item.words.as_ref().map(said_words::in_one_line).filter(|line| !line.is_empty());
    let why = || item.reason.map_or_else(|| item.outcome.map_or("", Outcome::label).to_owned(), Reason::label);
    said.unwrap_or_else(why)
}

fn cells(ZonedItem { item, zone }: &ZonedItem) -> [String; HEADER.len()] {
    let first = item.ticks.first();
    let notes = item.ticks.iter().filter_map(|tick| tick.note.as_deref()).collect::<Vec<_>>().join("; ");
    [
        item.group.label().into(),
        item.patient.full_name(),
        item.phone.expose(),
        item.patient.id_or_key(&item.key),
        item.last_call_at.map(|at| local(at, zone)).unwrap_or_default(),
        item.words.as_ref().map(said_words::in_one_line).unwrap_or_default(),
        household(item),
        item.outcome.map(|outcome| outcome.name().into()).unwrap_or_default(),
        item.state.name().into(),
        item.reason.map(|reason| reason.name().into()).unwrap_or_default(),
        item.calls.to_string(),
        item.campaign.as_str().into(),
        item.location.as_ref().map(|location| location.as_str().to_owned()).unwrap_or_default(),
        item.entry.to_string(),
        first.map(|tick| local(tick.at, zone)).unwrap_or_default(),
        first.map(|tick| tick.by.clone()).unwrap_or_default(),
        notes,
    ]
}

fn text_cells(ZonedItem { item, zone }: &ZonedItem) -> [String; HEADINGS.len()] {
    let done = item.ticks.first().map(|tick| {
        let note = tick.note.as_ref().map_or_else(String::new, |note| format!(": {note}"));
        format!("done {} by {}{note} | ", local(tick.at, zone), tick.by)
    });
    let cells = [
        item.entry.to_string(),
        item.patient.full_name(),
        item.phone.expose(),
        item.patient.id_or_key(&item.key),
        item.last_call_at.map(|at| local(at, zone)).unwrap_or_default(),
        household(item),
        done.unwrap_or_default() + &what_was_said(item),
    ];
    cells.map(|cell| visible::value(&cell).into_owned())
}
