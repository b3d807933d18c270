//! What a run would do: who would be called, when at the earliest and when their turn comes, who would not, and by which
//! rule. Nothing is written and nobody is called.
//!
//! A [`Planner`] takes the entries of a list, one by one, and asks the same rules as a claim does ([`crate::policy`]),
//! over what the ledger holds if there is one. [`turns`] then plays the calls through the organisation's request budget,
//! which says when each one's turn comes; [`mod@file`] is the plan as it is written down, approved and dialled, and [`moved`]
//! what has changed since it was written.

pub mod file;
pub mod moved;
pub mod turns;

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use chrono::{DateTime, Utc};

use crate::campaign::{Campaign, Caps, Practice};
use crate::entry::{CalledPartyZones, Content, Draft, Member, Outcome, Reason, State};
use crate::ids::{CampaignId, EntryId, EntryKey, Location, OrganisationId};
use crate::ledger::{Absence, Absent, Enrolled, LedgerError, Outlook, Reader};
use crate::phone::E164;
use crate::policy::{self, Again, Case, Decision, Hours, NumberHistory, Placement, Reached, window};
use crate::zone::Zone;

pub use turns::{Forecast, Lengths, Why};

/// What a run would do.
#[derive(Default)]
pub struct Plan {
    /// The calls, in the order in which they would be claimed.
    pub calls: Vec<Planned>,
    /// Entries that would not be called, in the list's order.
    pub left_out: Vec<LeftOut>,
    /// Entries of earlier lists that this one does not have.
    pub gone: Vec<Gone>,
    /// What the list changes about the campaign's entries.
    pub changes: Enrolled,
}

/// A call that would be made.
pub struct Planned {
    /// Whose.
    pub key: EntryKey,
    /// The row of the list.
    pub line: u64,
    /// The entry's number in the ledger, if it has one.
    pub entry: Option<EntryId>,
    /// The number to dial.
    pub phone: E164,
    /// The earliest instant that every rule allows.
    pub earliest: DateTime<Utc>,
    /// When its turn is expected, and why then.
    pub turn: Turn,
    /// Calls to the entry so far.
    pub calls: u32,
    /// Calls to the number so far, from every campaign.
    pub calls_to_number: u32,
    /// What would be said, where it was asked for.
    pub script: Option<Box<Script>>,
    hours: Rc<Hours>,
    /// On whose budget it is made.
    organisation: OrganisationId,
}

/// When a call's turn is expected to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// When; `None` if not in this run.
    pub at: Option<DateTime<Utc>>,
    /// Why not before.
    pub why: Why,
}

/// Everything that a call says, and where it may ring.
pub struct Script {
    /// The patient's other numbers.
    pub other_numbers: Vec<E164>,
    /// Where the called party may be.
    pub zones: CalledPartyZones,
    /// The call makes no sense after this instant.
    pub not_after: Option<DateTime<Utc>>,
    /// What it says.
    pub content: Content,
    /// The household's other patients whom it covers.
    pub covers: Vec<Member>,
}

/// An entry that would not be called.
pub struct LeftOut {
    /// Whose.
    pub key: EntryKey,
    /// The row of the list.
    pub line: u64,
    /// The entry's number in the ledger, if it has one.
    pub entry: Option<EntryId>,
    /// Where it would stand.
    pub state: State,
    /// By which rule.
    pub reason: Option<Reason>,
    /// What its last conversation meant.
    pub outcome: Option<Outcome>,
}

/// An entry that the list does not have any more.
pub struct Gone {
    /// Whose.
    pub key: EntryKey,
    /// The row of the earlier list.
    pub line: u64,
    /// The entry's number in the ledger.
    pub entry: EntryId,
    /// What becomes of it.
    pub absence: Absence,
    /// Whether it was still to be called.
    pub is_to_call: bool,
}

/// What a ledger holds, as far as a plan needs it.
pub struct Book<'a> {
    reader: &'a Reader,
    campaign: Option<CampaignId>,
}

impl<'a> Book<'a> {
    /// The ledger as of one commit.
    pub fn of(reader: &'a Reader, campaign: &Campaign) -> Result<Self, LedgerError> {
        reader.hold_still()?;
        Ok(Self { reader, campaign: reader.campaign(&campaign.name)? })
    }
}

/// An entry, whatever it comes from.
struct Candidate<'a> {
    key: &'a EntryKey,
    line: u64,
    phone: E164,
    location: Option<&'a Location>,
    zones: &'a CalledPartyZones,
    not_after: Option<DateTime<Utc>>,
    outlook: Outlook,
}

/// Makes a plan of a list's entries.
pub struct Planner<'a> {
    campaign: &'a Campaign,
    book: Option<Book<'a>>,
    now: DateTime<Utc>,
    with_scripts: bool,
    /// Entries of the same place share their hours.
    hours: HashMap<(u64, String, String), Rc<Hours>>,
    /// Calls that are planned already, by their number.
    planned: HashMap<E164, Planning>,
    listed: HashSet<EntryKey>,
    plan: Plan,
}

/// The calls to one number that are planned already: the newest of them, which are all that caps can ask for. A placeholder's
/// number may have thousands.
#[derive(Debug, Default)]
struct Planning {
    newest: VecDeque<Placement>,
    forgotten: u32,
}

impl Planning {
    fn add(&mut self, placement: Placement, caps: &Caps) {
        let counted = caps.per_7_days.max(caps.per_30_days).max(MOST_A_DAY);
        self.newest.push_back(placement);
        if self.newest.len() > counted as usize {
            self.newest.pop_front();
            self.forgotten += 1;
        }
    }
}

/// No state's rule allows more calls in 24 hours.
const MOST_A_DAY: u32 = 24;

impl<'a> Planner<'a> {
    /// A plan for a run that starts at `now`, over what `book` holds. `with_scripts`: what the calls say is kept, too.
    #[must_use]
    pub fn new(campaign: &'a Campaign, book: Option<Book<'a>>, now: DateTime<Utc>, with_scripts: bool) -> Self {
        let (hours, planned, listed) = (HashMap::new(), HashMap::new(), HashSet::new());
        Self { campaign, book, now, with_scripts, hours, planned, listed, plan: Plan::default() }
    }

    /// Takes the next entry of the list.
    pub fn take(&mut self, draft: Draft) -> Result<(), LedgerError> {
        let outlook = match &self.book {
            Some(Book { reader, campaign: Some(campaign) }) => reader.outlook(*campaign, &draft, self.now)?,
            Some(_) | None => Outlook::new(&draft, self.now),
        };
        self.plan.changes.count(outlook.change);
        let phone = outlook.phone;
        let &Draft { ref key, line, ref zones, not_after, .. } = &draft;
        let location = draft.location.as_ref();
        let callable = self.place(&Candidate { key, line, phone, location, zones, not_after, outlook })?;
        self.listed.insert(draft.key.clone());
        let Draft { alternatives, zones, content, not_after, members, .. } = draft;
        let script = Script { other_numbers: alternatives, zones, not_after, content, covers: members };
        self.keep(callable, script);
        Ok(())
    }

    /// The list has ended: what becomes of the campaign's other entries, which are withdrawn if `withdraw` says so.
    pub fn finish(mut self, withdraw: bool) -> Result<Plan, LedgerError> {
        if let Some(Book { reader, campaign: Some(campaign) }) = &self.book {
            for absent in reader.absent(*campaign, &self.listed, withdraw)? {
                self.take_absent(absent)?;
            }
        }
        // The ledger claims what is due by its number, and hands out numbers in the list's order.
        self.plan.calls.sort_by_key(|call| (call.entry.is_none(), call.entry, call.line));
        Ok(self.plan)
    }

    fn take_absent(&mut self, absent: Absent) -> Result<(), LedgerError> {
        let Absent { entry, key, line, phone, location, zones, content, not_after, absence, outlook } = absent;
        let is_to_call = matches!(outlook.state, State::Ready | State::Waiting);
        self.plan.gone.push(Gone { key: key.clone(), line, entry, absence, is_to_call });
        if absence != Absence::Kept {
            return Ok(());
        }
        let location = location.as_ref();
        let callable =
            self.place(&Candidate { key: &key, line, phone, location, zones: &zones, not_after, outlook })?;
        self.keep(callable, Script { other_numbers: Vec::new(), zones, not_after, content, covers: Vec::new() });
        Ok(())
    }

    /// Puts an entry where the rules put it. Whether it would be called.
    fn place(&mut self, candidate: &Candidate<'_>) -> Result<bool, LedgerError> {
        let outlook = &candidate.outlook;
        if !matches!(outlook.state, State::Ready | State::Waiting) {
            self.leave_out(candidate, outlook.state, outlook.reason);
            return Ok(false);
        }
        let Some(practice) = self.campaign.practice_at(candidate.location) else {
            return Ok(self.leave_out(candidate, State::Held, Some(Reason::NoLine)));
        };
        let hours = self.hours_of(candidate, &practice.zone);
        let history = self.history(candidate.phone)?;
        let from = self.now.max(outlook.due_at);
        let (earliest, why) = match self.decide(candidate, practice, &hours, &history, from)? {
            Decision::Call { .. } if from > self.now => (from, outlook.reason.map_or(Why::Now, Why::Rule)),
            Decision::Call { .. } => (from, Why::Now),
            Decision::Wait { until, reason } => (until, Why::Rule(reason)),
            Decision::Hold(reason) => return Ok(self.leave_out(candidate, State::Held, Some(reason))),
            Decision::Never(reason) => return Ok(self.leave_out(candidate, State::Suppressed, Some(reason))),
            Decision::TooLate => return Ok(self.leave_out(candidate, State::Expired, Some(Reason::NotAfter))),
        };
        let planning = self.planned.entry(candidate.phone).or_default();
        let calls_to_number = history.placements.len() as u32 + planning.forgotten;
        planning.add(Placement { at: earliest, reached: Reached::NotKnown }, &self.campaign.calling.caps);
        self.plan.calls.push(Planned {
            key: candidate.key.clone(),
            line: candidate.line,
            entry: outlook.entry,
            phone: candidate.phone,
            earliest,
            turn: Turn { at: Some(earliest), why },
            calls: outlook.calls,
            calls_to_number,
            script: None,
            hours,
            organisation: practice.organisation.clone(),
        });
        Ok(true)
    }

    /// Puts the entry among those left out. Returns `false`, not called, so that a match arm may return it.
    fn leave_out(&mut self, candidate: &Candidate<'_>, state: State, reason: Option<Reason>) -> bool {
        let Outlook { entry, outcome, .. } = candidate.outlook;
        self.plan.left_out.push(LeftOut {
            key: candidate.key.clone(),
            line: candidate.line,
            entry,
            state,
            reason,
            outcome,
        });
        false
    }

    fn keep(&mut self, callable: bool, script: Script) {
        if let Some(call) = self.plan.calls.last_mut().filter(|_| callable && self.with_scripts) {
            call.script = Some(Box::new(script));
        }
    }

    fn decide(
        &self,
        candidate: &Candidate<'_>,
        practice: &Practice,
        hours: &Hours,
        history: &NumberHistory,
        at: DateTime<Utc>,
    ) -> Result<Decision, LedgerError> {
        let Campaign { calling, redial, purpose, .. } = self.campaign;
        let Outlook { calls, last_call, .. } = candidate.outlook;
        let suppressed = match &self.book {
            Some(book) => book.reader.forbids(candidate.phone, *purpose, at)?,
            None => false,
        };
        let case = Case {
            hours,
            caps: &calling.caps,
            state_cap: window::state_cap(calling, candidate.phone, candidate.zones),
            again: Some(Again { rules: redial, zone: &practice.zone, calls, last: last_call }),
            history,
            suppressed,
            spoken_for: candidate.outlook.spoken_for,
            not_after: candidate.not_after,
        };
        Ok(policy::decide(&case, at))
    }

    /// The calls to a number: those that the ledger holds, and those that are planned.
    fn history(&self, phone: E164) -> Result<NumberHistory, LedgerError> {
        let mut history = match &self.book {
            Some(book) => book.reader.calls_to(phone, &self.campaign.calling.caps)?,
            None => NumberHistory::default(),
        };
        history.placements.extend(self.planned.get(&phone).into_iter().flat_map(|planning| &planning.newest));
        Ok(history)
    }

    fn hours_of(&mut self, candidate: &Candidate<'_>, practice: &Zone) -> Rc<Hours> {
        let area = candidate.phone.north_american().map_or(0, |parts| u64::from(parts.area));
        let CalledPartyZones { zones, regions, source } = candidate.zones;
        let place = format!("{source:?} {zones:?} {regions:?}");
        let hours = self.hours.entry((area, place, practice.name().to_owned()));
        let calling = &self.campaign.calling;
        let of_entry = || Rc::new(Hours::of_entry(calling, practice, candidate.phone, candidate.zones));
        Rc::clone(hours.or_insert_with(of_entry))
    }
}
