//! Which patients share a call.

use super::super::duplicate_filter::{HashCollector, hash_of};
use super::*;

#[test]
fn households_share_a_call_and_other_patients_do_not() {
    let result = run_intake(&format!(
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
    insta::assert_snapshot!(render(&result), @r"
    3: +13125550101 Ready Ana with Ben and Cai [2, 4]
    5: +13125550102 Ready Dee []
    6: +13125550102 Ready Eli with Fay [7]
    8: +13125550103 Ready Gus with Hal [9]
    10: +13125550104 Ready Ida with Jon [11]
    ListCounts { read: 10, accepted: 5, rejected: 0, duplicate: 0, merged: 5 }
    ");
}

#[test]
fn a_suppressed_patient_is_a_separate_entry_and_not_a_member() {
    let result = run_intake(
        "PatNum,FName,Birthdate,WirelessPhone,Guarantor,Inactive,DateScheduled\n\
         10,Ana,1980-05-01,3125550101,10,yes,\n\
         11,Ben,2015-05-01,3125550101,10,,\n\
         12,Cai,2017-05-01,3125550101,10,,2026-12-03\n\
         13,Dee,1985-05-01,3125550101,10,,2026-10-03\n",
    );
    insta::assert_snapshot!(render(&result), @r"
    2: +13125550101 Suppressed(Inactive) Ana []
    4: +13125550101 Suppressed(Booked) Cai []
    5: +13125550101 Ready Dee with Ben [3]
    ListCounts { read: 4, accepted: 3, rejected: 0, duplicate: 0, merged: 1 }
    ");
    assert_eq!(result.summary.not_ready_by[&Reason::Booked], 1);
}

#[test]
fn patients_whose_numbers_count_is_too_high_are_called_at_the_end() {
    let file = list_file(
        format!(
            "{HEADER}\n\
             10,Ana,Ruiz,1980-05-01,3125550101,10\n\
             20,Cai,Moss,1970-01-02,3125550102,20\n\
             11,Ben,Ruiz,2015-05-01,3125550101,10\n\
             30,Dee,Park,1971-01-02,3125550103,30\n"
        )
        .as_bytes(),
    );
    let campaign = campaign(Purpose::Recall);
    let mut intake = Intake::open(&ListSource::File(file.path().to_owned()), &campaign, context()).expect("a list");
    let mut counted = HashCollector::default();
    for text in ["+13125550101", "+13125550101", "+13125550101", "+13125550102", "+13125550102", "+13125550103"] {
        counted.add(hash_of(number(text)));
    }
    intake.profile.numbers = counted.finish();
    insta::assert_snapshot!(render(&result_of(&intake).expect("a list")), @r"
    5: +13125550103 Ready Dee []
    2: +13125550101 Ready Ana with Ben [4]
    3: +13125550102 Ready Cai []
    ListCounts { read: 4, accepted: 3, rejected: 0, duplicate: 0, merged: 1 }
    ");
}

#[test]
fn households_can_be_switched_off() {
    let mut campaign = campaign(Purpose::Recall);
    campaign.calling.household = HouseholdRule::Off;
    let text = format!("{HEADER}\n10,Ana,Ruiz,1980-05-01,3125550101,10\n11,Ben,Ruiz,2015-05-01,3125550101,10\n");
    let result = run_intake_on(text.as_bytes(), &campaign).expect("a list");
    assert_eq!((result.summary.counts.accepted, result.summary.counts.merged), (2, 0));
}

#[test]
fn patients_of_one_number_are_a_household_by_name_guarantor_or_number() {
    let text = format!(
        "{HEADER}\n10,Ana,O'Brien,1980-05-01,3125550101,\n11,Ben,OBRIEN,1978-05-01,3125550101,\n\
         12,Cai,Moss,1981-01-02,3125550101,13\n13,Dee,Park,1982-01-02,3125550101,\n\
         14,Eli,West,2016-01-02,3125550101,\n15,Fay,Lind,1990-01-02,3125550101,\n"
    );
    for (rule, expected) in [
        (HouseholdRule::Name, vec![(2, vec![3, 6]), (5, vec![4]), (7, vec![])]),
        (HouseholdRule::Number, vec![(5, vec![2, 3, 4, 6, 7])]),
        (HouseholdRule::Off, vec![(2, vec![]), (3, vec![]), (4, vec![]), (5, vec![]), (6, vec![]), (7, vec![])]),
    ] {
        let mut campaign = campaign(Purpose::Recall);
        campaign.calling.household = rule;
        let result = run_intake_on(text.as_bytes(), &campaign).expect("a list");
        let lines = |entry: &NewEntry| entry.members.iter().map(|member| member.line).collect::<Vec<_>>();
        let calls: Vec<_> = result.entries.iter().map(|entry| (entry.line, lines(entry))).collect();
        assert_eq!(calls, expected, "{rule:?}");
    }
}

const APPOINTMENTS: &str = "patient_id,first_name,dob,mobile,guarantor,appointment_id,appointment_start";

#[test]
fn appointments_of_a_household_share_a_call_that_names_each_with_its_time() {
    let text = format!(
        "{APPOINTMENTS}\n1,Ana,1980-01-01,3125550101,1,A-1,2026-11-25T09:00\n\
         3,Cai,2016-01-01,3125550101,1,A-3,2026-11-27T09:00\n\
         2,Ben,2015-01-01,3125550101,1,A-2,2026-11-25T08:30\n\
         1,Ana,1980-01-01,3125550101,1,A-4,2026-12-01T14:15\n"
    );
    let others = "Ben on Wednesday, November 25 at 8:30 AM, Cai on Friday, November 27 at 9:00 AM and \
                  Ana on Tuesday, December 1 at 2:15 PM";
    for (source, expected) in [
        (CONTEXT, format!("Ana with {others}")),
        ("{{ preferred_name }} is expected.", format!("Ana is expected. Also expected: {others}.")),
    ] {
        let mut campaign = campaign(Purpose::Reminder);
        campaign.message.context = template(source);
        let result = run_intake_on(text.as_bytes(), &campaign).expect("a list");
        assert_eq!((result.entries.len(), result.summary.counts.merged), (1, 3));
        let context = result.entries[0].content.context.as_deref().expect("a context");
        assert_eq!(context.replace('\u{a0}', " "), expected);
        assert!(result.summary.warnings.is_empty(), "{:?}", result.summary.warnings);
        let earliest = result.entries[0].not_after.map(|time| time.to_rfc3339());
        assert_eq!(earliest.as_deref(), Some("2026-11-25T12:30:00+00:00"), "before the first of them");
    }
}

#[test]
fn appointments_that_do_not_fit_in_500_characters_share_a_further_call() {
    let mut text = format!("{APPOINTMENTS}\n1,Ana,1980-01-01,3125550101,1,A-1,2026-11-30T09:00\n");
    for child in 2..30 {
        writeln!(text, "{child},Maximilian,2015-01-01,3125550101,1,A-{child},2026-12-{child:02}T08:30")
            .expect("written");
    }
    let result = run_intake_on(text.as_bytes(), &campaign(Purpose::Reminder)).expect("a list");
    assert!(result.entries.len() > 1 && result.rejected.is_empty(), "{}", render(&result));
    assert_eq!(result.summary.counts.accepted + result.summary.counts.merged, 29);
    let mut last = 0;
    for entry in &result.entries {
        let context = entry.content.context.as_deref().expect("a context");
        assert_eq!(context.matches("Maximilian on ").count(), entry.members.len(), "{context}");
        assert!(context.chars().count() <= 500);
        // The later appointments wait for the further call.
        assert!(entry.line > last && entry.members.iter().all(|member| member.line > last));
        last = entry.members.iter().map(|member| member.line).max().unwrap_or(last);
    }
}

#[test]
fn an_appointment_for_which_every_call_comes_too_late_does_not_take_the_others_along() {
    let text = format!(
        "{APPOINTMENTS}\n1,Ana,1980-01-01,3125550101,1,A-1,2026-11-24T10:00\n\
         2,Ben,2015-01-01,3125550101,1,A-2,2026-11-25T08:30\n3,Cai,2016-01-01,3125550101,1,A-3,2026-11-27T09:00\n"
    );
    let result = run_intake_on(text.as_bytes(), &campaign(Purpose::Reminder)).expect("a list");
    let calls: Vec<_> = result.entries.iter().map(|entry| (entry.line, entry.members.len())).collect();
    assert_eq!(calls, [(2, 0), (3, 1)]);
}

#[test]
fn names_beyond_500_characters_become_and_others() {
    let mut campaign = campaign(Purpose::Recall);
    let source = format!("{} {{{{ household_names }}}}", "x".repeat(470));
    campaign.message.context = template(&source);
    let mut text = format!("{HEADER}\n10,Ana,Ruiz,1980-05-01,3125550101,10\n");
    for child in 11..20 {
        writeln!(text, "{child},Maximilian,Ruiz,2015-05-01,3125550101,10").expect("written");
    }
    let result = run_intake_on(text.as_bytes(), &campaign).expect("a list");
    let context = result.entries[0].content.context.as_deref().expect("a context");
    assert!(context.ends_with("x Maximilian and 8 others"), "{context}");
    assert_eq!(result.summary.counts.merged, 9);
}

#[test]
fn a_household_is_called_without_the_patient_whose_texts_fail() {
    let mut campaign = campaign(Purpose::Recall);
    campaign.message.context = template("{{ preferred_name }}: {{ notes }}");
    let text = format!(
        "PatNum,FName,Birthdate,WirelessPhone,Guarantor,Notes\n\
         10,Ana,1980-05-01,3125550101,10,{}\n11,Ben,2015-05-01,3125550101,10,\n",
        "x".repeat(500)
    );
    let result = run_intake_on(text.as_bytes(), &campaign).expect("a list");
    insta::assert_snapshot!(render(&result), @r"
    3: +13125550101 Ready Ben: []
    line 2: message.context: over 500 characters
    ListCounts { read: 2, accepted: 1, rejected: 1, duplicate: 0, merged: 0 }
    ");
}

#[test]
fn a_number_that_a_row_forbids_is_not_dialled_for_another_row() {
    let result = run_intake(
        "PatNum,FName,Birthdate,Cell,Home,Guarantor,DoNotCall\n\
         11,Ben,2015-05-01,3125550101,,10,\n\
         10,Ana,1980-05-01,3125550101,3125550102,10,yes\n\
         12,Cai,1981-05-01,3125550101,3125550103,12,\n\
         13,Dee,1985-05-01,3125550104,3125550102,13,\n\
         14,Eli,1986-05-01,3125550102,,14,no\n\
         15,Fay,1935-05-01,3125550105,,15,deceased\n\
         16,Gus,1934-05-01,3125550105,,16,\n",
    );
    insta::assert_snapshot!(render(&result), @r"
    2: +13125550101 Suppressed(DoNotCall) Ben []
    3: +13125550101 Suppressed(DoNotCall) Ana []
    4: +13125550103 Ready Cai []
    5: +13125550104 Ready Dee []
    6: +13125550102 Suppressed(DoNotCall) Eli []
    7: +13125550105 Suppressed(Deceased) Fay []
    8: +13125550105 Ready Gus []
    ListCounts { read: 7, accepted: 7, rejected: 0, duplicate: 0, merged: 0 }
    ");
    assert_eq!(result.summary.warnings[&IntakeWarning::NumberForbidden], 2);
    assert!(result.entries[3].alternatives.is_empty());
}

#[test]
fn dependants_without_a_number_take_their_guarantors_call() {
    let result = run_intake(
        "PatNum,FName,Birthdate,Cell,Guarantor\n\
         11,Ben,2015-05-01,,10\n\
         10,Ana,1980-05-01,3125550101,0\n\
         12,Cai,2001-05-01,none,10\n\
         20,Dee,2015-05-01,,21\n\
         30,Eli,1970-05-01,,30\n\
         31,Fay,2015-05-01,,30\n\
         40,Gus,1970-05-01,3125550104,41\n\
         41,Hal,2015-05-01,,40\n\
         50,Ida,1970-05-01,312-555-01,50\n",
    );
    insta::assert_snapshot!(render(&result), @r"
    3: +13125550101 Ready Ana with Ben and Cai [2, 4]
    8: +13125550104 Ready Gus []
    line 5: phone: missing
    line 6: phone: missing
    line 7: phone: missing
    line 9: phone: missing
    line 10: phone: too short
    ListCounts { read: 9, accepted: 2, rejected: 5, duplicate: 0, merged: 2 }
    ");
}

#[test]
fn a_family_without_a_guarantor_takes_the_call_of_its_first_adult_with_a_number() {
    let result = run_intake(
        "PatNum,FName,Birthdate,Cell,Family ID\n\
         1,Ana,2010-05-01,3125550101,7\n\
         2,Ben,2015-05-01,,7\n\
         3,Cai,1980-05-01,3125550103,7\n\
         7,Dee,1980-05-01,3125550107,8\n",
    );
    insta::assert_snapshot!(render(&result), @r"
    2: +13125550101 Ready Ana []
    4: +13125550103 Ready Cai with Ben [3]
    5: +13125550107 Ready Dee []
    ListCounts { read: 4, accepted: 3, rejected: 0, duplicate: 0, merged: 1 }
    ");
}

#[test]
fn a_number_of_more_than_a_hundred_rows_is_no_households() {
    let mut text = format!("{HEADER}\n");
    for id in 1..=101 {
        writeln!(text, "{id},Ana,Ruiz,2015-05-01,3125550101,10").expect("written");
    }
    let result = run_intake(&text);
    assert_eq!((result.summary.counts.accepted, result.summary.counts.merged), (101, 0));
    assert_eq!(result.summary.warnings[&IntakeWarning::NumberOfMany], 101);
}
