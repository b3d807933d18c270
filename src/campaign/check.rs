//! From a file's text to a campaign, or to everything that is wrong with it.

use std::path::PathBuf;
use std::sync::Arc;

use toml::de::DeTable;

use super::file::{
    CallingTable, CampaignFile, CapsTable, HolidaysTable, LineTable, ListTable, MessageTable, OutcomeTable,
    PracticeTable, RateTable, RedialTable, SafetyTable, StopOnTable, VendorTable,
};
use super::problem::{Problem, Problems};
use super::read::{Kind, Placed, Reader, Written};
use super::value::{Canary, Count, MostCalls, Pace, Share, Switch};
use super::{
    Calling, Campaign, Caps, Holiday, Lines, ListRules, Message, Practice, Preset, Rate, Redial, Safety,
    SimulatorSettings, Source, StopOn, Vendor, defaults, rules,
};
use crate::entry::{OutcomeRule, OutcomeRules};
use crate::ids::OrganisationId;
use crate::phone::area_codes::AreaCodes;

/// What the circumstances of this invocation allow beyond the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowances {
    /// A settle time under 120 s although the campaign calls people: this invocation is a rehearsal of it. A campaign of
    /// the simulator, or with `rehearsal = true`, needs no allowance.
    pub short_settle: bool,
}

/// Reads and checks a campaign file. `file_name` is what people call the file; its relative paths start from
/// `directory`. Reports every problem at once; only after a syntax error, nothing else.
#[allow(
    clippy::missing_panics_doc,
    reason = "a file without a problem is complete, as a test with every default shows"
)]
pub fn load(text: &str, file_name: &str, directory: PathBuf, allowances: Allowances) -> Result<Campaign, Problems> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(Problems::new(file_name, text, errors.iter().map(syntax).collect()));
    }
    let mut reader = Reader::new::<CampaignFile>(text, Kind::Campaign);
    let written = CampaignFile::of(table.get_ref(), &(0..0), &mut reader);
    let mut problems = reader.problems;
    let purpose = written.purpose.as_ref().map(|purpose| purpose.value);
    let outcomes = written.outcome_rules();
    let file = written.over(defaults::of(purpose));
    rules::check(&file, allowances, &mut problems);
    if !problems.is_empty() {
        return Err(Problems::new(file_name, text, problems));
    }
    let source = Source { text: text.to_owned(), directory };
    Ok(file.checked(outcomes, source).expect("what is required is written, and the rest is in defaults.toml"))
}

pub(super) fn syntax(error: &toml::de::Error) -> Problem {
    Problem::new(error.span().unwrap_or_default(), format!("not valid TOML: {}", error.message().replace('\n', ", ")))
}

/// Points at `[calling]`, or at the top of a file without one.
pub(super) fn consent_problem(text: &str) -> Problem {
    let header = text.find("\n[calling]").map_or(0..0, |at| at + 1..at + 1 + "[calling]".len());
    let what = "neither this campaign nor the list says that the patients agreed to such calls";
    Problem::new(header, what).help(
        "add the line below [calling]: consent = \"on_file\" (if the practice has every patient's consent on file; \
         otherwise give the list a consent column)",
    )
}

pub(super) fn value<T>(placed: Option<Placed<T>>) -> Option<T> {
    placed.map(|placed| placed.value)
}

pub(super) fn count(placed: Option<Placed<Count>>) -> Option<u32> {
    value(placed).map(|Count(count)| count)
}

fn share(placed: Option<Placed<Share>>) -> Option<f64> {
    value(placed).map(|Share(share)| share)
}

impl CampaignFile {
    /// The file's own outcome rules, before the default ones unless it replaces them.
    fn outcome_rules(&self) -> OutcomeRules {
        let own = value(self.outcomes.clone()).unwrap_or_default();
        let replaces = value(self.replace_default_outcomes.clone()).unwrap_or(false);
        let default = if replaces { Vec::new() } else { defaults::outcomes() };
        OutcomeRules(own.into_iter().map(|rule| rule.value).chain(default).map(OutcomeTable::checked).collect())
    }

    /// `None` if anything without a default is missing.
    fn checked(self, outcomes: OutcomeRules, source: Source) -> Option<Campaign> {
        let mut practice = value(self.practice)?;
        let lines: Vec<_> = value(self.line).into_iter().flatten().map(|line| line.value).collect();
        let has_callback = practice.callback_number.is_some();
        practice.add_own_numbers(&lines);
        let practice = practice.checked()?;
        let rate = value(self.rate)?.checked()?;
        Some(Campaign {
            name: value(self.name)?,
            purpose: value(self.purpose)?,
            lines: Lines::of(lines, &practice, has_callback, rate)?,
            practice,
            list: value(self.list)?.checked()?,
            message: value(self.message)?.checked()?,
            calling: value(self.calling)?.checked()?,
            redial: value(self.redial)?.checked()?,
            rate,
            safety: value(self.safety)?.checked()?,
            vendor: value(self.vendor)?.checked()?,
            outcomes,
            source,
        })
    }
}

impl PracticeTable {
    /// No line's number is a patient's.
    fn add_own_numbers(&mut self, lines: &[LineTable]) {
        let of_lines = lines.iter().flat_map(|line| [&line.from_number, &line.callback_number]).flatten();
        let of_lines: Vec<_> = of_lines.map(|number| number.value).collect();
        if let Some(own) = &mut self.own_numbers {
            own.value.extend(of_lines);
        }
    }

    fn checked(self) -> Option<Practice> {
        let name = value(self.name)?;
        let from_number = value(self.from_number)?;
        let callback_number = value(self.callback_number).unwrap_or(from_number);
        let mut own_numbers = value(self.own_numbers)?;
        own_numbers.extend([from_number, callback_number]);
        own_numbers.sort_unstable();
        own_numbers.dedup();
        let organisation = OrganisationId::new(value(self.organisation).unwrap_or_else(|| name.clone()));
        Some(Practice { zone: value(self.timezone)?, name, from_number, callback_number, own_numbers, organisation })
    }
}

impl ListTable {
    fn checked(self) -> Option<ListRules> {
        Some(ListRules {
            file: value(self.file),
            key: value(self.key)?,
            on_absent: value(self.on_absent)?,
            on_conflict: value(self.on_conflict)?,
            columns: value(self.columns)?.0,
            max_reject_rate: share(self.max_reject_rate)?,
            max_withdraw_rate: share(self.max_withdraw_rate)?,
            max_list_age: value(self.max_list_age)?,
            date_order: value(self.date_order),
            rejects: value(self.rejects),
        })
    }
}

impl MessageTable {
    fn checked(self) -> Option<Message> {
        Some(Message { context: value(self.context)?, voicemail: value(self.voicemail) })
    }
}

impl CallingTable {
    fn checked(self) -> Option<Calling> {
        let preset = value(self.preset)?;
        let (kept, all_holidays) = value(self.holidays)?.checked(preset)?;
        Some(Calling {
            preset,
            holidays: if kept { Arc::clone(&all_holidays) } else { Arc::default() },
            all_holidays,
            area_codes: AreaCodes::with(value(self.area_codes)?.0),
            consent: value(self.consent),
            days: value(self.days)?,
            window: value(self.window)?,
            allow_wider: value(self.allow_wider)?,
            zone_mode: value(self.zone_mode)?,
            household: value(self.household)?.0,
            caps: value(self.caps)?.checked()?,
        })
    }
}

impl CapsTable {
    pub(super) fn checked(self) -> Option<Caps> {
        Some(Caps {
            min_gap: value(self.min_gap)?,
            per_7_days: count(self.per_7_days)?,
            per_30_days: count(self.per_30_days)?,
            failures_before_cool_down: count(self.failures_before_cool_down)?,
            cool_down: value(self.cool_down)?,
            failed: value(self.failed)?,
        })
    }
}

impl HolidaysTable {
    /// Whether they are kept, and the list.
    fn checked(self, preset: Preset) -> Option<(bool, Arc<[Holiday]>)> {
        let kept = value(self.observe).map_or_else(|| preset.keeps_holidays(), |Switch(on)| on);
        let days = value(self.days)?.into_iter().chain(value(self.also).unwrap_or_default());
        Some((kept, days.collect()))
    }
}

impl RedialTable {
    fn checked(self) -> Option<Redial> {
        Some(Redial {
            max_attempts: count(self.max_attempts)?,
            min_gap: value(self.min_gap)?,
            after: value(self.after)?,
            vary_time: value(self.vary_time)?,
            stop_before_appointment: value(self.stop_before_appointment),
        })
    }
}

impl RateTable {
    fn checked(self) -> Option<Rate> {
        Some(Rate { requests_per_minute: count(self.requests_per_minute)?, open_calls: count(self.open_calls)? })
    }
}

impl SafetyTable {
    fn checked(self) -> Option<Safety> {
        Some(Safety {
            max_calls: value(self.max_calls).map(|MostCalls(calls)| calls),
            canary: value(self.canary).map(|Canary(calls)| calls).filter(|calls| *calls > 0),
            stop_on: value(self.stop_on)?.checked()?,
            settle: value(self.settle)?,
            on_lost_answer: value(self.on_lost_answer)?,
            track_for: value(self.track_for)?,
            outage: value(self.outage)?,
        })
    }
}

impl StopOnTable {
    fn checked(self) -> Option<StopOn> {
        Some(StopOn {
            at_least: count(self.at_least)?,
            last: count(self.last),
            opt_out_rate: share(self.opt_out_rate),
            wrong_number_rate: share(self.wrong_number_rate),
            error_rate: share(self.error_rate),
            unanswered_rate: share(self.unanswered_rate),
        })
    }
}

impl VendorTable {
    fn checked(self) -> Option<Vendor> {
        Some(Vendor {
            kind: value(self.kind)?,
            rehearsal: value(self.rehearsal)?,
            key_file: value(self.key_file),
            simulator: SimulatorSettings {
                seed: value(self.seed)?,
                start: value(self.start),
                speed: value(self.speed)?.0,
                people: value(self.people),
                faults: value(self.faults)?.into_iter().map(|fault| fault.0).collect(),
            },
        })
    }
}

impl OutcomeTable {
    fn checked(self) -> OutcomeRule {
        OutcomeRule {
            outcome: value(self.outcome),
            tags: value(self.tags).unwrap_or_default(),
            topic: value(self.topic).unwrap_or_default(),
            summary: value(self.summary).unwrap_or_default(),
            actions: value(self.actions).unwrap_or_default(),
            duration_at_most: value(self.duration_at_most).map(|Pace(duration)| duration),
        }
    }
}
