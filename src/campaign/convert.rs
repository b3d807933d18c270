//! From a validated [`CampaignFile`], laid over its defaults, to a [`Campaign`].
//!
//! Each `convert` returns `None` if a key without a default is missing.

use std::sync::Arc;

use super::definition::{Campaign, CampaignSource};
use super::file::{
    CallingTable, CampaignFile, CapsTable, HolidaysTable, ListTable, LocationTable, MessageTable, OutcomeTable,
    PracticeTable, PrivacyTable, RateTable, RedialTable, SafetyTable, StopOnTable, VendorTable, WritebackTable,
};
use super::holiday::Holiday;
use super::locations::Locations;
use super::sections::{
    Calling, Caps, ListRules, MessageTemplates, Practice, Preset, Privacy, Rate, Redial, Safety, SimulatorSettings,
    StopOn, VendorChoice,
};
use super::spanned_reader::{Spanned, unspanned};
use super::value::{BotStyleWord, CallLimit, Canary, Fraction, PositiveNumber, Switch, count};
use super::writeback::Writeback;
use crate::ids::OrganisationId;
use crate::outcome::{OutcomeRule, OutcomeRules};
use crate::phone::area_codes::AreaCodes;

fn fraction(spanned: Option<Spanned<Fraction>>) -> Option<f64> {
    unspanned(spanned).map(|Fraction(fraction)| fraction)
}

impl CampaignFile {
    /// The file's own outcome rules, followed by the built-in ones unless the file replaces them.
    pub(super) fn outcome_rules(&self) -> OutcomeRules {
        let own = unspanned(self.outcomes.clone()).unwrap_or_default();
        OutcomeRules {
            own: own.into_iter().map(|rule| rule.value.convert()).collect(),
            has_built_in: !unspanned(self.replace_default_outcomes.clone()).unwrap_or(false),
        }
    }

    /// The campaign. `None` if a required key is missing.
    pub(super) fn into_campaign(self, outcomes: OutcomeRules, source: CampaignSource) -> Option<Campaign> {
        let mut practice = unspanned(self.practice)?;
        let locations: Vec<_> = unspanned(self.line).into_iter().flatten().map(|table| table.value).collect();
        let has_callback = practice.callback_number.is_some();
        practice.add_own_numbers(&locations);
        let practice = practice.convert()?;
        let rate = unspanned(self.rate)?.convert()?;
        Some(Campaign {
            name: unspanned(self.name)?,
            purpose: unspanned(self.purpose)?,
            locations: Locations::from_tables(locations, &practice, has_callback, rate)?,
            practice,
            list: unspanned(self.list)?.convert()?,
            message: unspanned(self.message)?.convert()?,
            calling: unspanned(self.calling)?.convert()?,
            redial: unspanned(self.redial)?.convert()?,
            rate,
            safety: unspanned(self.safety)?.convert()?,
            privacy: unspanned(self.privacy)?.convert()?,
            vendor: unspanned(self.vendor)?.convert()?,
            writeback: unspanned(self.writeback)?.convert()?,
            outcomes,
            source,
        })
    }
}

impl PracticeTable {
    /// Adds the numbers of all locations: none of them is ever dialled.
    fn add_own_numbers(&mut self, locations: &[LocationTable]) {
        let numbers = locations.iter().flat_map(|table| [&table.from_number, &table.callback_number]).flatten();
        if let Some(own) = &mut self.own_numbers {
            own.value.extend(numbers.map(|number| number.value));
        }
    }

    fn convert(self) -> Option<Practice> {
        let name = unspanned(self.name)?;
        let from_number = unspanned(self.from_number)?;
        let callback_number = unspanned(self.callback_number).unwrap_or(from_number);
        let mut own_numbers = unspanned(self.own_numbers)?;
        own_numbers.extend([from_number, callback_number]);
        own_numbers.sort_unstable();
        own_numbers.dedup();
        let organisation = OrganisationId::new(unspanned(self.organisation).unwrap_or_else(|| name.clone()));
        Some(Practice {
            zone: unspanned(self.timezone)?,
            name,
            from_number,
            callback_number,
            own_numbers,
            organisation,
        })
    }
}

impl ListTable {
    fn convert(self) -> Option<ListRules> {
        Some(ListRules {
            file: unspanned(self.file),
            key: unspanned(self.key)?,
            on_absent: unspanned(self.on_absent)?,
            on_conflict: unspanned(self.on_conflict)?,
            columns: unspanned(self.columns)?.0,
            ignore: unspanned(self.ignore)?,
            values: unspanned(self.values)?.0,
            max_reject_rate: fraction(self.max_reject_rate)?,
            max_withdraw_rate: fraction(self.max_withdraw_rate)?,
            max_list_age: unspanned(self.max_list_age)?,
            date_order: unspanned(self.date_order),
            encoding: unspanned(self.encoding),
            rejects: unspanned(self.rejects),
        })
    }
}

impl MessageTable {
    fn convert(self) -> Option<MessageTemplates> {
        Some(MessageTemplates { context: unspanned(self.context)?, voicemail: unspanned(self.voicemail) })
    }
}

impl CallingTable {
    fn convert(self) -> Option<Calling> {
        let preset = unspanned(self.preset)?;
        let (observed, all_holidays) = unspanned(self.holidays)?.convert(preset)?;
        Some(Calling {
            preset,
            holidays: if observed { Arc::clone(&all_holidays) } else { Arc::default() },
            all_holidays,
            area_codes: AreaCodes::with(unspanned(self.area_codes)?.0),
            consent: unspanned(self.consent),
            days: unspanned(self.days)?,
            window: unspanned(self.window)?,
            allow_wider: unspanned(self.allow_wider)?,
            zone_mode: unspanned(self.zone_mode)?,
            household: unspanned(self.household)?,
            caps: unspanned(self.caps)?.convert()?,
        })
    }
}

impl CapsTable {
    fn convert(self) -> Option<Caps> {
        Some(Caps {
            min_gap: unspanned(self.min_gap)?,
            per_7_days: count(self.per_7_days)?,
            per_30_days: count(self.per_30_days)?,
            failures_before_cool_down: count(self.failures_before_cool_down)?,
            cool_down: unspanned(self.cool_down)?,
            failed: unspanned(self.failed)?,
        })
    }
}

impl HolidaysTable {
    /// Whether the campaign observes holidays, and the full list.
    fn convert(self, preset: Preset) -> Option<(bool, Arc<[Holiday]>)> {
        let observed = unspanned(self.observe).map_or_else(|| preset.observes_holidays(), |Switch(on)| on);
        let days = unspanned(self.days)?.into_iter().chain(unspanned(self.also).unwrap_or_default());
        Some((observed, days.collect()))
    }
}

impl RedialTable {
    fn convert(self) -> Option<Redial> {
        Some(Redial {
            max_attempts: count(self.max_attempts)?,
            min_gap: unspanned(self.min_gap)?,
            after: unspanned(self.after)?,
            vary_time: unspanned(self.vary_time)?,
            stop_before_appointment: unspanned(self.stop_before_appointment),
        })
    }
}

impl RateTable {
    fn convert(self) -> Option<Rate> {
        Some(Rate { requests_per_minute: count(self.requests_per_minute)?, open_calls: count(self.open_calls)? })
    }
}

impl SafetyTable {
    fn convert(self) -> Option<Safety> {
        Some(Safety {
            max_calls: unspanned(self.max_calls).map(|CallLimit(calls)| calls),
            canary: unspanned(self.canary).map(|Canary(calls)| calls).filter(|calls| *calls > 0),
            stop_on: unspanned(self.stop_on)?.convert()?,
            settle: unspanned(self.settle)?,
            on_lost_answer: unspanned(self.on_lost_answer)?,
            track_for: unspanned(self.track_for)?,
            outage: unspanned(self.outage)?,
        })
    }
}

impl PrivacyTable {
    fn convert(self) -> Option<Privacy> {
        Some(Privacy { keep_words_for: unspanned(self.keep_words_for)? })
    }
}

impl StopOnTable {
    fn convert(self) -> Option<StopOn> {
        Some(StopOn {
            at_least: count(self.at_least)?,
            last: count(self.last),
            opt_out_rate: fraction(self.opt_out_rate),
            wrong_number_rate: fraction(self.wrong_number_rate),
            error_rate: fraction(self.error_rate),
            unanswered_rate: fraction(self.unanswered_rate),
        })
    }
}

impl VendorTable {
    fn convert(self) -> Option<VendorChoice> {
        Some(VendorChoice {
            kind: unspanned(self.kind)?,
            rehearsal: unspanned(self.rehearsal)?,
            key_file: unspanned(self.key_file),
            simulator: SimulatorSettings {
                seed: unspanned(self.seed)?,
                start: unspanned(self.start),
                speed: unspanned(self.speed)?.0,
                people: unspanned(self.people),
                faults: unspanned(self.faults)?.into_iter().map(|fault| fault.0).collect(),
                bot_style: unspanned(self.bot_style).map(|BotStyleWord(style)| style),
            },
        })
    }
}

impl WritebackTable {
    fn convert(self) -> Option<Writeback> {
        Some(unspanned(self.columns)?.convert())
    }
}

impl OutcomeTable {
    fn convert(self) -> OutcomeRule {
        OutcomeRule {
            outcome: unspanned(self.outcome),
            tags: unspanned(self.tags).unwrap_or_default(),
            topic: unspanned(self.topic).unwrap_or_default(),
            summary: unspanned(self.summary).unwrap_or_default(),
            actions: unspanned(self.actions).unwrap_or_default(),
            duration_at_most: unspanned(self.duration_at_most).map(|PositiveNumber(duration)| duration),
            unless: unspanned(self.unless).unwrap_or_default(),
        }
    }
}
