//! The rules between a campaign's keys, from the vendor (`annie-api.md`, POST /calls) and from `calling-rules.md`. They
//! are applied to a file laid over its defaults; the defaults themselves comply.

pub(super) mod locations;

use std::ops::Range;

use chrono::{NaiveTime, TimeDelta, Weekday};

use super::diagnostics::Diagnostic;
use super::file::{CallingTable, CampaignFile, CapsTable, OutcomeTable, VendorTable};
use super::sections::{Caps, Preset, VendorKind};
use super::spanned_reader::Spanned;
use super::value::{Canary, Count};
use crate::entry::Outcome;

/// What one invocation allows beyond the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SafetyOverrides {
    /// Allows a settle time under 120 s although the campaign calls people: this invocation is a rehearsal of it. A
    /// campaign for the simulator, or with `rehearsal = true`, needs no override.
    pub short_settle: bool,
}

/// The shortest settle time, S of rule R, outside a rehearsal.
const LEAST_SETTLE: TimeDelta = TimeDelta::seconds(120);

/// The vendor's own caps.
const VENDOR_CAPS: Caps = Caps {
    min_gap: TimeDelta::hours(24),
    per_7_days: 3,
    per_30_days: 6,
    failures_before_cool_down: 3,
    cool_down: TimeDelta::days(30),
    failed: Vec::new(),
};

/// Applies every rule to the file and adds the problems to `problems`.
pub(super) fn campaign(file: &CampaignFile, overrides: SafetyOverrides, problems: &mut Vec<Diagnostic>) {
    let mut validator = Validator { problems };
    validator.calling(file);
    validator.redial(file);
    validator.safety(file, overrides);
    validator.vendor(file);
    validator.list(file);
    validator.outcomes(file);
    locations::check(file.line.as_ref(), problems);
}

struct Validator<'p> {
    problems: &'p mut Vec<Diagnostic>,
}

/// A value of the file and its position. `None` for a default.
fn own<T: Clone>(spanned: Option<&Spanned<T>>) -> Option<(T, Range<usize>)> {
    let spanned = spanned?;
    Some((spanned.value.clone(), spanned.span.clone()?))
}

impl Validator<'_> {
    fn add(&mut self, at: Range<usize>, message: impl Into<String>, help: &str) {
        self.problems.push(Diagnostic::new(at, message).help(help));
    }

    fn calling(&mut self, file: &CampaignFile) {
        let Some(Spanned { value: calling, .. }) = &file.calling else { return };
        if calling.allow_wider.as_ref().is_none_or(|wider| !wider.value) {
            self.window(calling);
        }
        if let Some((days, at)) = own(calling.days.as_ref())
            && days.is_empty()
        {
            self.add(at, "`days` is empty, so nobody could ever be called", "days = [\"mon\", \"tue\"]");
        }
        if let Some(Spanned { value: caps, .. }) = &calling.caps {
            self.caps(caps);
            self.failed(caps);
        }
    }

    fn window(&mut self, calling: &CallingTable) {
        let legal = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
        if let Some((window, at)) = own(calling.window.as_ref())
            && (window.start < legal(9) || window.end > legal(20))
        {
            let message = "`window` is wider than the vendor's legal hours, 09:00-20:00";
            self.add(at, message, "narrow it: outside them the vendor takes no calls");
        }
        let is_vendor_safe = calling.preset.as_ref().is_some_and(|preset| preset.value == Preset::VendorSafe);
        if let Some((days, at)) = own(calling.days.as_ref())
            && is_vendor_safe
            && days.contains(&Weekday::Sun)
        {
            let message = "`days` has a Sunday, and the preset \"vendor-safe\" calls Monday to Saturday";
            self.add(at, message, "leave it out, choose another preset, or add allow_wider = true below [calling]");
        }
    }

    fn caps(&mut self, caps: &CapsTable) {
        let durations = [
            ("min_gap", &caps.min_gap, VENDOR_CAPS.min_gap, "24h"),
            ("cool_down", &caps.cool_down, VENDOR_CAPS.cool_down, "30d"),
        ];
        for (key, spanned, least, shown) in durations {
            if let Some((_, at)) = own(spanned.as_ref()).filter(|(span, _)| *span < least) {
                let message = format!("`{key}` is shorter than the vendor's own, {shown}");
                self.add(at, message, "caps can only be stricter; leave it out to keep the vendor's");
            }
        }
        let counts = [
            ("per_7_days", &caps.per_7_days, VENDOR_CAPS.per_7_days),
            ("per_30_days", &caps.per_30_days, VENDOR_CAPS.per_30_days),
            ("failures_before_cool_down", &caps.failures_before_cool_down, VENDOR_CAPS.failures_before_cool_down),
        ];
        for (key, spanned, most) in counts {
            if let Some((_, at)) = own(spanned.as_ref()).filter(|(Count(count), _)| *count > most) {
                let message = format!("`{key}` is more than the vendor's own, {most}");
                self.add(at, message, "caps can only be stricter; leave it out to keep the vendor's");
            }
        }
    }

    fn failed(&mut self, caps: &CapsTable) {
        if let Some((_, at)) = own(caps.failed.as_ref()).filter(|(failed, _)| failed.is_empty()) {
            let message = "`failed` is empty, so no patient would ever be given a rest after failed calls";
            self.add(at, message, "caps can only be stricter; name the outcomes that count as failed, or leave it out");
        }
    }

    fn redial(&mut self, file: &CampaignFile) {
        let Some(Spanned { value: redial, .. }) = &file.redial else { return };
        let Some((after, at)) = own(redial.after.as_ref()) else { return };
        for outcome in after.into_iter().filter(|outcome| is_final(*outcome)) {
            let message = format!("`after` has \"{outcome}\", and such a patient is not called again");
            self.add(at.clone(), message, "leave it out");
        }
    }

    fn safety(&mut self, file: &CampaignFile, overrides: SafetyOverrides) {
        let Some(Spanned { value: safety, .. }) = &file.safety else { return };
        let calls_nobody = calls_nobody(file) || overrides.short_settle;
        if let Some((settle, at)) = own(safety.settle.as_ref())
            && settle < LEAST_SETTLE
            && !calls_nobody
        {
            let message = "`settle` is under 120s, so a call could be placed twice";
            self.add(
                at,
                message,
                "a shorter one needs kind = \"simulator\" or rehearsal = true below [vendor], or `run --rehearse`",
            );
        }
        if let (Some((Canary(canary), at)), Some(most)) = (own(safety.canary.as_ref()), &safety.max_calls)
            && canary > most.value.0
        {
            self.add(at, "`canary` is more than `max_calls`", "make it smaller, or leave it out");
        }
    }

    /// Refuses simulator settings in a campaign that calls people: its author expects a simulation.
    fn vendor(&mut self, file: &CampaignFile) {
        let Some(Spanned { value: vendor, .. }) = &file.vendor else { return };
        if calls_nobody(file) {
            return;
        }
        for (key, at) in simulator_settings(vendor) {
            let message = format!("`{key}` is a setting of the simulator, and this campaign calls people");
            self.add(at, message, "leave it out, or write kind = \"simulator\"");
        }
    }

    fn list(&mut self, file: &CampaignFile) {
        let Some(Spanned { value: list, .. }) = &file.list else { return };
        if let Some((_, at)) = own(list.key.as_ref()).filter(|(key, _)| key.is_empty()) {
            self.add(at, "`key` is empty, so no patient can be identified", "key = [\"patient_id\"]");
        }
    }

    fn outcomes(&mut self, file: &CampaignFile) {
        let replaces = own(file.replace_default_outcomes.as_ref()).filter(|(replaces, _)| *replaces);
        let written = own(file.outcomes.as_ref());
        match (replaces, written) {
            (Some((_, at)), None) => {
                let message = "`replace_default_outcomes` without [[outcomes]] leaves every call unclassified";
                self.add(at, message, "add [[outcomes]], or leave it out");
            }
            (_, Some((rules, _))) => {
                let empty = rules.iter().filter(|rule| is_empty(&rule.value)).filter_map(|rule| rule.span.clone());
                for at in empty {
                    let message = "this rule has no condition, so it never matches";
                    self.add(at, message, "give it tags, topic, summary, actions or duration_at_most");
                }
            }
            (None, None) => {}
        }
    }
}

/// Whether the campaign is for the simulator or for rehearsals.
fn calls_nobody(file: &CampaignFile) -> bool {
    file.vendor.as_ref().is_some_and(|Spanned { value: vendor, .. }| {
        vendor.kind.as_ref().is_some_and(|kind| kind.value == VendorKind::Simulator)
            || vendor.rehearsal.as_ref().is_some_and(|rehearsal| rehearsal.value)
    })
}

/// The simulator settings of the file, with their positions.
fn simulator_settings(vendor: &VendorTable) -> Vec<(&'static str, Range<usize>)> {
    let span = |key, span: Option<&Range<usize>>| Some((key, span?.clone()));
    [
        span("seed", vendor.seed.as_ref().and_then(|spanned| spanned.span.as_ref())),
        span("start", vendor.start.as_ref().and_then(|spanned| spanned.span.as_ref())),
        span("speed", vendor.speed.as_ref().and_then(|spanned| spanned.span.as_ref())),
        span("people", vendor.people.as_ref().and_then(|spanned| spanned.span.as_ref())),
        span("bot_style", vendor.bot_style.as_ref().and_then(|spanned| spanned.span.as_ref())),
        span("faults", vendor.faults.as_ref().and_then(|spanned| spanned.span.as_ref())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether the outcome ends the calls: the patient has answered, or cannot be reached at this number.
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

fn is_empty(rule: &OutcomeTable) -> bool {
    let has_none = |texts: &Option<Spanned<Vec<String>>>| texts.as_ref().is_none_or(|texts| texts.value.is_empty());
    [&rule.tags, &rule.topic, &rule.summary, &rule.actions].into_iter().all(has_none) && rule.duration_at_most.is_none()
}
