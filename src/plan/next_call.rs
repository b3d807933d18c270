//! When a campaign's next call may be placed, by the ledger alone.

use std::ops::ControlFlow;

use chrono::{DateTime, Utc};

use crate::campaign::Campaign;
use crate::ids::OrganisationId;
use crate::ledger::{CallSubject, CallableEntry, LedgerError, LedgerReader};
use crate::policy::{self, CallRules, Decision, Hours, HoursUnion};

/// The first instant, from `now` on, at which the rules allow a call to an entry of the campaign; `None` if there is none.
/// `check` and a run decide by the same rules.
pub fn next_call(
    reader: &LedgerReader,
    campaign: &Campaign,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, LedgerError> {
    let mut next = None;
    for organisation in organisations(campaign) {
        let first = first_call(reader, campaign, &organisation, now)?;
        next = [next, first].into_iter().flatten().min();
    }
    Ok(next)
}

fn organisations(campaign: &Campaign) -> Vec<OrganisationId> {
    let all: Vec<_> = campaign.locations.organisations().iter().map(|organisation| organisation.id.clone()).collect();
    if all.is_empty() { vec![campaign.practice.organisation.clone()] } else { all }
}

/// The first call of one organisation. Its entries are examined by when they are due, until none can come before the
/// first one found.
fn first_call(
    reader: &LedgerReader,
    campaign: &Campaign,
    organisation: &OrganisationId,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, LedgerError> {
    let opens = opens(campaign, now);
    let mut next: Option<DateTime<Utc>> = None;
    reader.each_callable(&campaign.name, organisation, |entry| {
        let is_over = next.is_some_and(|next| next <= entry.due_at || Some(next) == opens);
        if is_over {
            return Ok(ControlFlow::Break(()));
        }
        next = [next, allowed_at(reader, campaign, &entry, now)?].into_iter().flatten().min();
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(next)
}

/// When the first practice's hours are open: no call comes before that.
fn opens(campaign: &Campaign, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let practices = campaign.locations.iter().map(|(_, practice)| practice).chain([&campaign.practice]);
    let hours = practices.map(|practice| Hours::for_practice(&campaign.calling, &practice.zone)).collect();
    HoursUnion::any_of(hours).next_open(now)
}

fn allowed_at(
    reader: &LedgerReader,
    campaign: &Campaign,
    entry: &CallableEntry,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, LedgerError> {
    let CallableEntry { campaign: id, entry, key, covers, location, phone, zones, not_after, due_at } = entry;
    let practice = campaign.practice_at(location.as_ref());
    let rules = practice.map(|practice| CallRules::new(campaign, practice, *phone, zones));
    let subject = CallSubject {
        campaign: Some(*id),
        purpose: campaign.purpose,
        entry: Some(*entry),
        key,
        covers,
        phone: *phone,
        not_after: *not_after,
        rules: rules.as_ref(),
    };
    let from = now.max(*due_at);
    Ok(match policy::decide(&reader.call_facts(subject, from)?, from) {
        Decision::Call { .. } => Some(from),
        Decision::Wait { until, .. } => Some(until),
        Decision::Hold(_) | Decision::Never(_) | Decision::Settled(_) | Decision::TooLate(_) => None,
    })
}
