//! Tests of the whole intake: from list files to entries and rejections.

mod dates;
mod demonstrations;
mod households;
mod json;
mod lists;
mod messages;
mod properties;
mod rows;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{NaiveTime, TimeDelta, Weekday};
use proptest::prelude::*;

use super::*;
use crate::campaign::{
    Calling, CampaignSource, Caps, DateOrder, DayWindow, HouseholdRule, ListRules, Locations, MessageTemplates,
    OnAbsent, OnConflict, OnLostAnswer, Practice, Preset, Privacy, Purpose, Rate, Redial, Safety, SimulatorSettings,
    StopOn, VendorChoice, VendorKind, Writeback, ZoneMode,
};
use crate::entry::{ListEligibility, NewEntry, Reason};
use crate::ids::{CampaignName, OrganisationId};
use crate::phone::E164;
use crate::template::Template;
use crate::zone::Zone;

const CONTEXT: &str = "{{ preferred_name }}{% if household_names %} with {{ household_names }}{% endif %}";

fn number(text: &str) -> E164 {
    E164::parse(text).expect("a number")
}

fn template(source: &str) -> Template {
    Template::compile("context", source).expect("a template")
}

fn practice() -> Practice {
    Practice {
        name: "Bright Smile Dental".to_owned(),
        zone: Zone::named("America/Chicago").expect("a zone"),
        from_number: number("+13125550198"),
        callback_number: number("+13125550199"),
        own_numbers: vec![number("+13125550198"), number("+13125550199")],
        organisation: OrganisationId::new("bright-smile"),
    }
}

fn list_rules(purpose: Purpose) -> ListRules {
    let key: &[&str] = match purpose {
        Purpose::Reminder => &["patient_id", "appointment_id"],
        Purpose::Recall | Purpose::FollowUp => &["patient_id"],
    };
    ListRules {
        file: None,
        key: key.iter().map(ToString::to_string).collect(),
        on_absent: OnAbsent::Withdraw,
        on_conflict: OnConflict::Reject,
        columns: vec![],
        ignore: vec![],
        values: vec![],
        max_reject_rate: 1.0,
        max_withdraw_rate: 1.0,
        max_list_age: TimeDelta::days(7),
        date_order: None,
        encoding: None,
        rejects: None,
    }
}

fn calling() -> Calling {
    let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("a time");
    Calling {
        preset: Preset::VendorSafe,
        consent: Some(Consent::OnFile),
        days: vec![Weekday::Mon, Weekday::Tue],
        window: DayWindow { start: at(9), end: at(17) },
        allow_wider: false,
        zone_mode: ZoneMode::Intersect,
        household: HouseholdRule::Name,
        caps: Caps {
            min_gap: TimeDelta::hours(24),
            per_7_days: 3,
            per_30_days: 6,
            failures_before_cool_down: 3,
            cool_down: TimeDelta::days(30),
            failed: vec![],
        },
        holidays: std::sync::Arc::default(),
        all_holidays: std::sync::Arc::default(),
        area_codes: crate::phone::area_codes::AreaCodes::default(),
    }
}

pub(super) fn campaign(purpose: Purpose) -> Campaign {
    let reminder = purpose == Purpose::Reminder;
    Campaign {
        name: CampaignName::new("test"),
        purpose,
        practice: practice(),
        locations: Locations::single(&practice(), Rate { requests_per_minute: 60, open_calls: 10 }),
        list: list_rules(purpose),
        message: MessageTemplates { context: template(CONTEXT), voicemail: None },
        calling: calling(),
        redial: Redial {
            max_attempts: 3,
            min_gap: TimeDelta::hours(72),
            after: vec![],
            vary_time: false,
            stop_before_appointment: reminder.then(|| TimeDelta::hours(2)),
        },
        rate: Rate { requests_per_minute: 60, open_calls: 10 },
        safety: Safety {
            max_calls: None,
            canary: None,
            stop_on: StopOn::default(),
            settle: TimeDelta::seconds(300),
            on_lost_answer: OnLostAnswer::Hold,
            track_for: TimeDelta::hours(1),
            outage: TimeDelta::hours(1),
        },
        privacy: Privacy { keep_words_for: TimeDelta::days(90) },
        vendor: VendorChoice {
            kind: VendorKind::Annie,
            rehearsal: false,
            key_file: None,
            simulator: SimulatorSettings {
                seed: 1,
                start: None,
                speed: 60.0,
                people: None,
                faults: Vec::new(),
                bot_style: None,
            },
        },
        writeback: Writeback { columns: Vec::new() },
        outcomes: crate::outcome::OutcomeRules::default(),
        source: CampaignSource { text: String::new(), directory: PathBuf::new() },
    }
}

fn context() -> IntakeContext {
    let now = "2026-11-24T15:00:00Z".parse().expect("an instant");
    IntakeContext { now, opens: now, fiction_allowed: true, check_age: false }
}

struct IntakeResult {
    entries: Vec<NewEntry>,
    rejected: Vec<Rejection>,
    summary: IntakeSummary,
}

fn list_file(text: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    file
}

fn run_intake_on(text: &[u8], campaign: &Campaign) -> Result<IntakeResult, ListError> {
    let file = list_file(text);
    result_of(&Intake::open(&ListSource::File(file.path().to_owned()), campaign, context())?)
}

fn result_of(intake: &Intake<'_>) -> Result<IntakeResult, ListError> {
    let (mut entries, mut rejected) = (vec![], vec![]);
    let mut pass = intake.read()?;
    for result in pass.by_ref() {
        match result? {
            RowResult::Accepted(entry) => entries.push(*entry),
            RowResult::Rejected(rejection, _) => rejected.push(rejection),
            RowResult::Duplicate { .. } | RowResult::Replaced { .. } => {}
        }
    }
    let summary = pass.finish()?;
    assert!(summary.counts.adds_up(), "{:?}", summary.counts);
    assert_eq!(summary.counts.accepted, entries.len() as u64);
    assert_eq!(summary.counts.rejected, rejected.len() as u64);
    assert_eq!(summary.counts.merged, entries.iter().map(|entry| entry.members.len() as u64).sum::<u64>());
    Ok(IntakeResult { entries, rejected, summary })
}

/// The result of `work`, and the CPU time of this thread, which other processes do not affect. The time is available on
/// Linux only.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Option<Duration>) {
    let cpu_time = || {
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        stat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
    };
    let before: Option<Duration> = cpu_time();
    let result = work();
    (result, before.zip(cpu_time()).map(|(before, after)| after.saturating_sub(before)))
}

/// The time limit for a list of this size: 200 ms plus one second per megabyte, and fifteen in a build without
/// optimisation, in which the same work takes about that much longer.
fn a_second_a_megabyte(bytes: usize) -> Duration {
    let factor = if cfg!(debug_assertions) { 15.0 } else { 1.0 };
    Duration::from_millis(200) + Duration::from_secs_f64(factor * bytes as f64 / 1e6)
}

fn run_intake(text: &str) -> IntakeResult {
    run_intake_on(text.as_bytes(), &campaign(Purpose::Recall)).expect("a list")
}

fn refused(text: &str, campaign: &Campaign) -> String {
    run_intake_on(text.as_bytes(), campaign).err().expect("a refusal").to_string()
}

/// The result as text, with one line for each entry: its line, number, eligibility, context and the lines of its
/// members.
fn render(result: &IntakeResult) -> String {
    let mut text = String::new();
    for entry in &result.entries {
        let members: Vec<u64> = entry.members.iter().map(|member| member.line).collect();
        let context = entry.content.context.as_deref().unwrap_or("-");
        writeln!(text, "{}: {} {:?} {context} {members:?}", entry.line, entry.phone.expose(), entry.eligibility)
            .expect("written");
    }
    for rejection in &result.rejected {
        writeln!(text, "{rejection}").expect("written");
    }
    writeln!(text, "{:?}", result.summary.counts).expect("written");
    text
}

const HEADER: &str = "PatNum,FName,LName,Birthdate,WirelessPhone,Guarantor";
