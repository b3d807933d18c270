//! What a decision was made from, kept with it: the ledger writes it beside each claim and each refusal, and `explain`
//! tells it. It holds no number and no name.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::window::Hours;
use super::{Case, Reached};
use crate::campaign::{Calling, Consent, DayWindow};
use crate::entry::{CalledPartyZones, ZoneSource};
use crate::zone::Zone;

/// What a decision was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Evidence {
    /// The preset of hours.
    pub preset: String,
    /// Every zone that was considered, with its hours on that day.
    pub zones: Vec<LocalHours>,
    /// States and provinces that the row names.
    pub regions: Vec<String>,
    /// How the called party's place is known.
    pub known_by: ZoneSource,
    /// Calls to the number in the 24 hours before, from every campaign.
    pub calls_in_24_hours: u32,
    /// In the 7 days before.
    pub calls_in_7_days: u32,
    /// In the 30 days before.
    pub calls_in_30_days: u32,
    /// The newest calls to the number that reached nobody, one after the other.
    pub failures_in_a_row: u32,
    /// Calls to the entry, whatever their number.
    pub calls_to_entry: u32,
    /// Whether another call to the number is not settled.
    pub number_busy: bool,
    /// Whether the number was on the suppression list.
    pub suppressed: bool,
    /// Where the campaign says that consent is recorded; `null`: it does not say, so the list has a column for it.
    pub consent: Option<Consent>,
    /// The last instant at which the call makes sense.
    pub not_after: Option<DateTime<Utc>>,
}

/// The hours of one zone on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LocalHours {
    /// Its IANA name.
    pub zone: String,
    /// What the clock showed there.
    pub local: NaiveDateTime,
    /// From when to when it was open on that day, such as `09:00-20:00`; `null`: not at all.
    pub open: Option<String>,
}

impl Evidence {
    /// The evidence of `case` at `now`.
    #[must_use]
    pub fn of(case: &Case<'_>, calling: &Calling, called: &CalledPartyZones, now: DateTime<Utc>) -> Self {
        let placements = &case.history.placements;
        let within = |span: TimeDelta| placements.iter().filter(|placement| placement.at > now - span).count() as u32;
        let known = placements.iter().rev().filter(|placement| placement.reached != Reached::NotKnown);
        Self {
            preset: calling.preset.name().to_owned(),
            zones: local_hours(case.hours, now),
            regions: called.regions.clone(),
            known_by: called.source,
            calls_in_24_hours: within(TimeDelta::hours(24)),
            calls_in_7_days: within(TimeDelta::days(7)),
            calls_in_30_days: within(TimeDelta::days(30)),
            failures_in_a_row: known.take_while(|placement| placement.reached == Reached::Nobody).count() as u32,
            calls_to_entry: case.again.map_or(0, |again| again.calls),
            number_busy: case.history.unsettled,
            suppressed: case.suppressed,
            consent: calling.consent,
            not_after: case.not_after,
        }
    }
}

fn local_hours(hours: &Hours, now: DateTime<Utc>) -> Vec<LocalHours> {
    let told = |(zone, window): (Zone, Option<DayWindow>)| LocalHours {
        zone: zone.name().to_owned(),
        local: zone.local(now),
        open: window.map(|window| format!("{}-{}", window.start.format("%H:%M"), window.end.format("%H:%M"))),
    };
    hours.on_the_day(now).into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::{self, Allowances};
    use crate::phone::E164;
    use crate::policy::{NumberHistory, Placement};

    #[test]
    fn a_decisions_evidence_has_every_zone_with_its_hours_and_every_call_that_counts() {
        let text = "name = \"r\"\npurpose = \"recall\"\n[practice]\nname = \"Bright Smile Dental\"\n\
                    timezone = \"America/Chicago\"\nfrom_number = \"+13125550142\"\n[calling]\nconsent = \"on_file\"";
        let campaign = campaign::load(text, "c.toml", std::path::PathBuf::new(), Allowances::default())
            .unwrap_or_else(|problems| panic!("{}", problems.drawn(false)));
        let phone = E164::parse("+12125550142").expect("a number");
        let called = CalledPartyZones { zones: vec![], regions: vec![], source: ZoneSource::AreaCode };
        let utc = |text: &str| text.parse::<DateTime<Utc>>().expect("an instant");
        let at = |text, reached| Placement { at: utc(text), reached };
        let history = NumberHistory {
            placements: vec![
                at("2026-11-01T16:00:00Z", Reached::Somebody),
                at("2026-11-20T16:00:00Z", Reached::Nobody),
                at("2026-11-24T15:00:00Z", Reached::Nobody),
            ],
            unsettled: false,
        };
        let case = Case {
            hours: &Hours::of_entry(&campaign.calling, &campaign.practice.zone, phone, &called),
            caps: &campaign.calling.caps,
            state_cap: None,
            history: &history,
            suppressed: false,
            spoken_for: false,
            not_after: None,
            again: None,
        };
        let evidence = Evidence::of(&case, &campaign.calling, &called, utc("2026-11-24T16:00:00Z"));
        let zones = evidence.zones.iter().map(|hours| (hours.zone.as_str(), hours.open.as_deref()));
        assert_eq!(
            zones.collect::<Vec<_>>(),
            [("America/Chicago", Some("09:30-17:00")), ("America/New_York", Some("09:00-20:00"))]
        );
        let Evidence { calls_in_24_hours, calls_in_7_days, calls_in_30_days, failures_in_a_row, .. } = evidence;
        assert_eq!((calls_in_24_hours, calls_in_7_days, calls_in_30_days, failures_in_a_row), (1, 2, 3, 2));
        assert_eq!(evidence.consent, Some(Consent::OnFile));
    }
}
