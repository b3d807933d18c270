use std::fmt::Write as _;
use std::path::PathBuf;

use chrono::{NaiveTime, TimeDelta, Weekday};
use proptest::prelude::*;

use super::*;
use crate::campaign::{
    Calling, Caps, DateOrder, DayWindow, ListRules, Message, OnAbsent, OnLostAnswer, Practice, Preset, Purpose, Rate,
    Redial, Safety, Source, StopOn, Vendor, ZoneMode,
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
        columns: vec![],
        max_reject_rate: 1.0,
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
        zone_mode: ZoneMode::Intersect,
        household: true,
        caps: Caps {
            min_gap: TimeDelta::hours(24),
            per_7_days: 3,
            per_30_days: 6,
            failures_before_cool_down: 3,
            cool_down: TimeDelta::days(30),
        },
    }
}

fn campaign(purpose: Purpose) -> Campaign {
    let reminder = purpose == Purpose::Reminder;
    Campaign {
        name: CampaignName::new("test"),
        purpose,
        practice: practice(),
        list: list_rules(purpose),
        message: Message { context: Template::stand_in(CONTEXT), voicemail: None },
        calling: calling(),
        redial: Redial {
            max_attempts: 3,
            min_gap: TimeDelta::hours(72),
            after: vec![],
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
        },
        vendor: Vendor::Annie { key_file: None },
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
            Step::Duplicate { .. } => {}
        }
    }
    let summary = reading.finish()?;
    assert!(summary.tally.adds_up(), "{:?}", summary.tally);
    assert_eq!(summary.tally.accepted, drafts.len() as u64);
    assert_eq!(summary.tally.rejected, rejected.len() as u64);
    assert_eq!(summary.tally.merged, drafts.iter().map(|draft| draft.members.len() as u64).sum::<u64>());
    Ok(Taken { drafts, rejected, summary })
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

#[test]
fn a_clean_row_becomes_an_entry() {
    let taken = take(&format!("{HEADER}\n1,Ana,Ruiz,1988-03-22,312-555-0101,1\n"));
    let draft = &taken.drafts[0];
    assert_eq!(draft.line, 2);
    assert_eq!(draft.phone.expose(), "+13125550101");
    assert_eq!(draft.zones.zones, ["America/Chicago"]);
    assert_eq!(draft.content.patient.first_name, "Ana");
    assert_eq!(draft.content.patient.last_name.as_deref(), Some("Ruiz"));
    assert_eq!(draft.content.patient.date_of_birth.map(|date| date.to_string()).as_deref(), Some("1988-03-22"));
    assert_eq!(draft.content.patient.patient_id.as_deref(), Some("1"));
    assert_eq!(draft.key.parts().collect::<Vec<_>>(), ["1"]);
    assert_eq!(draft.standing, Standing::Ready);
}

#[test]
fn every_format_says_the_same() {
    let rows = [["1", "Ana", "3125550101", "x"], ["2", "Ben", "3125550102", ""]];
    let object = |row: &[&str; 4]| {
        format!(
            r#"{{"patient_id": {}, "first_name": "{}", "mobile": {}, "notes": "{}"}}"#,
            row[0], row[1], row[2], row[3]
        )
    };
    let [one, two] = [object(&rows[0]), object(&rows[1])];
    let separated = |by: &str| {
        let lines: Vec<String> = rows.iter().map(|row| row.join(by)).collect();
        format!("{}\n{}\n{}\n", ["patient_id", "first_name", "mobile", "notes"].join(by), lines[0], lines[1])
    };
    let expected: Vec<_> = take(&separated(",")).drafts;
    for text in [
        separated(";"),
        separated("\t"),
        separated("|"),
        separated(",").replace('\n', "\r\n"),
        separated(",").replace('\n', "\r"),
        format!("\u{feff}{}", separated(",")),
        format!("Recall list of 24 Nov\n\n{}", separated(",")),
        format!("[{one},\n{two}]"),
        format!("{{\"count\": 2, \"patients\": [{one}, {two}], \"errors\": []}}"),
        format!("{{\"meta\": {{\"tags\": [1, 2]}}, \"items\": [{one}, {two}]}}"),
        format!("{one}\n{two}\n"),
    ] {
        let taken = take(&text);
        assert_eq!(taken.summary.tally.accepted, 2, "{text}");
        for (draft, other) in taken.drafts.iter().zip(&expected) {
            assert!(draft.key == other.key && draft.phone == other.phone && draft.content == other.content, "{text}");
        }
    }
}

#[test]
fn encodings_are_told_by_their_bytes() {
    let text = "patient_id;first_name;mobile\n1;José;3125550101\n2;Zoë;3125550102\n";
    let (latin, ..) = encoding_rs::WINDOWS_1252.encode(text);
    let wide: Vec<u16> = text.encode_utf16().collect();
    let little: Vec<u8> = wide.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = wide.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    let marked = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
    for bytes in [
        text.as_bytes().to_vec(),
        latin.to_vec(),
        little.clone(),
        big.clone(),
        marked(&[0xff, 0xfe], &little),
        marked(&[0xfe, 0xff], &big),
        marked(&[0xef, 0xbb, 0xbf], text.as_bytes()),
    ] {
        let taken = take_bytes(&bytes, &campaign(Purpose::Recall)).expect("a list");
        let names: Vec<_> = taken.drafts.iter().map(|draft| draft.content.patient.first_name.as_str()).collect();
        assert_eq!(names, ["José", "Zoë"]);
    }
}

#[test]
fn families_share_a_call_and_strangers_do_not() {
    let taken = take(&format!(
        "{HEADER}\n\
         11,Ben,Ruiz,2015-05-01,3125550101,10\n\
         10,Ana,Ruiz,1980-05-01,3125550101,10\n\
         12,Cai,Ruiz,2017-05-01,3125550101,10\n\
         20,Dee,Moss,1970-01-02,3125550102,20\n\
         21,Eli,Park,1971-01-02,3125550102,21\n\
         22,Fay,Park,2016-01-02,3125550102,21\n\
         30,Gus,Lind,2014-01-02,3125550103,99\n\
         31,Hal,Lind,2016-01-02,3125550103,99\n\
         40,Ida,West,1990-01-02,3125550104,40\n\
         41,Jon,West,1990-01-02,3125550104,40\n"
    ));
    insta::assert_snapshot!(shown(&taken), @r"
    3: +13125550101 Ready Ana with Ben and Cai [2, 4]
    5: +13125550102 Ready Dee []
    6: +13125550102 Ready Eli with Fay [7]
    8: +13125550103 Ready Gus with Hal [9]
    10: +13125550104 Ready Ida with Jon [11]
    Tally { read: 10, accepted: 5, rejected: 0, duplicate: 0, merged: 5 }
    ");
}

#[test]
fn whoever_may_not_be_called_neither_speaks_for_a_household_nor_hides_in_it() {
    let taken = take(
        "PatNum,FName,Birthdate,WirelessPhone,Guarantor,DoNotCall,DateScheduled\n\
         10,Ana,1980-05-01,3125550101,10,yes,\n\
         11,Ben,2015-05-01,3125550101,10,,\n\
         12,Cai,2017-05-01,3125550101,10,,2026-12-03\n\
         13,Dee,1985-05-01,3125550101,10,,2026-10-03\n",
    );
    insta::assert_snapshot!(shown(&taken), @r"
    2: +13125550101 Suppressed(DoNotCall) Ana []
    4: +13125550101 Suppressed(Booked) Cai []
    5: +13125550101 Ready Dee with Ben [3]
    Tally { read: 4, accepted: 3, rejected: 0, duplicate: 0, merged: 1 }
    ");
    assert_eq!(taken.summary.kept_by[&Reason::Booked], 1);
}

#[test]
fn households_can_be_switched_off() {
    let mut campaign = campaign(Purpose::Recall);
    campaign.calling.household = false;
    let text = format!("{HEADER}\n10,Ana,Ruiz,1980-05-01,3125550101,10\n11,Ben,Ruiz,2015-05-01,3125550101,10\n");
    let taken = take_bytes(text.as_bytes(), &campaign).expect("a list");
    assert_eq!((taken.summary.tally.accepted, taken.summary.tally.merged), (2, 0));
}

#[test]
fn every_bad_row_has_one_clear_reason() {
    let taken = take(
        "PatNum,FName,LName,Birthdate,WirelessPhone,HmPhone,tz\n\
         1,Ana,Ruiz,1988-03-22,312-555-014,,\n\
         2,,Ruiz,1988-03-22,3125550101,,\n\
         ,Ben,Ruiz,1988-03-22,3125550101,,\n\
         3,Cai,Ruiz,yesterday,3125550101,,\n\
         4,Dee,Ruiz,2031-03-22,3125550101,,\n\
         5,Eli,Ruiz,1988-03-22,,,\n\
         6,Fay,Ruiz,1988-03-22\n\
         7,Gus,Ruiz,1988-03-22,800-555-0101,none,\n\
         8,Hal,Ruiz,1988-03-22,3125550101,,Chicago\n\
         9,Ida,Ruiz,1988-03-22,3125550101,,,,more\n\
         10,Jon,Ruiz,1988-03-22,3125550110,,,,\n\
         \n\
         10,Jon,Ruiz,1988-03-22,3125550110,,\n\
         10,Jon,Ruiz,1988-03-23,3125550110,,\n\
         11,Kim,Ruiz,1988-03-22,312-555-0199,,\n",
    );
    insta::assert_snapshot!(shown(&taken), @r"
    12: +13125550110 Ready Jon []
    line 2: phone: too short
    line 3: first_name: missing
    line 4: patient_id: missing
    line 5: date_of_birth: not a date
    line 6: date_of_birth: in the future
    line 7: phone: missing
    line 8: row: has 4 cells where the header has 7
    line 9: phone: a toll-free number
    line 10: timezone: not a time zone, such as America/Chicago or CT
    line 11: row: has 9 cells where the header has 7
    line 15: patient_id: the same as on line 12, with other data
    line 16: phone: the practice's own number
    Tally { read: 14, accepted: 1, rejected: 12, duplicate: 1, merged: 0 }
    ");
}

#[test]
fn doubtful_numbers_are_held_for_a_person() {
    let taken = take(
        "PatNum,FName,WirelessPhone,State\n1,Ana,312-555-0101 x5,\n2,Ben,436-555-0101,\n3,Cai,436-555-0102,Ohio\n",
    );
    insta::assert_snapshot!(shown(&taken), @r"
    2: +13125550101 Held(Extension) Ana []
    3: +14365550101 Held(UnknownAreaCode) Ben []
    4: +14365550102 Ready Cai []
    Tally { read: 3, accepted: 3, rejected: 0, duplicate: 0, merged: 0 }
    ");
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    for end in ["\n", "\r\n"] {
        for last in ["", end] {
            let text = ["Title", "", HEADER, "", "1,\"A\nna\",R,,x,", "", "", "2,Ben,R,,x,", "3,Cai,R,,x,"].join(end);
            let taken = take(&(text + last));
            let lines: Vec<u64> = taken.rejected.iter().map(|rejection| rejection.line).collect();
            assert_eq!(lines, [5, 9, 10], "{end:?} {last:?}");
        }
    }
}

#[test]
fn a_date_column_is_read_in_the_order_that_the_whole_of_it_says() {
    let list = |one: &str, two: &str| {
        format!("patient_id,first_name,mobile,dob\n1,Ana,3125550101,\"{one}\"\n2,Ben,3125550102,\"{two}\"\n")
    };
    let born = |text: &str| {
        let birth = |draft: &Draft| draft.content.patient.date_of_birth.expect("a date").to_string();
        take(text).drafts.iter().map(birth).collect::<Vec<_>>()
    };
    for (one, two, expected) in [
        ("3/4/88", "3/22/88", ["1988-03-04", "1988-03-22"]),
        ("4/3/1988", "22.3.1988", ["1988-03-04", "1988-03-22"]),
        ("03-04-05", "05-22-27", ["2005-03-04", "1927-05-22"]),
        ("1988-03-22T00:00:00", "22 Mar 1988", ["1988-03-22", "1988-03-22"]),
        ("32224", "32224.0", ["1988-03-22", "1988-03-22"]),
        ("19880322", "Mar 22, 1988", ["1988-03-22", "1988-03-22"]),
        ("Tuesday, March 22nd, 1988", "3/3/1988", ["1988-03-22", "1988-03-03"]),
        ("1988/03/22", "88-03-31", ["1988-03-22", "1988-03-31"]),
    ] {
        assert_eq!(born(&list(one, two)), expected, "{one} {two}");
    }
    let error = refused(&list("3/4/1988", "5/6/1988"), &campaign(Purpose::Recall));
    assert!(error.contains("`dob` could be month/day or day/month;") && error.contains("date_order"), "{error}");
    let error = refused(&list("3/22/1988", "22/3/1988"), &campaign(Purpose::Recall));
    assert!(error.contains("some can only be the one and some only the other"), "{error}");
    let mut told = campaign(Purpose::Recall);
    told.list.date_order = Some(DateOrder::Dmy);
    let taken = take_bytes(list("3/4/1988", "5/6/1988").as_bytes(), &told).expect("a list");
    let birth = taken.drafts[0].content.patient.date_of_birth.expect("a date");
    assert_eq!(birth.to_string(), "1988-04-03");
}

#[test]
fn an_empty_date_is_no_date() {
    for cell in ["", "0001-01-01", "1900-01-01", "00/00/0000", "1/0/1900", "N/A", "0001-01-01T00:00:00", "1/1/0001"] {
        let taken = take(&format!("patient_id,first_name,mobile,dob\n1,Ana,3125550101,{cell}\n"));
        assert_eq!(taken.drafts[0].content.patient.date_of_birth, None, "{cell}");
    }
}

#[test]
fn an_appointment_has_the_practices_offset_and_ends_the_calling_before_it() {
    for start in [
        "2026-11-25T09:00:00",
        "2026-11-25T09:00",
        "2026-11-25 9:00 AM",
        "11/25/2026 09:00:00",
        "2026-11-25T15:00:00Z",
        "2026-11-25T10:00:00-05:00",
        "Nov 25, 2026 9:00 a.m.",
    ] {
        let text = format!(
            "patient_id,first_name,mobile,appointment_id,appointment_start,appointment_end\n\
             1,Ana,3125550101,A-1,\"{start}\",10:00\n"
        );
        let taken = take_bytes(text.as_bytes(), &campaign(Purpose::Reminder)).expect("a list");
        let draft = &taken.drafts[0];
        let appointment = draft.content.appointment.as_ref().expect("an appointment");
        let iso = |time: Option<DateTime<chrono::FixedOffset>>| time.expect("a time").to_rfc3339();
        assert_eq!(iso(appointment.start), "2026-11-25T09:00:00-06:00", "{start}");
        assert_eq!(iso(appointment.end), "2026-11-25T10:00:00-06:00", "{start}");
        assert_eq!(draft.not_after.map(|time| time.to_rfc3339()).as_deref(), Some("2026-11-25T13:00:00+00:00"));
        assert_eq!(draft.key.parts().collect::<Vec<_>>(), ["1", "A-1"]);
    }
}

#[test]
fn a_reminder_needs_an_appointment() {
    let text = "patient_id,first_name,mobile,appointment_id,appointment_start\n\
                1,Ana,3125550101,A-1,\n2,Ben,3125550102,A-2,2026-11-25\n";
    let taken = take_bytes(text.as_bytes(), &campaign(Purpose::Reminder)).expect("a list");
    insta::assert_snapshot!(shown(&taken), @r"
    line 2: appointment_start: missing
    line 3: appointment_start: not a date
    Tally { read: 2, accepted: 0, rejected: 2, duplicate: 0, merged: 0 }
    ");
}

#[test]
fn appointments_on_different_days_are_different_calls() {
    let text = "patient_id,first_name,dob,mobile,guarantor,appointment_id,appointment_start\n\
                1,Ana,1980-01-01,3125550101,1,A-1,2026-11-25T09:00\n\
                2,Ben,2015-01-01,3125550101,1,A-2,2026-11-25T08:30\n\
                3,Cai,2016-01-01,3125550101,1,A-3,2026-11-27T09:00\n";
    let taken = take_bytes(text.as_bytes(), &campaign(Purpose::Reminder)).expect("a list");
    let covered: Vec<_> = taken.drafts.iter().map(|draft| (draft.line, draft.members.len())).collect();
    assert_eq!(covered, [(2, 1), (4, 0)]);
    let earliest = taken.drafts[0].not_after.map(|time| time.to_rfc3339());
    assert_eq!(earliest.as_deref(), Some("2026-11-25T12:30:00+00:00"));
}

#[test]
fn names_beyond_500_characters_become_and_others() {
    let mut campaign = campaign(Purpose::Recall);
    let template = format!("{} {{{{ household_names }}}}", "x".repeat(470));
    campaign.message.context = Template::stand_in(&template);
    let mut text = format!("{HEADER}\n10,Ana,Ruiz,1980-05-01,3125550101,10\n");
    for child in 11..20 {
        writeln!(text, "{child},Maximilian,Ruiz,2015-05-01,3125550101,10").expect("written");
    }
    let taken = take_bytes(text.as_bytes(), &campaign).expect("a list");
    let context = taken.drafts[0].content.context.as_deref().expect("a context");
    assert!(context.ends_with("x Maximilian and 8 others"), "{context}");
    assert_eq!(taken.summary.tally.merged, 9);
}

#[test]
fn a_household_outlives_the_one_whose_texts_fail() {
    let mut campaign = campaign(Purpose::Recall);
    campaign.message.context = Template::stand_in("{{ preferred_name }}: {{ notes }}");
    let text = format!(
        "PatNum,FName,Birthdate,WirelessPhone,Guarantor,Notes\n\
         10,Ana,1980-05-01,3125550101,10,{}\n11,Ben,2015-05-01,3125550101,10,\n",
        "x".repeat(500)
    );
    let taken = take_bytes(text.as_bytes(), &campaign).expect("a list");
    insta::assert_snapshot!(shown(&taken), @r"
    3: +13125550101 Ready Ben: []
    line 2: message.context: over 500 characters
    Tally { read: 2, accepted: 1, rejected: 1, duplicate: 0, merged: 0 }
    ");
}

#[test]
fn templates_know_the_row_the_practice_and_the_appointment() {
    let mut campaign = campaign(Purpose::Reminder);
    campaign.message.context = Template::stand_in(
        "{{ patient_id }} {{ first_name }} {{ last_name }} {{ date_of_birth }} [{{ last_visit }}] {{ due }} \
         {{ preferred_time }} {{ notes_2 }} {{ practice.name }} {{ practice.callback_number }} {{ campaign.purpose }} \
         {{ appointment.id }} {{ appointment.start }} {{ provider }} {{ household | length }}",
    );
    let text = "Patient ID,First,Last,DOB,Cell,Last Visit,Due,Preferred Time,Notes,Notes,Apptid,Start Time,Doctor\n\
                P-7,Ana,Ruiz,3/22/88,3125550101,0001-01-01,12/24/2026,mornings,a,b,A-1,2026-11-25T09:00,Dr. Voss\n";
    let taken = take_bytes(text.as_bytes(), &campaign).expect("a list");
    insta::assert_snapshot!(taken.drafts[0].content.context.as_deref().expect("a context"), @"P-7 Ana Ruiz 1988-03-22 [] 2026-12-24 mornings b Bright Smile Dental +13125550199 reminder A-1 2026-11-25T09:00:00-06:00 Dr. Voss 0");
}

#[test]
fn a_template_that_a_row_cannot_fill_rejects_the_row() {
    let mut campaign = campaign(Purpose::Recall);
    campaign.message.context = Template::stand_in("{{ shoe_size }}");
    let taken = take_bytes(b"patient_id,first_name,mobile\n1,Ana,3125550101\n", &campaign).expect("a list");
    assert!(taken.rejected[0].to_string().starts_with("line 2: message.context: "));
}

#[test]
fn texts_are_linted_once_for_the_campaign() {
    let mut campaign = campaign(Purpose::Recall);
    campaign.message.voicemail = Some(Template::stand_in("Your balance is due. Call 312-555-0199."));
    let text = "patient_id,first_name,mobile\n1,Ana,3125550101\n2,Ben,3125550102\n";
    let warnings = take_bytes(text.as_bytes(), &campaign).expect("a list").summary.warnings;
    let shown: Vec<String> = warnings.iter().map(|(warning, rows)| format!("{warning} ({rows})")).collect();
    assert_eq!(
        shown,
        [
            "message.voicemail: does not say the practice's name (2)",
            "message.voicemail: says `balance`, which others might hear (2)"
        ]
    );
}

#[test]
fn the_mapping_is_reported() {
    let mut campaign = campaign(Purpose::Recall);
    campaign.list.columns = vec![("home_phone".to_owned(), "Evening".to_owned())];
    let file = file_of(b"PatNum,Last,First,HmPhone,Mobile,Evening,Notes,Shoe size\n1,R,A,,3125550101,3125550102,,\n");
    let intake = Intake::open(&ListSource::File(file.path().to_owned()), &campaign, setting()).expect("a list");
    insta::assert_snapshot!(intake.mapping(), @"PatNum → patient id, Last → last name, First → first name, HmPhone → home phone, Mobile → mobile, Evening → phone, unmapped: Notes, Shoe size");
    let draft = intake.read().expect("rows").find_map(|step| match step {
        Ok(Step::Accepted(draft)) => Some(draft),
        _ => None,
    });
    assert_eq!(draft.expect("an entry").phone.expose(), "+13125550102");
}

#[test]
fn a_list_that_cannot_be_used_is_refused_with_the_way_out() {
    let recall = || campaign(Purpose::Recall);
    let mut mapped = recall();
    mapped.list.columns = vec![("phone".to_owned(), "Mobil".to_owned())];
    let mut misnamed = recall();
    misnamed.list.columns = vec![("phon".to_owned(), "Mobile".to_owned())];
    let mut strict = recall();
    strict.list.max_reject_rate = 0.2;
    let mut silent = recall();
    silent.calling.consent = None;
    let mut by_column = recall();
    by_column.calling.consent = Some(Consent::Column);
    let header = "patient_id,first_name,mobile\n";
    let cases = [
        ("", recall()),
        ("\n\n", recall()),
        (header, recall()),
        ("patient_id,first_name,notes\n1,Ana,x\n", recall()),
        ("patient_id,mobile\n1,3125550101\n", recall()),
        ("first_name,mobile\nAna,3125550101\n", recall()),
        ("PatNum,Chart,first_name,mobile\n1,2,Ana,3125550101\n", recall()),
        ("patient_id,first_name,Mobile\n1,Ana,3125550101\n", mapped),
        ("patient_id,first_name,Mobile\n1,Ana,3125550101\n", misnamed),
        ("patient_id,first_name,mobile\n1,Ana,312\n2,Ben,3125550101\n", strict),
        ("patient_id,first_name,mobile\n1,Ana,3125550101\n", silent),
        ("patient_id,first_name,mobile\n1,Ana,3125550101\n", by_column),
        ("[{\"patient_id\": 1,}]", recall()),
        ("[{\"patient_id\": 1}", recall()),
        ("[1, 2]", recall()),
        ("[{\"patient_id\": 1}] [2]", recall()),
        ("{\"a\": [{\"b\": 1}], \"c\": [{\"d\": 1}]}", recall()),
        ("{\"patients\": []}", recall()),
        ("PK\u{3}\u{4}", recall()),
    ];
    let problems: Vec<String> = cases.iter().map(|(text, campaign)| refused(text, campaign)).collect();
    insta::assert_snapshot!(problems.join("\n---\n"));
}

#[test]
fn an_old_list_is_refused_where_age_counts() {
    let campaign = campaign(Purpose::Recall);
    let file = file_of(b"patient_id,first_name,mobile\n1,Ana,3125550101\n");
    let source = ListSource::File(file.path().to_owned());
    let written = std::fs::metadata(file.path()).and_then(|about| about.modified()).expect("a time");
    let later = |days| Setting { now: DateTime::from(written) + TimeDelta::days(days), check_age: true, ..setting() };
    assert!(Intake::open(&source, &campaign, later(6)).is_ok());
    let error = Intake::open(&source, &campaign, later(8)).expect_err("an old list");
    assert!(error.to_string().contains("8 days old"), "{error}");
    assert!(Intake::open(&source, &campaign, Setting { check_age: false, ..later(8) }).is_ok());
}

#[test]
fn json_keeps_what_it_was_given() {
    let mut campaign = campaign(Purpose::Recall);
    let text = r#"[{"id": 1, "first name": "Ana", "cell": 3.125550142E+09, "Zip-Code": "02134", "score": 1.10,
        "bio": {"city": "Chicago", "none": null}, "tags": ["a", 2, true], "kin": [{"name": "Ben"}],
        "note": "x", "note": "y"}]"#;
    campaign.message.context = Template::stand_in(
        "{{ postcode }}|{{ score }}|{{ bio_city }}|{{ tags }}|{{ kin_1_name }}|{{ note }}|{{ note_2 }}",
    );
    let taken = take_bytes(text.as_bytes(), &campaign).expect("a list");
    assert_eq!(taken.drafts[0].phone.expose(), "+13125550142");
    assert_eq!(taken.drafts[0].content.context.as_deref(), Some("02134|1.10|Chicago|a; 2; true|Ben|x|y"));
}

#[test]
fn deep_nesting_is_text_and_no_overflow() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let taken = take(&format!(r#"[{{"id": 1, "first": "Ana", "cell": "3125550101", "x": {deep}}}]"#));
    assert_eq!(taken.summary.tally.accepted, 1);
}

#[test]
fn a_rejects_file_can_be_corrected_and_fed_back() {
    let campaign = campaign(Purpose::Recall);
    let text = "patient_id,first_name,mobile,reason\n1,Ana,312,\"a, \"\"b\"\"\"\n2,Ben,3125550102,\n3,Cai\n";
    let file = file_of(text.as_bytes());
    let intake = Intake::open(&ListSource::File(file.path().to_owned()), &campaign, setting()).expect("a list");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rejects.csv");
    std::fs::write(&path, "left over").expect("written");
    let mut rejects = rejects::RejectsFile::create(&path, intake.header()).expect("a file");
    for step in intake.read().expect("rows") {
        if let Step::Rejected(rejection, row) = step.expect("a step") {
            rejects.write(&rejection, &row).expect("written");
        }
    }
    assert_eq!(rejects.finish().expect("complete"), 2);
    let written = std::fs::read_to_string(&path).expect("text");
    insta::assert_snapshot!(written, @r#"
    line,reason,patient_id,first_name,mobile,reason
    2,phone: too short,1,Ana,312,"a, ""b"""
    4,row: has 2 cells where the header has 4,3,Cai
    "#);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let source = ListSource::File(path.clone());
    let again = Intake::open(&source, &campaign, setting()).expect("a list");
    assert!(again.is_partial() && !intake.is_partial());
    assert_eq!(again.header(), intake.header());
    assert_eq!(again.examine().expect("a summary").tally.rejected, 2);
    std::fs::write(&path, written.replace(",312,", ",3125550101,")).expect("corrected");
    let corrected = Intake::open(&source, &campaign, setting()).expect("a list");
    assert_eq!(corrected.examine().expect("a summary").tally.accepted, 1);
}

#[test]
fn no_error_and_no_debug_text_holds_a_value() {
    let text = "patient_id,first_name,last_name,dob,mobile,notes\n\
                CANARY1,CANARY2,CANARY3,CANARY4,CANARY5,CANARY6\n\
                CANARY1,CANARY2,CANARY3,1988-01-01,3125550142,CANARY6\n";
    let campaign = campaign(Purpose::Recall);
    let file = file_of(text.as_bytes());
    let intake = Intake::open(&ListSource::File(file.path().to_owned()), &campaign, setting()).expect("a list");
    let mut reading = intake.read().expect("rows");
    let steps: Vec<_> = reading.by_ref().collect();
    let printed = format!("{intake:?} {steps:?} {reading:?}");
    assert!(!printed.contains("CANARY") && !printed.contains("5550142") && !printed.contains("1988"), "{printed}");
}

#[test]
fn a_list_is_read_in_little_time() {
    let mut text = String::from("PatNum,LName,FName,Birthdate,WirelessPhone,HmPhone,Guarantor,DateDue,Preference\n");
    for patient in 0..10_000_u64 {
        let phone = 3_125_550_100 + patient / 100 % 100 + patient % 7 * 100_000_000;
        writeln!(text, "{patient},Ruiz,Ana,1988-03-22,{phone},,{patient},2026-12-24,mornings").expect("written");
    }
    let started = std::time::Instant::now();
    let taken = take(&text);
    assert_eq!(taken.summary.tally.read, 10_000);
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_intake_panic_or_lose_a_row(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = take_bytes(&bytes, &campaign(Purpose::Recall));
    }

    #[test]
    fn every_row_of_a_plausible_list_is_accounted_for(
        cells in prop::collection::vec(
            prop::collection::vec("[0-9]{1,2}|312555010[0-9]|[A-Za-z\"',;(){}\\[\\]\n]{0,6}|(19|20)[0-9]{2}-0[1-9]-1[0-9]|", 1..8),
            0..40,
        ),
        by in "[,;|\t]",
    ) {
        let rows: Vec<String> = cells.iter().map(|row| row.join(&by)).collect();
        let text = format!("{}\n{}\n", HEADER.replace(',', &by), rows.join("\n"));
        let _ = take_bytes(text.as_bytes(), &campaign(Purpose::Recall));
    }

    #[test]
    fn every_row_of_a_sound_list_is_accounted_for(
        rows in prop::collection::vec((0..30_u32, 0..8_u32, 1950..2026_u32, 0..10_u32), 1..60),
        household: bool,
    ) {
        let mut campaign = campaign(Purpose::Recall);
        campaign.calling.household = household;
        let mut text = format!("{HEADER}\n");
        for (id, phone, year, guarantor) in &rows {
            writeln!(text, "{id},Ana,Ruiz,{year}-01-11,312555010{phone},{guarantor}").expect("written");
        }
        let taken = take_bytes(text.as_bytes(), &campaign).expect("a list");
        prop_assert_eq!(taken.summary.tally.read, rows.len() as u64);
    }
}

fn demo(list: &str, purpose: Purpose) -> (String, Summary) {
    let mut campaign = campaign(purpose);
    campaign.list.max_reject_rate = 0.2;
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("campaigns/lists").join(list);
    let intake = Intake::open(&ListSource::File(path), &campaign, setting()).expect("a list");
    (intake.mapping().to_string(), intake.examine().expect("a summary"))
}

#[test]
fn the_demonstration_lists_hold_what_they_are_there_to_show() {
    let lists = [
        ("demo-recall.csv", Purpose::Recall),
        ("demo-reminder.json", Purpose::Reminder),
        ("demo-follow-up.csv", Purpose::FollowUp),
    ];
    let shown = lists.map(|(list, purpose)| {
        let (mapping, summary) = demo(list, purpose);
        format!("{list}\n{mapping}\n{summary:#?}")
    });
    insta::assert_snapshot!(shown.join("\n\n"));
}
