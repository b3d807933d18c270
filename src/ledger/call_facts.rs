//! Gathers what the ledger knows about calling an entry: the one source of the facts for a claim and for `check`.

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::codec::{attempt_state_at, instant_at, maybe_instant_at, maybe_outcome_at};
use super::error::LedgerError;
use super::known_entry::KnownEntry;
use super::sql::sql;
use super::{household, suppression};
use crate::campaign::{Caps, Purpose, Redial};
use crate::ids::{CampaignId, EntryId, EntryKey};
use crate::phone::E164;
use crate::policy::{CallFacts, CallRules, NumberHistory};

/// An entry to decide about. The ledger may not have it yet.
#[derive(Clone, Copy)]
pub struct CallSubject<'a> {
    /// Its campaign; `None` if the ledger does not have it.
    pub campaign: Option<CampaignId>,
    /// The campaign's purpose.
    pub purpose: Purpose,
    /// Its id; `None` if the ledger does not have it.
    pub entry: Option<EntryId>,
    /// Its key.
    pub key: &'a EntryKey,
    /// The keys of the household members that its call covers.
    pub covers: &'a [EntryKey],
    /// The number to dial.
    pub phone: E164,
    /// The last instant at which the call makes sense.
    pub not_after: Option<DateTime<Utc>>,
    /// The rules that apply; `None`: the campaign has no caller id for its location.
    pub rules: Option<&'a CallRules<'a>>,
}

/// The facts about an entry, for a decision at `at`.
pub(super) fn gather<'a>(
    conn: &Connection,
    subject: CallSubject<'a>,
    at: DateTime<Utc>,
) -> Result<CallFacts<'a>, LedgerError> {
    let CallSubject { campaign, purpose, entry, key, covers, phone, not_after, rules } = subject;
    let mut facts = CallFacts::without_ledger(rules, not_after);
    let Some(rules) = rules else { return Ok(facts) };
    facts.history = history(conn, phone, rules.caps)?;
    facts.suppressed = suppression::forbids(conn, phone, purpose, at)?;
    if let Some(campaign) = campaign {
        household::add_covering_calls(conn, campaign, key, phone, &mut facts)?;
        facts.is_alone = has_used_up_member(conn, campaign, rules.redial, covers, phone)?;
        let covers = if facts.is_alone { &[] } else { covers };
        for member in covers {
            household::add_member_calls(conn, campaign, member, entry, phone, &mut facts)?;
        }
    }
    if let Some(entry) = entry {
        add_own_calls(conn, entry, phone, &mut facts)?;
    }
    Ok(facts)
}

/// Whether the calls of one of these members have used up what the campaign allows: since the list was read, a household's
/// call to another number may have been the member's last.
fn has_used_up_member(
    conn: &Connection,
    campaign: CampaignId,
    redial: &Redial,
    members: &[EntryKey],
    phone: E164,
) -> Result<bool, LedgerError> {
    for key in members {
        let mut facts = CallFacts::without_ledger(None, None);
        household::add_covering_calls(conn, campaign, key, phone, &mut facts)?;
        if let Some(known) = KnownEntry::find(conn, campaign, key.as_str())? {
            add_own_calls(conn, known.id, phone, &mut facts)?;
        }
        if facts.calls >= redial.max_attempts {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Adds the calls to an entry that were placed, or may have been. The time of the last one ignores calls to a number other
/// than `phone` that turned out wrong.
pub(super) fn add_own_calls(
    conn: &Connection,
    entry: EntryId,
    phone: E164,
    facts: &mut CallFacts<'_>,
) -> Result<(), LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_calls_of"))?;
    let (calls, last, wrong) = statement.query_row((entry.0, phone.expose()), |row| {
        Ok((row.get("calls")?, maybe_instant_at(row, "last_at"), maybe_outcome_at(row, "outcome")))
    })?;
    facts.add_own_calls(calls, last?);
    facts.wrong_number = facts.wrong_number.or(wrong?);
    Ok(())
}

/// The calls to a number from every campaign. A call that may have been placed counts as placed.
pub(super) fn history(conn: &Connection, phone: E164, caps: &Caps) -> Result<NumberHistory, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("attempt_history"))?;
    let mut rows = statement.query([phone.expose()])?;
    let mut history = NumberHistory::default();
    while let Some(row) = rows.next()? {
        let (state, outcome) = (attempt_state_at(row, "state")?, maybe_outcome_at(row, "outcome")?);
        history.add(state, outcome, instant_at(row, "placed_at")?, caps);
    }
    // Sorted here, because SQLite would open a sorter for every query and few numbers have two calls.
    history.placements.sort_by_key(|placement| placement.at);
    Ok(history)
}
