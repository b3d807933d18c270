//! Claiming: the rules are asked and the intents are written in one transaction, so that nothing can change between the
//! decision and the claim.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row};

use super::error::LedgerError;
use super::household::{self, Covered};
use super::line::{self, OurLine};
use super::rows::{
    attempt_state_at, instant_at, json, json_at, maybe_instant_at, maybe_outcome_at, millis, phone_at, state_at,
};
use super::runs::RunHandle;
use super::transition::Step;
use super::{approval, sql, suppression};
use crate::campaign::{Campaign, Caps, Practice};
use crate::entry::{CalledPartyZones, Content, Fact, Outcome, Reason, State};
use crate::ids::{AttemptId, EntryId, EntryKey, Location, OrganisationId};
use crate::phone::E164;
use crate::policy::{self, Again, Case, Decision, Evidence, Hours, NumberHistory, Placement, Reached, window};

/// Due entries looked at in one transaction: enough to get past many that may not be called, few enough that replies
/// queued behind it do not wait long.
const LOOKED_AT: u32 = 256;

/// Due entries looked at beside those that are wanted, in case some may not be called.
const SPARE: u32 = 8;

/// Which of a campaign's entries: those that are called on an organisation's budget, but for these locations'.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// On whose budget.
    pub organisation: OrganisationId,
    /// Locations whose patients are left as they are: the vendor does not let their number call.
    pub but: Vec<Location>,
}

impl Share {
    /// All of an organisation's.
    #[must_use]
    pub fn of(organisation: OrganisationId) -> Self {
        Self { organisation, but: Vec::new() }
    }

    /// The locations left out, as the statements take them.
    pub(super) fn left_out(&self) -> String {
        json(&self.but)
    }
}

/// What to claim.
#[derive(Debug, Clone)]
pub struct ClaimOrder {
    /// On whose account.
    pub run: RunHandle,
    /// By which rules.
    pub campaign: Arc<Campaign>,
    /// Whose entries.
    pub share: Share,
    /// The instant for which the rules are asked.
    pub now: DateTime<Utc>,
    /// Attempts authorised at most.
    pub limit: u32,
}

/// What a claim did.
#[derive(Debug, Clone, Default)]
pub struct Claims {
    /// Attempts whose intents are on stable storage: each must now be sent once.
    pub authorised: Vec<Authorised>,
    /// Entries that were due but may not be called now.
    pub set_aside: Vec<SetAside>,
    /// Who has paused the run, if somebody has: nothing was looked at.
    pub paused_by: Option<String>,
}

/// An attempt whose intent is on stable storage.
#[derive(Debug, Clone)]
pub struct Authorised {
    /// The attempt.
    pub attempt: AttemptId,
    /// Whose.
    pub entry: EntryId,
    /// On whose budget.
    pub organisation: OrganisationId,
    /// The number that calls.
    pub from: E164,
    /// The number to dial.
    pub to: E164,
    /// Which call to this entry it is, if it is placed: 1, 2, …
    pub number: u32,
    /// When the intent was committed.
    pub intent_at: DateTime<Utc>,
    /// From when on the call is not allowed any more, if it is not dialled before.
    pub allowed_until: DateTime<Utc>,
    /// What the call says.
    pub content: Content,
}

/// An entry that was due but may not be called now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Which.
    pub entry: EntryId,
    /// Where it stands now.
    pub state: State,
    /// The rule.
    pub reason: Reason,
    /// When it is due again, if it waits.
    pub until: Option<DateTime<Utc>>,
}

struct Due {
    entry: EntryId,
    key: EntryKey,
    state: State,
    organisation: OrganisationId,
    location: Option<Location>,
    phone: E164,
    zones: CalledPartyZones,
    not_after: Option<DateTime<Utc>>,
}

pub(super) fn claim(conn: &Connection, order: &ClaimOrder) -> Result<Claims, LedgerError> {
    let paused_by = conn.prepare_cached(sql!("run_paused"))?.query_row([order.run.run.0], |row| row.get(0))?;
    let mut claims = Claims { paused_by, ..Claims::default() };
    if claims.paused_by.is_some() {
        return Ok(claims);
    }
    let mut left = LOOKED_AT.max(order.limit);
    loop {
        let wanted = order.limit.saturating_sub(claims.authorised.len() as u32);
        // Whoever is claimed or set aside is not due any more: the next ones come first then.
        let most = wanted.saturating_add(SPARE).min(left);
        if wanted == 0 || most == 0 {
            break;
        }
        let found = due_entries(conn, order, most)?;
        let is_last = found.len() < most as usize;
        left -= found.len() as u32;
        for due in found {
            if claims.authorised.len() < order.limit as usize {
                settle(conn, order, due, &mut claims)?;
            }
        }
        if is_last {
            break;
        }
    }
    note_lines(conn, order, &claims)?;
    Ok(claims)
}

/// Authorises a call to a due entry, or sets it aside, as the rules have it.
fn settle(conn: &Connection, order: &ClaimOrder, due: Due, claims: &mut Claims) -> Result<(), LedgerError> {
    let Some(practice) = order.campaign.practice_at(due.location.as_ref()) else {
        claims.set_aside.push(without_a_line(conn, order, &due)?);
        return Ok(());
    };
    let mut history = history(conn, due.phone, &order.campaign.calling.caps)?;
    let covered = household::covered(conn, order.run.campaign, &due.key)?;
    history.unsettled |= covered.unsettled;
    let (decision, evidence) = decide(conn, order, practice, &due, &history, covered)?;
    let (fact, reason, until) = match decision {
        Decision::Call { until } => {
            claims.authorised.push(authorise(conn, order, practice, due, &history, until, &evidence)?);
            return Ok(());
        }
        Decision::Wait { until, reason } => (Fact::Deferred { until, reason }, reason, Some(until)),
        Decision::Hold(reason) => (Fact::SetAside { reason }, reason, None),
        Decision::Never(reason) => (Fact::Barred { reason }, reason, None),
        Decision::TooLate => (Fact::TooLate, Reason::NotAfter, None),
    };
    let state = set_aside(conn, order, &due, &fact, Some(&evidence))?;
    claims.set_aside.push(SetAside { entry: due.entry, state, reason, until });
    Ok(())
}

/// The lines that call now have been in step until now.
fn note_lines(conn: &Connection, order: &ClaimOrder, claims: &Claims) -> Result<(), LedgerError> {
    let mut noted = BTreeSet::new();
    for Authorised { organisation, from, .. } in &claims.authorised {
        if noted.insert(*from) {
            let line = OurLine { organisation: organisation.clone(), from: *from };
            line::moved_on(conn, &line, order.now)?;
        }
    }
    Ok(())
}

/// Nobody calls for its location any more: a person decides.
fn without_a_line(conn: &Connection, order: &ClaimOrder, due: &Due) -> Result<SetAside, LedgerError> {
    let reason = Reason::NoLine;
    let state = set_aside(conn, order, due, &Fact::SetAside { reason }, None)?;
    Ok(SetAside { entry: due.entry, state, reason, until: None })
}

/// The first entries that are due, at most so many.
fn due_entries(conn: &Connection, order: &ClaimOrder, most: u32) -> Result<Vec<Due>, LedgerError> {
    let RunHandle { run, campaign } = order.run;
    let (mut statement, of) = if approval::confines(conn, run)? {
        (conn.prepare_cached(sql!("planned_due"))?, run.0)
    } else {
        (conn.prepare_cached(sql!("entry_due"))?, campaign.0)
    };
    let (organisation, now) = (order.share.organisation.as_str(), millis(order.now));
    let mut rows = statement.query((of, organisation, now, most, order.share.left_out()))?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        due.push(due_entry(row)?);
    }
    Ok(due)
}

fn due_entry(row: &Row<'_>) -> Result<Due, LedgerError> {
    Ok(Due {
        entry: EntryId(row.get("id")?),
        key: EntryKey::new(row.get::<_, String>("key")?),
        state: state_at(row, "state")?,
        organisation: OrganisationId::new(row.get::<_, String>("organisation")?),
        location: row.get::<_, Option<String>>("location")?.map(Location::new),
        phone: phone_at(row, "phone")?,
        zones: json_at(row, "zones")?,
        not_after: maybe_instant_at(row, "not_after")?,
    })
}

fn decide(
    conn: &Connection,
    order: &ClaimOrder,
    practice: &Practice,
    due: &Due,
    history: &NumberHistory,
    covered: Covered,
) -> Result<(Decision, Evidence), LedgerError> {
    let Campaign { calling, redial, .. } = &*order.campaign;
    let (calls, last) = calls_of(conn, due.entry, due.phone)?;
    let case = Case {
        hours: &Hours::of_entry(calling, &practice.zone, due.phone, &due.zones),
        caps: &calling.caps,
        state_cap: window::state_cap(calling, due.phone, &due.zones),
        again: Some(Again { rules: redial, zone: &practice.zone, calls, last }),
        history,
        suppressed: suppression::forbids(conn, due.phone, order.campaign.purpose, order.now)?,
        spoken_for: covered.spoken_for,
        not_after: due.not_after,
    };
    Ok((policy::decide(&case, order.now), Evidence::of(&case, calling, &due.zones, order.now)))
}

/// The calls to an entry that were placed, or may have been, and when the last of them was, but for those to another number
/// than `phone` that was found wrong.
pub(super) fn calls_of(
    conn: &Connection,
    entry: EntryId,
    phone: E164,
) -> Result<(u32, Option<DateTime<Utc>>), LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_calls_of"))?;
    let (calls, last) = statement
        .query_row((entry.0, phone.expose()), |row| Ok((row.get("calls")?, maybe_instant_at(row, "last_at"))))?;
    Ok((calls, last?))
}

/// The calls to a number, from every campaign. What may have been placed counts as placed.
pub(super) fn history(conn: &Connection, phone: E164, caps: &Caps) -> Result<NumberHistory, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_history"))?;
    let mut rows = statement.query([phone.expose()])?;
    let mut history = NumberHistory::default();
    while let Some(row) = rows.next()? {
        history.unsettled |= attempt_state_at(row, "state")?.is_under_way();
        let reached = match maybe_outcome_at(row, "outcome")?.map(|outcome: Outcome| caps.failed.contains(&outcome)) {
            Some(false) => Reached::Somebody,
            Some(true) => Reached::Nobody,
            None => Reached::NotKnown,
        };
        history.placements.push(Placement { at: instant_at(row, "placed_at")?, reached });
    }
    // Sorted here: SQLite would open a sorter for every call, and hardly any number has been called twice.
    history.placements.sort_by_key(|placement| placement.at);
    Ok(history)
}

fn authorise(
    conn: &Connection,
    order: &ClaimOrder,
    practice: &Practice,
    due: Due,
    history: &NumberHistory,
    allowed_until: DateTime<Utc>,
    evidence: &Evidence,
) -> Result<Authorised, LedgerError> {
    let line = OurLine { organisation: due.organisation.clone(), from: practice.from_number };
    let number = evidence.calls_to_entry + 1;
    let attempt = insert_attempt(conn, order.run, &line, due.entry, due.phone, number, order.now)?;
    household::note(conn, attempt, due.entry)?;
    let detail = format!("call {number}; {} earlier calls to the number", history.placements.len());
    Step {
        run: order.run.run,
        entry: due.entry,
        attempt: Some(attempt),
        at: order.now,
        from: due.state,
        fact: &Fact::Claimed,
        detail: Some(&detail),
    }
    .take_by(conn, Some(evidence))?;
    let content = conn
        .prepare_cached(sql!("entry_content"))?
        .query_row([due.entry.0], |row| Ok(json_at::<Content>(row, "content")))??;
    let (Due { entry, phone: to, .. }, OurLine { organisation, from }) = (due, line);
    let intent_at = order.now;
    Ok(Authorised { attempt, entry, organisation, from, to, number, intent_at, allowed_until, content })
}

/// An attempt that is being submitted: the call of that `number` to its entry, if it is placed.
pub(super) fn insert_attempt(
    conn: &Connection,
    run: RunHandle,
    line: &OurLine,
    entry: EntryId,
    to: E164,
    number: u32,
    intent_at: DateTime<Utc>,
) -> Result<AttemptId, LedgerError> {
    conn.prepare_cached(sql!("attempt_insert"))?.execute((
        entry.0,
        run.run.0,
        number,
        line.organisation.as_str(),
        line.from.expose(),
        to.expose(),
        millis(intent_at),
    ))?;
    Ok(AttemptId(conn.last_insert_rowid()))
}

fn set_aside(
    conn: &Connection,
    order: &ClaimOrder,
    due: &Due,
    fact: &Fact,
    evidence: Option<&Evidence>,
) -> Result<State, LedgerError> {
    let (run, at, from) = (order.run.run, order.now, due.state);
    Step { run, entry: due.entry, attempt: None, at, from, fact, detail: None }.take_by(conn, evidence)
}
