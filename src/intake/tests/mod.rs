//! Lists in, entries and reasons out: the whole line, as `check` and `run` walk it.

mod dates;
mod demonstrations;
mod households;
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
    Calling, Caps, DateOrder, DayWindow, Lines, ListRules, Message, OnAbsent, OnConflict, OnLostAnswer, Practice,
    Preset, Purpose, Rate, Redial, Safety, SimulatorSettings, Source, StopOn, Vendor, VendorKind, ZoneMode,
};
use crate::entry::{OutcomeRules, Reason, Standing};
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
        max_reject_rate: 1.0,
        max_withdraw_rate: 1.0,
        max_list_age: TimeDelta::days(7),
        date_order: None,
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
        household: true,
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
        lines: Lines::of_one(&practice(), Rate { requests_per_minute: 60, open_calls: 10 }),
        list: list_rules(purpose),
        message: Message { context: template(CONTEXT), voicemail: None },
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
        vendor: Vendor {
            kind: VendorKind::Annie,
            rehearsal: false,
            key_file: None,
            simulator: SimulatorSettings { seed: 1, start: None, speed: 60.0, people: None, faults: Vec::new() },
        },
        outcomes: OutcomeRules::default(),
        source: Source { text: String::new(), directory: PathBuf::new() },
    }
}

fn setting() -> Setting {
    Setting { now: "2026-11-24T15:00:00Z".parse().expect("an instant"), fiction_allowed: true, check_age: false }
}

struct Taken {
    drafts: Vec<Draft>,
    rejected: Vec<Rejection>,
    summary: Summary,
}

fn file_of(text: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    file
}

fn take_bytes(text: &[u8], campaign: &Campaign) -> Result<Taken, ListProblem> {
    let file = file_of(text);
    let intake = Intake::open(&ListSource::File(file.path().to_owned()), campaign, setting())?;
    let (mut drafts, mut rejected) = (vec![], vec![]);
    let mut reading = intake.read()?;
    for step in reading.by_ref() {
        match step? {
            Step::Accepted(draft) => drafts.push(*draft),
            Step::Rejected(rejection, _) => rejected.push(rejection),
            Step::Duplicate { .. } | Step::Replaced { .. } => {}
        }
    }
    let summary = reading.finish()?;
    assert!(summary.tally.adds_up(), "{:?}", summary.tally);
    assert_eq!(summary.tally.accepted, drafts.len() as u64);
    assert_eq!(summary.tally.rejected, rejected.len() as u64);
    assert_eq!(summary.tally.merged, drafts.iter().map(|draft| draft.members.len() as u64).sum::<u64>());
    Ok(Taken { drafts, rejected, summary })
}

/// What `work` gives, and the time that this thread had on a processor for it, which other processes do not lengthen.
/// Linux tells it.
fn timed<T>(work: impl FnOnce() -> T) -> (T, Option<Duration>) {
    let on_processor = || {
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        told.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
    };
    let before: Option<Duration> = on_processor();
    let done = work();
    (done, before.zip(on_processor()).map(|(before, after)| after.saturating_sub(before)))
}

/// The most that reading a list of so many bytes may take: one second a megabyte, and a moment to begin. Tests are built
/// without optimisation, which makes them slower by far more than the factor that is allowed for it here.
fn a_second_a_megabyte(bytes: usize) -> Duration {
    let factor = if cfg!(debug_assertions) { 5.0 } else { 1.0 };
    Duration::from_millis(200) + Duration::from_secs_f64(factor * bytes as f64 / 1e6)
}

fn take(text: &str) -> Taken {
    take_bytes(text.as_bytes(), &campaign(Purpose::Recall)).expect("a list")
}

fn refused(text: &str, campaign: &Campaign) -> String {
    take_bytes(text.as_bytes(), campaign).err().expect("a refusal").to_string()
}

/// One line a draft: its line, names, phone and standing, and who else it covers.
fn shown(taken: &Taken) -> String {
    let mut text = String::new();
    for draft in &taken.drafts {
        let members: Vec<u64> = draft.members.iter().map(|member| member.line).collect();
        let context = draft.content.context.as_deref().unwrap_or("-");
        writeln!(text, "{}: {} {:?} {context} {members:?}", draft.line, draft.phone.expose(), draft.standing)
            .expect("written");
    }
    for rejection in &taken.rejected {
        writeln!(text, "{rejection}").expect("written");
    }
    writeln!(text, "{:?}", taken.summary.tally).expect("written");
    text
}

const HEADER: &str = "PatNum,FName,LName,Birthdate,WirelessPhone,Guarantor";
