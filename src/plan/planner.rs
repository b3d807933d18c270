//! Makes a plan of a list's entries: applies the rules of a claim to the state of the ledger.

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use chrono::{DateTime, Utc};

use crate::campaign::{Campaign, Caps, Practice};
use crate::entry::{CalledPartyZones, NewEntry, Reason, State};
use crate::ids::{CampaignId, EntryKey, Location};
use crate::ledger::{AbsenceEffect, AbsentEntry, EnrolPreview, LedgerError, LedgerReader};
use crate::phone::E164;
use crate::policy::{
    self, CallFacts, ContactResult, Decision, Hours, NumberHistory, PastCall, RedialFacts, dialing_hours,
};
use crate::zone::Zone;

use super::planned::{CallScript, ExpectedSlot, GoneEntry, NotCalled, Plan, PlannedCall, SlotReason};

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

/// An entry of the list or of the ledger, as the rules need it.
struct PlanCandidate<'a> {
    key: &'a EntryKey,
    line: u64,
    phone: E164,
    location: Option<&'a Location>,
    zones: &'a CalledPartyZones,
    not_after: Option<DateTime<Utc>>,
    preview: EnrolPreview,
}

/// Makes a plan of a list's entries.
pub struct Planner<'a> {
    campaign: &'a Campaign,
    snapshot: Option<LedgerSnapshot<'a>>,
    now: DateTime<Utc>,
    with_scripts: bool,
    /// Hours by area code, called party's zones and practice zone.
    hours: HashMap<(u64, String, String), Rc<Hours>>,
    /// Calls already planned, by number.
    planned: HashMap<E164, PlannedNumber>,
    listed: HashSet<EntryKey>,
    plan: Plan,
}

/// The calls already planned to one number. Only the newest are kept, which is all that caps need: a placeholder's number
/// may have thousands.
#[derive(Debug, Default)]
struct PlannedNumber {
    newest: VecDeque<PastCall>,
    /// Calls that are no longer in `newest`.
    dropped: u32,
}

impl PlannedNumber {
    fn add(&mut self, placement: PastCall, caps: &Caps) {
        let counted = caps.per_7_days.max(caps.per_30_days).max(MOST_A_DAY);
        self.newest.push_back(placement);
        if self.newest.len() > counted as usize {
            self.newest.pop_front();
            self.dropped += 1;
        }
    }
}

/// The upper bound of the states' limits on calls in 24 hours.
const MOST_A_DAY: u32 = 24;

impl<'a> Planner<'a> {
    /// A plan for a run that starts at `now` on the ledger in `snapshot`. `with_scripts`: keep the calls' texts, too.
    #[must_use]
    pub fn new(
        campaign: &'a Campaign,
        snapshot: Option<LedgerSnapshot<'a>>,
        now: DateTime<Utc>,
        with_scripts: bool,
    ) -> Self {
        let (hours, planned, listed) = (HashMap::new(), HashMap::new(), HashSet::new());
        Self { campaign, snapshot, now, with_scripts, hours, planned, listed, plan: Plan::default() }
    }

    /// Adds the next entry of the list.
    pub fn take(&mut self, new_entry: NewEntry) -> Result<(), LedgerError> {
        let preview = match &self.snapshot {
            Some(LedgerSnapshot { reader, campaign: Some(campaign) }) => {
                reader.preview(*campaign, &new_entry, self.now)?
            }
            Some(_) | None => EnrolPreview::new(&new_entry, self.now),
        };
        self.plan.changes.count(preview.change);
        let phone = preview.phone;
        let &NewEntry { ref key, line, ref zones, not_after, .. } = &new_entry;
        let location = new_entry.location.as_ref();
        let is_called = self.add(&PlanCandidate { key, line, phone, location, zones, not_after, preview })?;
        self.listed.insert(new_entry.key.clone());
        let NewEntry { alternatives, zones, content, not_after, members, .. } = new_entry;
        let script = CallScript { other_numbers: alternatives, zones, not_after, content, covers: members };
        self.keep_script(is_called, script);
        Ok(())
    }

    /// Ends the list and adds the campaign's entries that are not on it. `withdraw`: they are withdrawn.
    pub fn finish(mut self, withdraw: bool) -> Result<Plan, LedgerError> {
        if let Some(LedgerSnapshot { reader, campaign: Some(campaign) }) = &self.snapshot {
            for absent in reader.absent(*campaign, &self.listed, withdraw)? {
                self.add_absent(absent)?;
            }
        }
        // The ledger claims due entries in the order of their ids, and assigns ids in the list's order.
        self.plan.calls.sort_by_key(|call| (call.entry.is_none(), call.entry, call.line));
        Ok(self.plan)
    }

    fn add_absent(&mut self, absent: AbsentEntry) -> Result<(), LedgerError> {
        let AbsentEntry { entry, key, line, phone, location, zones, content, not_after, absence, preview } = absent;
        let is_to_call = matches!(preview.state, State::Ready | State::Waiting);
        self.plan.gone.push(GoneEntry { key: key.clone(), line, entry, absence, is_to_call });
        if absence != AbsenceEffect::Kept {
            return Ok(());
        }
        let location = location.as_ref();
        let is_called =
            self.add(&PlanCandidate { key: &key, line, phone, location, zones: &zones, not_after, preview })?;
        let script = CallScript { other_numbers: Vec::new(), zones, not_after, content, covers: Vec::new() };
        self.keep_script(is_called, script);
        Ok(())
    }

    /// Adds an entry to the calls or to those left out, as the rules decide. Whether it would be called.
    fn add(&mut self, candidate: &PlanCandidate<'_>) -> Result<bool, LedgerError> {
        let preview = &candidate.preview;
        if !matches!(preview.state, State::Ready | State::Waiting) {
            self.leave_out(candidate, preview.state, preview.reason);
            return Ok(false);
        }
        let Some(practice) = self.campaign.practice_at(candidate.location) else {
            return Ok(self.leave_out(candidate, State::Held, Some(Reason::NoLine)));
        };
        let hours = self.hours_of(candidate, &practice.zone);
        let history = self.history(candidate.phone)?;
        let from = self.now.max(preview.due_at);
        let (earliest, why) = match self.decide(candidate, practice, &hours, &history, from)? {
            Decision::Call { .. } if from > self.now => {
                (from, preview.reason.map_or(SlotReason::Now, SlotReason::Rule))
            }
            Decision::Call { .. } => (from, SlotReason::Now),
            Decision::Wait { until, reason } => (until, SlotReason::Rule(reason)),
            Decision::Hold(reason) => return Ok(self.leave_out(candidate, State::Held, Some(reason))),
            Decision::Never(reason) => return Ok(self.leave_out(candidate, State::Suppressed, Some(reason))),
            Decision::TooLate => return Ok(self.leave_out(candidate, State::Expired, Some(Reason::NotAfter))),
        };
        let planned = self.planned.entry(candidate.phone).or_default();
        let calls_to_number = history.placements.len() as u32 + planned.dropped;
        planned.add(PastCall { at: earliest, reached: ContactResult::NotKnown }, &self.campaign.calling.caps);
        self.plan.calls.push(PlannedCall {
            key: candidate.key.clone(),
            line: candidate.line,
            entry: preview.entry,
            phone: candidate.phone,
            earliest,
            slot: ExpectedSlot { at: Some(earliest), why },
            calls: preview.calls,
            calls_to_number,
            script: None,
            hours,
            organisation: practice.organisation.clone(),
        });
        Ok(true)
    }

    /// Adds the entry to those left out. Returns `false` (not called) for use as a match arm's value.
    fn leave_out(&mut self, candidate: &PlanCandidate<'_>, state: State, reason: Option<Reason>) -> bool {
        let EnrolPreview { entry, outcome, .. } = candidate.preview;
        self.plan.left_out.push(NotCalled {
            key: candidate.key.clone(),
            line: candidate.line,
            entry,
            state,
            reason,
            outcome,
        });
        false
    }

    fn keep_script(&mut self, is_called: bool, script: CallScript) {
        if let Some(call) = self.plan.calls.last_mut().filter(|_| is_called && self.with_scripts) {
            call.script = Some(Box::new(script));
        }
    }

    fn decide(
        &self,
        candidate: &PlanCandidate<'_>,
        practice: &Practice,
        hours: &Hours,
        history: &NumberHistory,
        at: DateTime<Utc>,
    ) -> Result<Decision, LedgerError> {
        let Campaign { calling, redial, purpose, .. } = self.campaign;
        let EnrolPreview { calls, last_call, .. } = candidate.preview;
        let suppressed = match &self.snapshot {
            Some(snapshot) => snapshot.reader.forbids(candidate.phone, *purpose, at)?,
            None => false,
        };
        let facts = CallFacts {
            hours,
            caps: &calling.caps,
            state_cap: dialing_hours::state_cap(calling, candidate.phone, candidate.zones),
            redial: Some(RedialFacts { rules: redial, zone: &practice.zone, calls, last: last_call }),
            history,
            suppressed,
            spoken_for: candidate.preview.spoken_for,
            not_after: candidate.not_after,
        };
        Ok(policy::decide(&facts, at))
    }

    /// The calls to a number: those in the ledger and those already planned.
    fn history(&self, phone: E164) -> Result<NumberHistory, LedgerError> {
        let mut history = match &self.snapshot {
            Some(snapshot) => snapshot.reader.calls_to(phone, &self.campaign.calling.caps)?,
            None => NumberHistory::default(),
        };
        history.placements.extend(self.planned.get(&phone).into_iter().flat_map(|planned| &planned.newest));
        Ok(history)
    }

    fn hours_of(&mut self, candidate: &PlanCandidate<'_>, practice: &Zone) -> Rc<Hours> {
        let area = candidate.phone.north_american().map_or(0, |parts| u64::from(parts.area));
        let CalledPartyZones { zones, regions, source } = candidate.zones;
        let called_party = format!("{source:?} {zones:?} {regions:?}");
        let hours = self.hours.entry((area, called_party, practice.name().to_owned()));
        let calling = &self.campaign.calling;
        let new_hours = || Rc::new(Hours::for_entry(calling, practice, candidate.phone, candidate.zones));
        Rc::clone(hours.or_insert_with(new_hours))
    }
}
