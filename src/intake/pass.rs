//! The second pass over a list, from rows to entries.
//!
//! Rows are processed one by one. These stay in memory: a record of every repeated key; the patients of a shared number
//! until the last of its rows, or until the end of the list if its count is too high; and, under
//! `on_conflict = "last_wins"`, the patients of repeated keys until the end.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::call_context::CallContext;
use super::duplicate_filter::{hash_of, long_hash_of};
use super::error::ListError;
use super::field::Field;
use super::household::{HouseholdCall, HouseholdCandidate, by_appointment, speaker_first, split_into_households};
use super::list::{ListRow, ListRows, RowUnit};
use super::message::{CallTexts, Renderers};
use super::non_patient_rows::is_non_patient_row;
use super::patient::{Patient, PatientReader};
use super::phone_choice::PhoneChoice;
use super::rejection::{RejectReason, Rejection};
use super::row_result::RowResult;
use super::row_shape::has_moved_cell;
use super::summary::{ExcludedOnList, IntakeSummary, IntakeWarning};
use crate::campaign::{Campaign, OnConflict, Purpose};
use crate::did_you_mean::nearest;
use crate::entry::{CallContent, HouseholdMember, ListEligibility, NewEntry, TextsAlone};
use crate::ids::{EntryKey, OrganisationId};
use crate::phone::E164;
use crate::phone::parse_cell::DialRules;

/// The most rows of one number whose patients may share a call. A number that more rows have stands in for missing ones:
/// the patients are no household, and to keep them all until the end would take more memory than the list.
const MOST_IN_HOUSEHOLD: u32 = 100;
/// The most appointments that are tried in one call: no text has room for more names with their times.
const MAX_APPOINTMENTS: usize = 16;

/// The second pass over a list: an iterator over the results of its rows, with an [`IntakeSummary`] at the end.
pub struct IntakePass<'i> {
    rows: ListRows,
    unit: RowUnit,
    reader: PatientReader<'i>,
    rules: DialRules<'i>,
    renderers: Renderers<'i>,
    calls: CallContext<'i>,
    campaign: &'i Campaign,
    /// The accepted rows of repeated keys, by the key's hash.
    accepted_keys: HashMap<u128, AcceptedKey>,
    shared_numbers: HashMap<E164, SharedNumber>,
    /// The last row so far of each repeated key; under `last_wins` only.
    last_rows: BTreeMap<EntryKey, HouseholdCandidate>,
    /// The patients of the exclude list that have been seen.
    excluded: HashSet<usize>,
    results: VecDeque<RowResult>,
    summary: IntakeSummary,
    /// Why the list is refused before any row has passed.
    wrong_template: Option<ListError>,
    ended: bool,
}

impl std::fmt::Debug for IntakePass<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IntakePass").field("summary", &self.summary).finish_non_exhaustive()
    }
}

/// The first accepted row of a key; under `last_wins`, the last one.
#[derive(Clone, Copy)]
struct AcceptedKey {
    line: u64,
    /// A hash of the row's cells.
    cells: u64,
}

/// A number that several rows share.
struct SharedNumber {
    /// The rows of this number that are still to come.
    rows_left: u32,
    /// The patients so far who may be called.
    patients: Vec<HouseholdCandidate>,
}

/// The class of a row before households are formed.
enum RowClass {
    Patient(Box<Patient>),
    /// A repetition of the row on this line.
    Duplicate(u64),
    /// A patient that a later row of the same key may replace.
    Replaceable(Box<Patient>),
}

impl<'i> IntakePass<'i> {
    pub(super) fn new(
        rows: ListRows,
        unit: RowUnit,
        reader: PatientReader<'i>,
        rules: DialRules<'i>,
        calls: CallContext<'i>,
    ) -> Self {
        Self {
            rows,
            unit,
            reader,
            rules,
            renderers: Renderers::new(reader.campaign, Arc::new(reader.columns.template_columns())),
            calls,
            campaign: reader.campaign,
            accepted_keys: HashMap::new(),
            shared_numbers: HashMap::new(),
            last_rows: BTreeMap::new(),
            excluded: HashSet::new(),
            results: VecDeque::new(),
            summary: IntakeSummary::default(),
            wrong_template: None,
            ended: false,
        }
    }

    /// Reads the remaining rows and returns the counts. If it fails, the list is refused whole: the caller must discard
    /// everything that this pass yielded.
    pub fn finish(mut self) -> Result<IntakeSummary, ListError> {
        for result in self.by_ref() {
            result?;
        }
        check_reject_rate(&self.summary, self.campaign.list.max_reject_rate)?;
        Ok(self.summary)
    }

    /// The counts of the rows so far.
    #[must_use]
    pub fn summary(&self) -> &IntakeSummary {
        &self.summary
    }

    fn on_row(&mut self, row: ListRow) {
        if let Some(fault) = row.fault {
            self.summary.counts.read += 1;
            return self.reject(row, RejectReason::Unreadable(fault));
        }
        if is_non_patient_row(&row, self.reader.columns) {
            return;
        }
        self.summary.counts.read += 1;
        let (found, expected) = (row.cells.len(), self.reader.columns.width());
        let is_left_short = found < expected && !self.reader.profile.broken_lines.contains(&row.line);
        if found != expected && !is_left_short {
            return self.reject(row, RejectReason::Cells { found, expected });
        }
        if has_moved_cell(self.reader.columns, &row) {
            return self.reject(row, RejectReason::Moved);
        }
        let row = row.padded(expected);
        let phones = self.reader.profile.list_numbers.choose(self.reader.columns, &row, self.rules);
        // Who must not be called anyway needs no number.
        let phones = phones.map_err(|reason| self.reader.exclusion(&row).map_or(reason, RejectReason::Excluded));
        let number = phones.as_ref().ok().map(|phones| phones.counted);
        match self.classify(&row, phones) {
            Err(reason) => self.reject(row, reason),
            Ok(RowClass::Duplicate(first)) => {
                self.summary.counts.duplicate += 1;
                self.results.push_back(RowResult::Duplicate { line: row.line, first });
            }
            Ok(RowClass::Patient(patient)) => self.add_candidate(HouseholdCandidate { patient, row }),
            Ok(RowClass::Replaceable(patient)) => {
                return self.replace_last_row(HouseholdCandidate { patient, row });
            }
        }
        if let Some(number) = number {
            self.count_down(number);
        }
    }

    /// Reads a row as a patient, unless its key occurred before. Only an accepted row claims its key.
    fn classify(&mut self, row: &ListRow, phones: Result<PhoneChoice, RejectReason>) -> Result<RowClass, RejectReason> {
        let key = self.reader.key(row)?;
        if let Some(patient) = self.reader.exclude_list.and_then(|list| list.patient(&key)) {
            self.excluded.insert(patient);
        }
        let rows = self.reader.columns.key_hash(row).map(|hash| self.reader.profile.keys.max_count(hash));
        if rows.is_none_or(|rows| rows == 1) {
            return self.reader.read(row, key, phones?).map(|patient| RowClass::Patient(Box::new(patient)));
        }
        let hash = long_hash_of(&key);
        let cells = hash_of_cells(row);
        let last_wins = self.campaign.list.on_conflict == OnConflict::LastWins;
        match self.accepted_keys.get(&hash).copied() {
            Some(accepted) if accepted.cells == cells => return Ok(RowClass::Duplicate(accepted.line)),
            Some(accepted) if !last_wins => {
                self.warn_of_appointments(row);
                let key = self.campaign.list.key.join(" + ");
                return Err(RejectReason::Conflict { key, unit: self.unit, first: accepted.line });
            }
            Some(_) | None => {}
        }
        let ban = self.reader.key_bans.get(hash);
        let patient = self.reader.read(row, key, phones?)?.with_ban(ban);
        self.accepted_keys.insert(hash, AcceptedKey { line: row.line, cells });
        let patient = Box::new(patient);
        Ok(if last_wins { RowClass::Replaceable(patient) } else { RowClass::Patient(patient) })
    }

    /// Notes a row that is rejected because a patient with several appointments needs another key.
    fn warn_of_appointments(&mut self, row: &ListRow) {
        let columns = self.reader.columns;
        let has_start =
            [Field::AppointmentStart, Field::NextAppointment].iter().any(|field| !columns.cell(row, *field).is_empty());
        if self.campaign.purpose == Purpose::Reminder && has_start && !columns.has_appointment_in_key() {
            *self.summary.warnings.entry(IntakeWarning::SeveralAppointments).or_default() += 1;
        }
    }

    /// Stores a patient until a later row of the same key replaces it, or the list ends.
    fn replace_last_row(&mut self, candidate: HouseholdCandidate) {
        let (by, key) = (candidate.row.line, candidate.patient.key.clone());
        if let Some(replaced) = self.last_rows.insert(key, candidate) {
            self.summary.counts.duplicate += 1;
            self.results.push_back(RowResult::Replaced { line: replaced.row.line, by });
            self.count_down(replaced.patient.phones.counted);
        }
    }

    /// Stores a patient until the household is complete, or makes an entry at once: if the number is not shared, or if
    /// the patient may not be called.
    fn add_candidate(&mut self, candidate: HouseholdCandidate) {
        let may_be_called = candidate.patient.eligibility.status == ListEligibility::Ready;
        let (number, is_settled) = (candidate.patient.phones.best.number, self.calls.is_settled);
        match self.shared_number(number).filter(|_| may_be_called) {
            Some(shared) if is_settled.is_none_or(|is_settled| !is_settled(&candidate.patient.key, number)) => {
                shared.patients.push(candidate);
            }
            _ => self.make_entry(vec![candidate]),
        }
    }

    /// The record of a number; `None` if only one row has it, or too many.
    fn shared_number(&mut self, number: E164) -> Option<&mut SharedNumber> {
        let rows_left = self.reader.profile.numbers.max_count(hash_of(number));
        if rows_left == 1 || rows_left > MOST_IN_HOUSEHOLD {
            return None;
        }
        Some(self.shared_numbers.entry(number).or_insert_with(|| SharedNumber { rows_left, patients: Vec::new() }))
    }

    /// Counts a processed row of a shared number. After the last one, makes the entries.
    fn count_down(&mut self, number: E164) {
        let Some(shared) = self.shared_number(number) else { return };
        shared.rows_left = shared.rows_left.saturating_sub(1);
        if shared.rows_left == 0 {
            let patients = self.shared_numbers.remove(&number).map(|shared| shared.patients).unwrap_or_default();
            self.make_entries(patients);
        }
    }

    fn make_entries(&mut self, patients: Vec<HouseholdCandidate>) {
        for household in split_into_households(patients, self.campaign.calling.household, self.campaign.purpose) {
            match self.campaign.purpose {
                Purpose::Reminder => self.make_reminders(household),
                Purpose::Recall | Purpose::FollowUp => self.make_entry(household),
            }
        }
    }

    /// Makes the entries of a household's appointments: they share a call as long as its text names each with its time.
    /// Those that do not fit share a further call. One for which any call comes too late does not take others along.
    fn make_reminders(&mut self, household: HouseholdCall) {
        let is_too_late =
            |candidate: &HouseholdCandidate| candidate.patient.not_after.is_some_and(|last| last < self.calls.opens);
        let (too_late, mut rest): (Vec<_>, Vec<_>) = household.into_iter().partition(is_too_late);
        for candidate in too_late {
            self.make_entry(vec![candidate]);
        }
        while !rest.is_empty() {
            let mut call = by_appointment(rest);
            let mut further = call.split_off(call.len().min(MAX_APPOINTMENTS));
            while call.len() > 1 && matches!(self.renderers.render(&call), Err(RejectReason::TooLong { .. })) {
                further.extend(call.pop());
            }
            self.make_entry(call);
            rest = further;
        }
    }

    /// Makes an entry of a call. If the texts fail for the patient who is spoken to, that patient is rejected and the
    /// other members become a separate call.
    fn make_entry(&mut self, mut call: HouseholdCall) {
        while !call.is_empty() {
            match self.renderers.render(&call) {
                Ok(texts) => {
                    let alone = self.texts_alone(&call);
                    return self.accept(call, texts, alone);
                }
                Err(reason) => {
                    let others = call.split_off(1);
                    for speaker in call {
                        self.reject(speaker.row, reason.clone());
                    }
                    call = if others.is_empty() { others } else { speaker_first(others) };
                }
            }
        }
    }

    /// The texts for the one who is spoken to, without the rest of the household.
    fn texts_alone(&mut self, call: &HouseholdCall) -> Option<TextsAlone> {
        let (speaker, others) = call.split_first()?;
        if others.is_empty() {
            return None;
        }
        let CallTexts { context, voicemail, .. } = self.renderers.render(std::slice::from_ref(speaker)).ok()?;
        Some(TextsAlone { context, voicemail })
    }

    fn accept(&mut self, call: HouseholdCall, texts: CallTexts, alone: Option<TextsAlone>) {
        let summary = &mut self.summary;
        summary.counts.accepted += 1;
        let members = call.len() as u64 - 1;
        summary.counts.merged += members;
        if members > 0 && !self.renderers.names_others() {
            *summary.warnings.entry(IntakeWarning::HouseholdUnnamed).or_default() += members;
        }
        for warning in &texts.warnings {
            *summary.warnings.entry(*warning).or_default() += 1;
        }
        let eligibility = call[0].patient.eligibility;
        if eligibility.consent_is_blank {
            *summary.warnings.entry(IntakeWarning::ConsentBlank).or_default() += 1;
        }
        if self.reader.profile.numbers.max_count(hash_of(call[0].patient.phones.best.number)) > MOST_IN_HOUSEHOLD {
            *summary.warnings.entry(IntakeWarning::NumberOfMany).or_default() += 1;
        }
        let forbidden = call.iter().filter(|candidate| candidate.patient.number_is_forbidden).count() as u64;
        if forbidden > 0 {
            *summary.warnings.entry(IntakeWarning::NumberForbidden).or_default() += forbidden;
        }
        let is_suppressed = matches!(eligibility.status, ListEligibility::Suppressed(_));
        let doubtful = call.iter().filter(|candidate| candidate.patient.name_is_doubtful).count() as u64;
        if doubtful > 0 && !is_suppressed {
            *summary.warnings.entry(IntakeWarning::NameDoubtful).or_default() += doubtful;
        }
        if let ListEligibility::Suppressed(reason) | ListEligibility::Held(reason) = eligibility.status {
            *summary.not_ready_by.entry(reason).or_default() += 1;
        }
        let organisation = self.organisation(&call);
        let entry = new_entry(call, texts, alone, organisation);
        self.results.push_back(RowResult::Accepted(Box::new(entry)));
    }

    /// The organisation whose request budget the call uses.
    fn organisation(&self, call: &HouseholdCall) -> OrganisationId {
        let practice = self.campaign.practice_at(call[0].patient.location.as_ref());
        practice.unwrap_or(&self.campaign.practice).organisation.clone()
    }

    fn reject(&mut self, row: ListRow, reason: RejectReason) {
        if let RejectReason::NoVariable { text, line, variable } = &reason
            && self.summary.counts.accepted == 0
        {
            // No row has passed: the template is wrong, not the row.
            let found = self.reader.columns.variables();
            let nearest = nearest(variable, found.iter().map(String::as_str)).map(str::to_owned);
            self.wrong_template.get_or_insert(ListError::NoVariable {
                text: *text,
                line: *line,
                variable: variable.clone(),
                nearest,
                found,
            });
        }
        self.summary.counts.rejected += 1;
        if let RejectReason::Excluded(_) = reason {
            self.summary.excluded_without_number += 1;
        }
        *self.summary.rejected_by.entry(reason.rule()).or_default() += 1;
        self.results.push_back(RowResult::Rejected(Rejection { unit: self.unit, line: row.line, reason }, row));
    }

    /// Makes entries of all stored patients: first the last rows of repeated keys, then the households
    /// whose count of rows was too high.
    fn on_end_of_list(&mut self) {
        self.ended = true;
        self.summary.excluded = self
            .reader
            .exclude_list
            .map(|list| ExcludedOnList { patients: list.count() as u64, on_list: self.excluded.len() as u64 });
        let mut last_rows: Vec<HouseholdCandidate> = std::mem::take(&mut self.last_rows).into_values().collect();
        last_rows.sort_by_key(|candidate| candidate.row.line);
        for candidate in last_rows {
            let number = candidate.patient.phones.counted;
            self.add_candidate(candidate);
            self.count_down(number);
        }
        let mut incomplete: Vec<SharedNumber> = self
            .shared_numbers
            .drain()
            .map(|(_, shared)| shared)
            .filter(|shared| !shared.patients.is_empty())
            .collect();
        incomplete.sort_by_key(|shared| shared.patients[0].row.line);
        for shared in incomplete {
            self.make_entries(shared.patients);
        }
    }
}

impl Iterator for IntakePass<'_> {
    type Item = Result<RowResult, ListError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(error) = self.wrong_template.take() {
                self.ended = true;
                self.results.clear();
                return Some(Err(error));
            }
            if let Some(result) = self.results.pop_front() {
                return Some(Ok(result));
            }
            if self.ended {
                return None;
            }
            match self.rows.next() {
                Some(Ok(row)) => self.on_row(row),
                Some(Err(error)) => {
                    self.ended = true;
                    return Some(Err(error));
                }
                None => self.on_end_of_list(),
            }
        }
    }
}

fn new_entry(
    mut call: HouseholdCall,
    texts: CallTexts,
    alone: Option<TextsAlone>,
    organisation: OrganisationId,
) -> NewEntry {
    let not_after = call.iter().filter_map(|candidate| candidate.patient.not_after).min();
    let members = call.split_off(1).into_iter().map(household_member).collect();
    let HouseholdCandidate { patient, row } = call.remove(0);
    let patient = *patient;
    NewEntry {
        key: patient.key,
        organisation,
        location: patient.location,
        phone: patient.phones.best.number,
        alternatives: patient.phones.alternatives,
        zones: patient.zones,
        content: CallContent {
            patient: patient.info,
            appointment: patient.appointment,
            context: texts.context,
            voicemail: texts.voicemail,
            alone,
        },
        not_after,
        eligibility: patient.eligibility.status,
        members,
        line: row.line,
    }
}

fn household_member(candidate: HouseholdCandidate) -> HouseholdMember {
    let patient = *candidate.patient;
    HouseholdMember { key: patient.key, patient: patient.info, line: candidate.row.line }
}

fn hash_of_cells(row: &ListRow) -> u64 {
    let mut hasher = DefaultHasher::new();
    row.cells.iter().map(str::trim).for_each(|cell| cell.hash(&mut hasher));
    hasher.finish()
}

fn check_reject_rate(summary: &IntakeSummary, limit: f64) -> Result<(), ListError> {
    // Who is not to be called anyway says nothing about the list's quality.
    let excluded = summary.excluded_without_number;
    let (rejected, read) = (summary.counts.rejected - excluded, summary.counts.read - excluded);
    if rejected as f64 <= limit * read as f64 {
        return Ok(());
    }
    let mostly = summary.rejected_by.iter().max_by_key(|(_, count)| **count).map(|(rule, _)| rule.clone());
    Err(ListError::TooManyRejected {
        rejected,
        read,
        limit: (limit * 100.0).round() as u32,
        mostly: mostly.unwrap_or_default(),
    })
}
