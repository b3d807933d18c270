//! The rules between a campaign's keys, and those that come from the vendor (`annie-api.md`, POST /calls) and from
//! `calling-rules.md`. They see a file over its defaults, which keep the rules themselves.

use std::ops::Range;

use chrono::{NaiveTime, TimeDelta, Weekday};

use super::check::Allowances;
use super::file::{CallingTable, CampaignFile, CapsTable, OutcomeTable, VendorTable};
use super::problem::Problem;
use super::read::Placed;
use super::value::{Canary, Count, VendorKind};
use super::{Caps, Preset, lines};
use crate::entry::Outcome;

/// S of rule R may be shorter only in a rehearsal.
const LEAST_SETTLE: TimeDelta = TimeDelta::seconds(120);

/// What the vendor allows at most.
const VENDOR_CAPS: Caps = Caps {
    min_gap: TimeDelta::hours(24),
    per_7_days: 3,
    per_30_days: 6,
    failures_before_cool_down: 3,
    cool_down: TimeDelta::days(30),
    failed: Vec::new(),
};

/// Adds what is wrong with the file as a whole to `problems`.
pub(super) fn check(file: &CampaignFile, allowances: Allowances, problems: &mut Vec<Problem>) {
    let mut rules = Rules { problems };
    rules.calling(file);
    rules.redial(file);
    rules.safety(file, allowances);
    rules.vendor(file);
    rules.list(file);
    rules.outcomes(file);
    lines::check(file.line.as_ref(), problems);
}

struct Rules<'p> {
    problems: &'p mut Vec<Problem>,
}

/// A value, and its place if it is the file's own.
fn own<T: Clone>(placed: Option<&Placed<T>>) -> Option<(T, Range<usize>)> {
    let placed = placed?;
    Some((placed.value.clone(), placed.span.clone()?))
}

impl Rules<'_> {
    fn add(&mut self, at: Range<usize>, message: impl Into<String>, help: &str) {
        self.problems.push(Problem::new(at, message).help(help));
    }

    fn calling(&mut self, file: &CampaignFile) {
        let Some(Placed { value: calling, .. }) = &file.calling else { return };
        if calling.allow_wider.as_ref().is_none_or(|wider| !wider.value) {
            self.window(calling);
        }
        if let Some((days, at)) = own(calling.days.as_ref())
            && days.is_empty()
        {
            self.add(at, "`days` is empty, so nobody could ever be called", "days = [\"mon\", \"tue\"]");
        }
        if let Some(Placed { value: caps, .. }) = &calling.caps {
            self.caps(caps);
        }
    }

    fn window(&mut self, calling: &CallingTable) {
        let legal = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
        if let Some((window, at)) = own(calling.window.as_ref())
            && (window.start < legal(9) || window.end > legal(20))
        {
            let what = "`window` is wider than the vendor's legal hours, 09:00-20:00";
            self.add(at, what, "narrow it: outside them the vendor takes no calls");
        }
        let is_vendor_safe = calling.preset.as_ref().is_some_and(|preset| preset.value == Preset::VendorSafe);
        if let Some((days, at)) = own(calling.days.as_ref())
            && is_vendor_safe
            && days.contains(&Weekday::Sun)
        {
            let what = "`days` has a Sunday, and the preset \"vendor-safe\" calls Monday to Saturday";
            self.add(at, what, "leave it out, choose another preset, or add allow_wider = true below [calling]");
        }
    }

    fn caps(&mut self, caps: &CapsTable) {
        let durations = [
            ("min_gap", &caps.min_gap, VENDOR_CAPS.min_gap, "24h"),
            ("cool_down", &caps.cool_down, VENDOR_CAPS.cool_down, "30d"),
        ];
        for (key, placed, least, says) in durations {
            if let Some((_, at)) = own(placed.as_ref()).filter(|(span, _)| *span < least) {
                let what = format!("`{key}` is shorter than the vendor's own, {says}");
                self.add(at, what, "caps can only be stricter; leave it out to keep the vendor's");
            }
        }
        let counts = [
            ("per_7_days", &caps.per_7_days, VENDOR_CAPS.per_7_days),
            ("per_30_days", &caps.per_30_days, VENDOR_CAPS.per_30_days),
            ("failures_before_cool_down", &caps.failures_before_cool_down, VENDOR_CAPS.failures_before_cool_down),
        ];
        for (key, placed, most) in counts {
            if let Some((_, at)) = own(placed.as_ref()).filter(|(Count(count), _)| *count > most) {
                let what = format!("`{key}` is more than the vendor's own, {most}");
                self.add(at, what, "caps can only be stricter; leave it out to keep the vendor's");
            }
        }
    }

    fn redial(&mut self, file: &CampaignFile) {
        let Some(Placed { value: redial, .. }) = &file.redial else { return };
        let Some((after, at)) = own(redial.after.as_ref()) else { return };
        for outcome in after.into_iter().filter(|outcome| is_final(*outcome)) {
            let what = format!("`after` has \"{outcome}\", and such a patient is not called again");
            self.add(at.clone(), what, "leave it out");
        }
    }

    fn safety(&mut self, file: &CampaignFile, allowances: Allowances) {
        let Some(Placed { value: safety, .. }) = &file.safety else { return };
        let calls_nobody = calls_nobody(file) || allowances.short_settle;
        if let Some((settle, at)) = own(safety.settle.as_ref())
            && settle < LEAST_SETTLE
            && !calls_nobody
        {
            let what = "`settle` is under 120s, so a call could be placed twice";
            self.add(
                at,
                what,
                "a shorter one needs kind = \"simulator\" or rehearsal = true below [vendor], or `run --rehearse`",
            );
        }
        if let (Some((Canary(canary), at)), Some(most)) = (own(safety.canary.as_ref()), &safety.max_calls)
            && canary > most.value.0
        {
            self.add(at, "`canary` is more than `max_calls`", "make it smaller, or leave it out");
        }
    }

    /// Whoever writes a simulator's settings means a simulation, and must not call people instead.
    fn vendor(&mut self, file: &CampaignFile) {
        let Some(Placed { value: vendor, .. }) = &file.vendor else { return };
        if calls_nobody(file) {
            return;
        }
        for (key, at) in simulator_settings(vendor) {
            let what = format!("`{key}` is a setting of the simulator, and this campaign calls people");
            self.add(at, what, "leave it out, or write kind = \"simulator\"");
        }
    }

    fn list(&mut self, file: &CampaignFile) {
        let Some(Placed { value: list, .. }) = &file.list else { return };
        if let Some((_, at)) = own(list.key.as_ref()).filter(|(key, _)| key.is_empty()) {
            self.add(at, "`key` is empty, so nobody could be told from anybody else", "key = [\"patient_id\"]");
        }
    }

    fn outcomes(&mut self, file: &CampaignFile) {
        let replaces = own(file.replace_default_outcomes.as_ref()).filter(|(replaces, _)| *replaces);
        let written = own(file.outcomes.as_ref());
        match (replaces, written) {
            (Some((_, at)), None) => {
                let what = "`replace_default_outcomes` without [[outcomes]] leaves every call unclassified";
                self.add(at, what, "add [[outcomes]], or leave it out");
            }
            (_, Some((rules, _))) => {
                let idle = rules.iter().filter(|rule| asks_nothing(&rule.value)).filter_map(|rule| rule.span.clone());
                for at in idle {
                    let what = "this rule asks for nothing, so it never matches";
                    self.add(at, what, "give it tags, topic, summary, actions or duration_at_most");
                }
            }
            (None, None) => {}
        }
    }
}

/// Whether the campaign is for the simulator, or for rehearsals.
fn calls_nobody(file: &CampaignFile) -> bool {
    file.vendor.as_ref().is_some_and(|Placed { value: vendor, .. }| {
        vendor.kind.as_ref().is_some_and(|kind| kind.value == VendorKind::Simulator)
            || vendor.rehearsal.as_ref().is_some_and(|rehearsal| rehearsal.value)
    })
}

/// The simulator's settings that the file itself has.
fn simulator_settings(vendor: &VendorTable) -> Vec<(&'static str, Range<usize>)> {
    let span = |key, span: Option<&Range<usize>>| Some((key, span?.clone()));
    [
        span("seed", vendor.seed.as_ref().and_then(|placed| placed.span.as_ref())),
        span("start", vendor.start.as_ref().and_then(|placed| placed.span.as_ref())),
        span("speed", vendor.speed.as_ref().and_then(|placed| placed.span.as_ref())),
        span("people", vendor.people.as_ref().and_then(|placed| placed.span.as_ref())),
        span("faults", vendor.faults.as_ref().and_then(|placed| placed.span.as_ref())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether the patient has answered for good, or cannot be reached there at all.
fn is_final(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Booked
        | Outcome::Confirmed
        | Outcome::Declined
        | Outcome::WrongNumber
        | Outcome::OptOut
        | Outcome::DeceasedOrMoved
        | Outcome::InvalidNumber => true,
        Outcome::RescheduleRequested
        | Outcome::CallbackRequested
        | Outcome::LeftVoicemail
        | Outcome::NoAnswer
        | Outcome::Busy
        | Outcome::ReachedOther
        | Outcome::Unclassified => false,
    }
}

fn asks_nothing(rule: &OutcomeTable) -> bool {
    let is_empty = |texts: &Option<Placed<Vec<String>>>| texts.as_ref().is_none_or(|texts| texts.value.is_empty());
    [&rule.tags, &rule.topic, &rule.summary, &rule.actions].into_iter().all(is_empty) && rule.duration_at_most.is_none()
}
