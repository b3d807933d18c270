//! Makes a plan of a list's entries: gathers the facts that a claim would gather, and asks the same rules.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use chrono::{DateTime, Utc};

use crate::campaign::{Campaign, Practice};
use crate::entry::{AbsenceEffect, CalledPartyZones, EntryStatus, NewEntry, Outcome, Reason, State};
use crate::ids::{CampaignId, EntryId, EntryKey, Location, OrganisationId};
use crate::ledger::{AbsentEntry, CallSubject, EnrolPreview, LedgerError, LedgerReader};
use crate::phone::E164;
use crate::policy::{self, CallFacts, CallRules, Decision};

use super::planned::{CallScript, ExpectedSlot, GoneEntry, NotCalled, Plan, PlannedCall, SlotReason};
use super::planned_calls::PlannedCalls;
use super::repeated_numbers::repeated_numbers;

/// A view of the ledger at one commit, for a plan.
pub struct LedgerSnapshot<'a> {
    reader: &'a LedgerReader,
    campaign: Option<CampaignId>,
}

impl<'a> LedgerSnapshot<'a> {
    /// Starts a read of the ledger at its newest commit.
    pub fn load(reader: &'a LedgerReader, campaign: &Campaign) -> Result<Self, LedgerError> {
        reader.begin_snapshot()?;
        Ok(Self { reader, campaign: reader.campaign(&campaign.name)? })
    }
}

/// Who calls, and by which rules.
struct Caller<'a> {
    rules: CallRules<'a>,
    organisation: Rc<OrganisationId>,
    /// The decision about an entry without any history, of which there may be a million.
    without_history: Cell<Option<Decision>>,
}

/// A caller, with the called party's zones and the practice for which it is.
type KnownCaller<'a> = (CalledPartyZones, &'a Practice, Rc<Caller<'a>>);

/// An entry that is ready or waiting: of the list, or of an earlier one.
struct Candidate<'a> {
    /// How many entries were taken before it.
    index: usize,
    key: EntryKey,
    line: u64,
    entry: Option<EntryId>,
    phone: E164,
    not_after: Option<DateTime<Utc>>,
    status: EntryStatus,
    /// `None`: the campaign has no caller id for the location.
    caller: Option<Rc<Caller<'a>>>,
    /// The keys of the household members that the call covers.
    covers: Vec<EntryKey>,
    script: Option<Box<CallScript>>,
}

/// Makes a plan of a list's entries.
pub struct Planner<'a> {
    campaign: &'a Campaign,
    snapshot: Option<LedgerSnapshot<'a>>,
    now: DateTime<Utc>,
    with_scripts: bool,
    /// Callers by area code and caller id, with the called party's zones and the practice for which they are.
    callers: HashMap<(u64, E164), Vec<KnownCaller<'a>>>,
    /// Whether the entries are claimed in the order in which they come.
    is_in_order: bool,
    candidates: Vec<Candidate<'a>>,
    /// The keys of the list's entries, if the ledger may have others.
    listed: HashSet<EntryKey>,
    /// The patients of the list whom the call to another covers, if the ledger has the campaign.
    merged: HashSet<EntryKey>,
    planned: PlannedCalls,
    taken: usize,
    /// Entries that are not called, each with how many entries were taken before it.
    left_out: Vec<(usize, NotCalled)>,
    plan: Plan,
}

impl<'a> Planner<'a> {
    /// A plan for a run that starts at `now` on the ledger in `snapshot`. `with_scripts`: keep the calls' texts, too.
    #[must_use]
    pub fn new(
        campaign: &'a Campaign,
        snapshot: Option<LedgerSnapshot<'a>>,
        now: DateTime<Utc>,
        with_scripts: bool,
    ) -> Self {
        Self {
            campaign,
            now,
            with_scripts,
            callers: HashMap::new(),
            is_in_order: snapshot.is_none() && campaign.locations.organisations().len() == 1,
            snapshot,
            candidates: Vec::new(),
            listed: HashSet::new(),
            merged: HashSet::new(),
            planned: PlannedCalls::new(&campaign.calling.caps),
            taken: 0,
            left_out: Vec::new(),
            plan: Plan::default(),
        }
    }

    /// Adds the next entry of the list.
    pub fn take(&mut self, new_entry: NewEntry) -> Result<(), LedgerError> {
        let preview = match &self.snapshot {
            Some(LedgerSnapshot { reader, campaign: Some(campaign) }) => {
                self.listed.insert(new_entry.key.clone());
                self.merged.extend(new_entry.members.iter().map(|member| member.key.clone()));
                reader.preview(*campaign, &new_entry, self.campaign.redial.max_attempts, self.now)?
            }
            Some(_) | None => EnrolPreview::new(&new_entry, self.now),
        };
        self.plan.changes.count(preview.change);
        let EnrolPreview { entry, phone, status, .. } = preview;
        let NewEntry { key, line, location, alternatives, zones, content, not_after, members, .. } = new_entry;
        let covers = members.iter().map(|member| member.key.clone()).collect();
        let script = CallScript { other_numbers: alternatives, zones, not_after, content, covers: members };
        self.add((key, line, entry), phone, status, location.as_ref(), covers, script)
    }

    /// Ends the list, adds the campaign's entries that are not on it, and decides about each entry in the order of the
    /// claims. `withdraw`: the entries that are not on the list are withdrawn.
    pub fn finish(mut self, withdraw: bool) -> Result<Plan, LedgerError> {
        if let Some(LedgerSnapshot { reader, campaign: Some(campaign) }) = &self.snapshot {
            for absent in reader.absent(*campaign, &self.listed, withdraw, self.now)? {
                self.add_absent(absent)?;
            }
        }
        let mut candidates = std::mem::take(&mut self.candidates);
        let organisations = self.campaign.locations.organisations().iter().enumerate();
        let organisations: HashMap<_, _> =
            organisations.map(|(index, organisation)| (&organisation.id, index)).collect();
        candidates.sort_by_key(|candidate| claim_order(candidate, &organisations, self.now));
        for candidate in candidates {
            self.place(candidate)?;
        }
        self.left_out.sort_by_key(|(index, _)| *index);
        self.plan.left_out = self.left_out.into_iter().map(|(_, not_called)| not_called).collect();
        // A run's entries have ids in the list's order.
        self.plan.calls.sort_unstable_by_key(|call| (call.entry.is_none(), call.entry, call.line));
        count_planned_calls(&mut self.plan.calls);
        Ok(self.plan)
    }

    fn add_absent(&mut self, absent: AbsentEntry) -> Result<(), LedgerError> {
        let AbsentEntry { entry, key, line, phone, location, zones, content, not_after, absence, status, covers } =
            absent;
        let is_to_call = status.state.is_callable() && !self.merged.contains(&key);
        self.plan.gone.push(GoneEntry { key: key.clone(), line, entry, absence, is_to_call });
        if absence != AbsenceEffect::Kept {
            return Ok(());
        }
        let script = CallScript { other_numbers: Vec::new(), zones, not_after, content, covers: Vec::new() };
        self.add((key, line, Some(entry)), phone, status, location.as_ref(), covers, script)
    }

    /// Adds an entry to those that a claim decides about, or, if no claim would, to those left out.
    fn add(
        &mut self,
        (key, line, entry): (EntryKey, u64, Option<EntryId>),
        phone: E164,
        status: EntryStatus,
        location: Option<&Location>,
        covers: Vec<EntryKey>,
        script: CallScript,
    ) -> Result<(), LedgerError> {
        let (index, not_after) = (self.taken, script.not_after);
        self.taken += 1;
        let practice = self.campaign.practice_at(location);
        let caller = practice.map(|practice| self.caller(practice, phone, &script.zones));
        let script = self.with_scripts.then(|| Box::new(script));
        let candidate = Candidate { index, key, line, entry, phone, not_after, status, caller, covers, script };
        if !status.state.is_callable() {
            self.leave_out(candidate, status.state, status.reason);
        } else if self.is_in_order {
            return self.place(candidate);
        } else {
            self.candidates.push(candidate);
        }
        Ok(())
    }

    /// Adds the entry to the calls or to those left out, as the rules decide at the instant at which it is due.
    fn place(&mut self, mut candidate: Candidate<'a>) -> Result<(), LedgerError> {
        let from = self.now.max(candidate.status.due_at);
        let caller = candidate.caller.clone();
        let mut facts = self.facts(&candidate, caller.as_ref().map(|caller| &caller.rules), from)?;
        let (calls, calls_to_number) = (facts.calls, facts.history.placements.len() as u32);
        self.planned.add_until(&mut facts, candidate.phone, (&candidate.key, &candidate.covers), from);
        let mut settled = None;
        let placed = match self.decide(&facts, from, caller.as_deref()) {
            Decision::Call { .. } if from > self.now => {
                Ok((from, candidate.status.reason.map_or(SlotReason::Now, SlotReason::Rule)))
            }
            Decision::Call { .. } => Ok((from, SlotReason::Now)),
            Decision::Wait { until, reason } => Ok((until, SlotReason::Rule(reason))),
            Decision::Hold(reason) => Err((State::Held, reason)),
            Decision::Never(reason) => Err((State::Suppressed, reason)),
            Decision::Settled(outcome) => {
                settled = Some(outcome);
                Err((State::Finished, Reason::SpokenFor))
            }
            Decision::TooLate(reason) => Err((State::Expired, reason)),
        };
        let placed = placed.and_then(|(earliest, why)| {
            Ok((earliest, ExpectedSlot { at: self.after_planned(facts, candidate.phone, from, earliest)?, why }))
        });
        candidate.status.outcome = settled.or(candidate.status.outcome);
        match placed {
            Ok((earliest, slot)) => self.add_call(candidate, earliest, slot, (calls, calls_to_number)),
            Err((state, reason)) => {
                // A wrong number speaks for itself.
                let is_wrong = settled.is_some_and(Outcome::means_wrong_number);
                self.leave_out(candidate, state, (!is_wrong).then_some(reason));
            }
        }
        Ok(())
    }

    /// The decision about an entry; the same for all without a history.
    fn decide(&self, facts: &CallFacts<'_>, at: DateTime<Utc>, caller: Option<&Caller<'_>>) -> Decision {
        let Some(caller) = caller.filter(|_| at == self.now && facts.are_of_rules_alone()) else {
            return policy::decide(facts, at);
        };
        let decision = caller.without_history.get().unwrap_or_else(|| policy::decide(facts, at));
        caller.without_history.set(Some(decision));
        decision
    }

    fn add_call(
        &mut self,
        candidate: Candidate<'_>,
        earliest: DateTime<Utc>,
        slot: ExpectedSlot,
        (calls, calls_to_number): (u32, u32),
    ) {
        let Candidate { key, line, entry, phone, caller, covers, script, .. } = candidate;
        let is_of_earlier_list = entry.is_some() && !self.listed.contains(&key);
        self.planned.add(phone, line, is_of_earlier_list.then(|| key.clone()), covers, slot.at);
        // Without a caller, the decision was to hold the entry.
        let Some(caller) = caller else { return };
        let (hours, organisation) = (Rc::clone(&caller.rules.hours), Rc::clone(&caller.organisation));
        self.plan.calls.push(PlannedCall {
            key,
            line,
            entry,
            phone,
            earliest,
            slot,
            calls,
            calls_to_number,
            script,
            hours,
            organisation,
        });
    }

    /// The instant of a call that is allowed at `earliest`, decided at `from`. A deferred call also waits for the calls to
    /// its number that are planned for later than `from`: with them it may come too late.
    fn after_planned(
        &self,
        mut facts: CallFacts<'_>,
        phone: E164,
        from: DateTime<Utc>,
        earliest: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, (State, Reason)> {
        if earliest == from || !self.planned.add_later(&mut facts, phone, from) {
            return Ok(Some(earliest));
        }
        match policy::decide(&facts, from) {
            Decision::Wait { until, .. } => Ok(Some(until.max(earliest))),
            Decision::Call { .. } => Ok(Some(earliest)),
            Decision::TooLate(reason) => Err((State::Expired, reason)),
            Decision::Hold(_) | Decision::Never(_) | Decision::Settled(_) => Ok(None),
        }
    }

    fn leave_out(&mut self, candidate: Candidate<'_>, state: State, reason: Option<Reason>) {
        let Candidate { index, key, line, entry, phone, status, .. } = candidate;
        let is_used = reason == Some(Reason::NumberUsed);
        let used_by = is_used.then(|| self.planned.line_of_last(phone)).flatten();
        self.left_out.push((index, NotCalled { key, line, entry, state, reason, outcome: status.outcome, used_by }));
    }

    /// What the ledger knows about calling the entry.
    fn facts<'f>(
        &self,
        candidate: &'f Candidate<'_>,
        rules: Option<&'f CallRules<'f>>,
        at: DateTime<Utc>,
    ) -> Result<CallFacts<'f>, LedgerError> {
        let &Candidate { ref key, ref covers, entry, phone, not_after, .. } = candidate;
        let Some(LedgerSnapshot { reader, campaign }) = &self.snapshot else {
            return Ok(CallFacts::without_ledger(rules, not_after));
        };
        let (campaign, purpose) = (*campaign, self.campaign.purpose);
        reader.call_facts(CallSubject { campaign, purpose, entry, key, covers, phone, not_after, rules }, at)
    }

    fn caller(&mut self, practice: &'a Practice, phone: E164, party: &CalledPartyZones) -> Rc<Caller<'a>> {
        let area = phone.north_american().map_or(0, |parts| u64::from(parts.area));
        let known = self.callers.entry((area, practice.from_number)).or_default();
        let is_same = |(zones, of, _): &&KnownCaller<'_>| {
            zones == party && of.zone.name() == practice.zone.name() && of.organisation == practice.organisation
        };
        if let Some((.., caller)) = known.iter().find(is_same) {
            return Rc::clone(caller);
        }
        let caller = Rc::new(Caller {
            rules: CallRules::new(self.campaign, practice, phone, party),
            organisation: Rc::new(practice.organisation.clone()),
            without_history: Cell::new(None),
        });
        known.push((party.clone(), practice, Rc::clone(&caller)));
        caller
    }
}

/// What is due at `now` is claimed first: each organisation claims its own entries, by when they are due, then by their ids.
/// Those that the ledger has come before those that it gets now. An entry without a caller id is the first organisation's.
fn claim_order(
    candidate: &Candidate<'_>,
    organisations: &HashMap<&OrganisationId, usize>,
    now: DateTime<Utc>,
) -> impl Ord + use<> {
    let &Candidate { index, entry, status, ref caller, .. } = candidate;
    let owner = caller.as_ref().and_then(|caller| organisations.get(&*caller.organisation));
    let owner = owner.copied().unwrap_or_default();
    (status.due_at.max(now), owner, status.due_at, entry.is_none(), entry, index)
}

/// Adds to each call's number of calls to its number the calls that precede it in the plan.
fn count_planned_calls(calls: &mut [PlannedCall]) {
    let mut planned: HashMap<E164, u32> = repeated_numbers(calls.iter().map(|call| call.phone));
    for call in calls {
        if let Some(earlier) = planned.get_mut(&call.phone) {
            call.calls_to_number += *earlier;
            *earlier += 1;
        }
    }
}
