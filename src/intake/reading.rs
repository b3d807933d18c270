//! One pass over a list, from rows to entries.
//!
//! Rows come and steps go, one by one. What stays in memory: a note of every key that comes more than once, the
//! patients of a shared number until the last of its rows has been seen, and, where the last row of a key counts, the
//! patients of such keys until the end.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::Step;
use super::contact::Contact;
use super::footer::is_no_patient;
use super::household::{Call, Candidate, calls_of, speaker_first};
use super::list::{Row, Rows};
use super::message::{Renderers, Texts};
use super::patient::{Patient, PatientReader};
use super::problem::ListProblem;
use super::rejection::{RejectReason, Rejection};
use super::repeats::hash_of;
use super::tally::{Summary, Warning};
use crate::campaign::{Campaign, OnConflict};
use crate::entry::{Content, Draft, Member, Standing};
use crate::ids::OrganisationId;
use crate::phone::E164;
use crate::phone::cell::CellRules;

/// One pass over a list: an iterator over what becomes of its rows, and a [`Summary`] at its end.
pub struct Reading<'i> {
    rows: Rows,
    reader: PatientReader<'i>,
    rules: CellRules<'i>,
    renderers: Renderers<'i>,
    campaign: &'i Campaign,
    seen: HashMap<u128, Seen>,
    homes: HashMap<E164, Home>,
    kept: BTreeMap<u128, Candidate>,
    ready: VecDeque<Step>,
    summary: Summary,
    ended: bool,
}

impl std::fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("summary", &self.summary).finish_non_exhaustive()
    }
}

/// A key that was accepted.
struct Seen {
    line: u64,
    data: u64,
}

/// The patients of a shared number, and how many of its rows are still to come.
struct Home {
    to_come: u32,
    patients: Vec<Candidate>,
}

/// What a row is before its household is known.
enum Sorted {
    Patient(Box<Patient>),
    Duplicate(u64),
    /// Its key comes more than once, and the last row of it counts.
    Kept(u128, Box<Patient>),
}

impl<'i> Reading<'i> {
    pub(super) fn new(rows: Rows, reader: PatientReader<'i>, rules: CellRules<'i>) -> Self {
        Self {
            rows,
            reader,
            rules,
            renderers: Renderers::new(reader.campaign, Arc::new(reader.columns.said())),
            campaign: reader.campaign,
            seen: HashMap::new(),
            homes: HashMap::new(),
            kept: BTreeMap::new(),
            ready: VecDeque::new(),
            summary: Summary::default(),
            ended: false,
        }
    }

    /// Reads what is left and says what became of the list; or why it is refused whole, and then nothing that this
    /// reading gave may be kept.
    pub fn finish(mut self) -> Result<Summary, ListProblem> {
        for step in self.by_ref() {
            step?;
        }
        refuse_if_mostly_bad(&self.summary, self.campaign.list.max_reject_rate)?;
        Ok(self.summary)
    }

    /// What became of the rows so far.
    #[must_use]
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    fn take(&mut self, row: Row) {
        if is_no_patient(&row, self.reader.columns) {
            return;
        }
        self.summary.tally.read += 1;
        let expected = self.reader.columns.width();
        if row.cells.len() != expected {
            let found = row.cells.len();
            return self.reject(row, RejectReason::Cells { found, expected });
        }
        let contact = Contact::of(self.reader.columns.phones(&row), self.rules);
        let number = contact.as_ref().ok().map(|contact| contact.phone.number);
        match self.sort(&row, contact) {
            Err(reason) => self.reject(row, reason),
            Ok(Sorted::Duplicate(first)) => {
                self.summary.tally.duplicate += 1;
                self.ready.push_back(Step::Duplicate { line: row.line, first });
            }
            Ok(Sorted::Patient(patient)) => self.admit(Candidate { patient, row }),
            Ok(Sorted::Kept(key, patient)) => return self.keep(key, Candidate { patient, row }),
        }
        if let Some(number) = number {
            self.count_down(number);
        }
    }

    /// Reads a row as a patient, unless its key has been seen. Only a row that can be used takes its key.
    fn sort(&mut self, row: &Row, contact: Result<Contact, RejectReason>) -> Result<Sorted, RejectReason> {
        let key = self.reader.key(row)?;
        if self.reader.survey.keys.times(self.reader.columns.key_hash(row)) == 1 {
            return self.reader.read(row, key, contact?).map(|patient| Sorted::Patient(Box::new(patient)));
        }
        let hash = self.reader.columns.long_key_hash(row);
        let data = hash_of_cells(row);
        let last_wins = self.campaign.list.on_conflict == OnConflict::LastWins;
        match self.seen.get(&hash) {
            Some(seen) if seen.data == data => return Ok(Sorted::Duplicate(seen.line)),
            Some(seen) if !last_wins => {
                let key = self.campaign.list.key.join(" + ");
                return Err(RejectReason::Conflict { key, first: seen.line });
            }
            Some(_) | None => {}
        }
        let patient = Box::new(self.reader.read(row, key, contact?)?);
        self.seen.insert(hash, Seen { line: row.line, data });
        Ok(if last_wins { Sorted::Kept(hash, patient) } else { Sorted::Patient(patient) })
    }

    /// Keeps a patient until a later row of the same key replaces it, or the list ends.
    fn keep(&mut self, key: u128, candidate: Candidate) {
        let by = candidate.row.line;
        if let Some(replaced) = self.kept.insert(key, candidate) {
            self.summary.tally.duplicate += 1;
            self.ready.push_back(Step::Replaced { line: replaced.row.line, by });
            self.count_down(replaced.patient.contact.phone.number);
        }
    }

    /// Lets a patient wait for the household, or makes an entry at once.
    fn admit(&mut self, candidate: Candidate) {
        let may_be_called = candidate.patient.judgement.standing == Standing::Ready;
        match self.home(candidate.patient.contact.phone.number) {
            Some(home) if may_be_called => home.patients.push(candidate),
            _ => self.place(vec![candidate]),
        }
    }

    /// The home of a number that several rows have.
    fn home(&mut self, number: E164) -> Option<&mut Home> {
        let to_come = self.reader.survey.numbers.times(hash_of(number));
        if to_come == 1 {
            return None;
        }
        Some(self.homes.entry(number).or_insert_with(|| Home { to_come, patients: Vec::new() }))
    }

    /// One row of a shared number has passed; after the last one its calls are settled.
    fn count_down(&mut self, number: E164) {
        let Some(home) = self.home(number) else { return };
        home.to_come = home.to_come.saturating_sub(1);
        if home.to_come == 0 {
            let patients = self.homes.remove(&number).map(|home| home.patients).unwrap_or_default();
            self.settle(patients);
        }
    }

    fn settle(&mut self, patients: Vec<Candidate>) {
        for call in calls_of(patients) {
            self.place(call);
        }
    }

    /// Makes an entry of a call. If its texts cannot be made for the one spoken to, the others are a call of their own.
    fn place(&mut self, mut call: Call) {
        while !call.is_empty() {
            match self.renderers.render(&call) {
                Ok(texts) => return self.accept(call, texts),
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

    fn accept(&mut self, call: Call, texts: Texts) {
        let summary = &mut self.summary;
        summary.tally.accepted += 1;
        let members = call.len() as u64 - 1;
        summary.tally.merged += members;
        if members > 0 && !self.renderers.names_household() {
            *summary.warnings.entry(Warning::HouseholdUnnamed).or_default() += members;
        }
        for warning in &texts.warnings {
            *summary.warnings.entry(*warning).or_default() += 1;
        }
        let judgement = call[0].patient.judgement;
        if judgement.consent_is_blank {
            *summary.warnings.entry(Warning::ConsentBlank).or_default() += 1;
        }
        if let Standing::Suppressed(reason) | Standing::Held(reason) = judgement.standing {
            *summary.kept_by.entry(reason).or_default() += 1;
        }
        let organisation = self.organisation(&call);
        let draft = draft_of(call, texts, organisation);
        self.ready.push_back(Step::Accepted(Box::new(draft)));
    }

    /// On whose budget a call is made.
    fn organisation(&self, call: &Call) -> OrganisationId {
        let practice = self.campaign.practice_at(call[0].patient.location.as_ref());
        practice.unwrap_or(&self.campaign.practice).organisation.clone()
    }

    fn reject(&mut self, row: Row, reason: RejectReason) {
        self.summary.tally.rejected += 1;
        *self.summary.rejected_by.entry(reason.rule()).or_default() += 1;
        self.ready.push_back(Step::Rejected(Rejection { line: row.line, reason }, row));
    }

    /// After the last row: whoever was kept in case of a later row, then whoever still waits for a household.
    fn settle_all(&mut self) {
        self.ended = true;
        let mut kept: Vec<Candidate> = std::mem::take(&mut self.kept).into_values().collect();
        kept.sort_by_key(|candidate| candidate.row.line);
        for candidate in kept {
            let number = candidate.patient.contact.phone.number;
            self.admit(candidate);
            self.count_down(number);
        }
        let mut left: Vec<Home> =
            self.homes.drain().map(|(_, home)| home).filter(|home| !home.patients.is_empty()).collect();
        left.sort_by_key(|home| home.patients[0].row.line);
        for home in left {
            self.settle(home.patients);
        }
    }
}

impl Iterator for Reading<'_> {
    type Item = Result<Step, ListProblem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(step) = self.ready.pop_front() {
                return Some(Ok(step));
            }
            if self.ended {
                return None;
            }
            match self.rows.next() {
                Some(Ok(row)) => self.take(row),
                Some(Err(problem)) => {
                    self.ended = true;
                    return Some(Err(problem));
                }
                None => self.settle_all(),
            }
        }
    }
}

fn draft_of(mut call: Call, texts: Texts, organisation: OrganisationId) -> Draft {
    let not_after = call.iter().filter_map(|candidate| candidate.patient.not_after).min();
    let members = call.split_off(1).into_iter().map(member_of).collect();
    let Candidate { patient, row } = call.remove(0);
    let patient = *patient;
    Draft {
        key: patient.key,
        organisation,
        location: patient.location,
        phone: patient.contact.phone.number,
        alternatives: patient.contact.alternatives,
        zones: patient.zones,
        content: Content {
            patient: patient.info,
            appointment: patient.appointment,
            context: texts.context,
            voicemail: texts.voicemail,
        },
        not_after,
        standing: patient.judgement.standing,
        members,
        line: row.line,
    }
}

fn member_of(candidate: Candidate) -> Member {
    let patient = *candidate.patient;
    Member { key: patient.key, patient: patient.info, line: candidate.row.line }
}

fn hash_of_cells(row: &Row) -> u64 {
    let mut hasher = DefaultHasher::new();
    row.cells.iter().map(str::trim).for_each(|cell| cell.hash(&mut hasher));
    hasher.finish()
}

fn refuse_if_mostly_bad(summary: &Summary, limit: f64) -> Result<(), ListProblem> {
    let (rejected, read) = (summary.tally.rejected, summary.tally.read);
    if rejected as f64 <= limit * read as f64 {
        return Ok(());
    }
    let mostly = summary.rejected_by.iter().max_by_key(|(_, count)| **count).map(|(rule, _)| rule.clone());
    Err(ListProblem::TooManyRejected {
        rejected,
        read,
        limit: (limit * 100.0).round() as u32,
        mostly: mostly.unwrap_or_default(),
    })
}
