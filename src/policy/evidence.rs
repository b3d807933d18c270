//! The evidence of a decision. The ledger stores it with each claim and each refusal, and `explain` shows it. It holds no
//! phone number and no name.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::call_facts::CallFacts;
use super::caps::{ContactResult, NumberHistory};
use super::dialing_hours::Hours;
use crate::campaign::{Calling, Consent, DayWindow};
use crate::entry::{CalledPartyZones, ZoneSource};
use crate::zone::Zone;

/// The facts that a decision was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DecisionEvidence {
    /// The name of the preset of hours.
    pub preset: String,
    /// Every zone that was considered, with its hours on that day.
    pub zones: Vec<LocalHours>,
    /// States and provinces that the row names.
    pub regions: Vec<String>,
    /// How the called party's zones are known.
    pub known_by: ZoneSource,
    /// Calls to the number in the last 24 hours, from every campaign.
    pub calls_in_24_hours: u32,
    /// Calls to the number in the last 7 days, from every campaign.
    pub calls_in_7_days: u32,
    /// Calls to the number in the last 30 days, from every campaign.
    pub calls_in_30_days: u32,
    /// The number of newest consecutive calls to the number that reached nobody.
    pub failures_in_a_row: u32,
    /// Calls to the patient, on any number: to the entry, and to the household for the patient.
    pub calls_to_entry: u32,
    /// Whether another call to the number is not settled.
    pub number_busy: bool,
    /// Whether the number was on the suppression list.
    pub suppressed: bool,
    /// Where the campaign says that consent is recorded; `null`: the campaign does not say, so the list has a column for
    /// it.
    pub consent: Option<Consent>,
    /// The last instant at which the call makes sense.
    pub not_after: Option<DateTime<Utc>>,
}

/// The hours of one zone on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LocalHours {
    /// The IANA name.
    pub zone: String,
    /// The local time of the decision.
    pub local: NaiveDateTime,
    /// The open window on that day, such as `09:00-20:00`; `null`: closed all day.
    pub open: Option<String>,
}

impl DecisionEvidence {
    /// The evidence of a decision about `facts` at `now`; `None` if no rules apply.
    #[must_use]
    pub fn new(
        facts: &CallFacts<'_>,
        calling: &Calling,
        called: &CalledPartyZones,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        // What is left out decides only together with a reason that says so.
        let CallFacts {
            rules,
            not_after,
            history,
            suppressed,
            spoken_for: _,
            calls,
            last_call: _,
            vary_from: _,
            covering_call: _,
            wrong_number: _,
            is_alone: _,
        } = facts;
        let NumberHistory { placements, unsettled } = history;
        let within = |span: TimeDelta| placements.iter().filter(|placement| placement.at > now - span).count() as u32;
        let known = placements.iter().rev().filter(|placement| placement.reached.is_known());
        Some(Self {
            preset: calling.preset.name().to_owned(),
            zones: local_hours(&rules.as_ref()?.hours, now),
            regions: called.regions.clone(),
            known_by: called.source,
            calls_in_24_hours: within(TimeDelta::hours(24)),
            calls_in_7_days: within(TimeDelta::days(7)),
            calls_in_30_days: within(TimeDelta::days(30)),
            failures_in_a_row: known.take_while(|placement| placement.reached == ContactResult::Nobody).count() as u32,
            calls_to_entry: *calls,
            number_busy: *unsettled,
            suppressed: *suppressed,
            consent: calling.consent,
            not_after: *not_after,
        })
    }
}

fn local_hours(hours: &Hours, now: DateTime<Utc>) -> Vec<LocalHours> {
    let of_zone = |(zone, window): (Zone, Option<DayWindow>)| LocalHours {
        zone: zone.name().to_owned(),
        local: zone.local(now),
        open: window.map(|window| format!("{}-{}", window.start.format("%H:%M"), window.end.format("%H:%M"))),
    };
    hours.on_the_day(now).into_iter().map(of_zone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{self, CONSENT, REQUIRED};
    use crate::phone::E164;
    use crate::policy::{CallRules, PastCall};

    #[test]
    fn a_decisions_evidence_has_every_zone_with_its_hours_and_every_call_that_counts() {
        let campaign = fixtures::load(&format!("{REQUIRED}{CONSENT}"));
        let phone = E164::parse("+12125550142").expect("a number");
        let called = CalledPartyZones { zones: vec![], regions: vec![], source: ZoneSource::AreaCode };
        let utc = |text: &str| text.parse::<DateTime<Utc>>().expect("an instant");
        let at = |text, reached| PastCall { at: utc(text), reached };
        let placements = vec![
            at("2026-11-01T16:00:00Z", ContactResult::Somebody),
            at("2026-11-20T16:00:00Z", ContactResult::Nobody),
            at("2026-11-24T15:00:00Z", ContactResult::Nobody),
        ];
        let rules = CallRules::new(&campaign, &campaign.practice, phone, &called);
        let history = NumberHistory { placements, unsettled: false };
        let facts = CallFacts { history, ..CallFacts::without_ledger(Some(&rules), None) };
        let evidence = DecisionEvidence::new(&facts, &campaign.calling, &called, utc("2026-11-24T16:00:00Z"));
        let evidence = evidence.expect("rules apply");
        let zones = evidence.zones.iter().map(|hours| (hours.zone.as_str(), hours.open.as_deref()));
        assert_eq!(
            zones.collect::<Vec<_>>(),
            [("America/Chicago", Some("09:30-17:00")), ("America/New_York", Some("09:00-20:00"))]
        );
        let DecisionEvidence { calls_in_24_hours, calls_in_7_days, calls_in_30_days, failures_in_a_row, .. } = evidence;
        assert_eq!((calls_in_24_hours, calls_in_7_days, calls_in_30_days, failures_in_a_row), (1, 2, 3, 2));
        assert_eq!(evidence.consent, Some(Consent::OnFile));
    }
}
