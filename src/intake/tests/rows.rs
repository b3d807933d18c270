//! The results of single rows.

use super::*;

#[test]
fn a_clean_row_becomes_an_entry() {
    let result = run_intake(&format!("{HEADER}\n1,Ana,Ruiz,1988-03-22,312-555-0101,1\n"));
    let entry = &result.entries[0];
    assert_eq!(entry.line, 2);
    assert_eq!(entry.phone.expose(), "+13125550101");
    assert_eq!(entry.zones.zones, ["America/Chicago"]);
    assert_eq!(entry.content.patient.first_name, "Ana");
    assert_eq!(entry.content.patient.last_name.as_deref(), Some("Ruiz"));
    assert_eq!(entry.content.patient.date_of_birth.map(|date| date.to_string()).as_deref(), Some("1988-03-22"));
    assert_eq!(entry.content.patient.patient_id.as_deref(), Some("1"));
    assert_eq!(entry.key.parts().collect::<Vec<_>>(), ["1"]);
    assert_eq!(entry.eligibility, ListEligibility::Ready);
}

#[test]
fn every_bad_row_has_one_clear_reason() {
    let result = run_intake(
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
    insta::assert_snapshot!(render(&result), @r"
    14: +13125550110 Ready Jon []
    line 2: phone: too short
    line 3: first_name: missing
    line 4: patient_id: missing
    line 5: date_of_birth: not a date
    line 6: date_of_birth: in the future
    line 7: phone: missing
    line 8: phone: missing
    line 9: phone: a toll-free number
    line 10: timezone: not a time zone, such as America/Chicago or CT
    line 11: row: has 9 cells where the header has 7
    line 12: row: has 9 cells where the header has 7
    line 15: patient_id: the same as on line 14, with other data
    line 16: phone: the practice's own number
    ListCounts { read: 14, accepted: 1, rejected: 13, duplicate: 0, merged: 0 }
    ");
}

#[test]
fn a_row_left_short_is_read_and_the_pieces_of_a_cut_row_are_not() {
    let result = run_intake(
        "PatNum,FName,WirelessPhone,Notes,DNC\n\
         1,Ana,3125550101\n\
         2,Ben,3125550102,,\n\
         3,Cai,3125550103,asked for\n\
         mornings,Y\n\
         4,Dee,3125550104,,\n\
         5.0,Eli,3125550105\n",
    );
    insta::assert_snapshot!(render(&result), @r"
    2: +13125550101 Ready Ana []
    3: +13125550102 Ready Ben []
    6: +13125550104 Ready Dee []
    7: +13125550105 Ready Eli []
    line 4: row: has 4 cells where the header has 5
    line 5: row: has 2 cells where the header has 5
    ListCounts { read: 6, accepted: 4, rejected: 2, duplicate: 0, merged: 0 }
    ");
    assert_eq!(result.entries[3].content.patient.patient_id.as_deref(), Some("5"));
}

#[test]
fn the_last_row_of_a_key_wins_where_the_campaign_says_so() {
    let mut campaign = campaign(Purpose::Recall);
    campaign.list.on_conflict = OnConflict::LastWins;
    let text = format!(
        "{HEADER}\n\
         1,Ana,Ruiz,1988-03-22,312-555-0101,1\n\
         2,Ben,Moss,1988-03-22,312-555-0102,2\n\
         1,Ana,Ruiz,1988-03-22,312-555-0103,1\n\
         3,Cai,Moss,1988-03-22,312-555-0101,3\n\
         1,Ana,Ruiz,1988-03-22,312-555-01,1\n\
         1,Ana,Ruiz,1988-03-22,312-555-0103,1\n"
    );
    let result = run_intake_on(text.as_bytes(), &campaign).expect("a list");
    insta::assert_snapshot!(render(&result), @r"
    3: +13125550102 Ready Ben []
    5: +13125550101 Ready Cai []
    4: +13125550103 Ready Ana []
    line 6: phone: too short
    ListCounts { read: 6, accepted: 3, rejected: 1, duplicate: 2, merged: 0 }
    ");
}

#[test]
fn doubtful_numbers_are_held_for_a_person() {
    let result = run_intake(
        "PatNum,FName,WirelessPhone,State\n1,Ana,312-555-0101 x5,\n2,Ben,436-555-0101,\n3,Cai,436-555-0102,Ohio\n",
    );
    insta::assert_snapshot!(render(&result), @r"
    2: +13125550101 Held(Extension) Ana []
    3: +14365550101 Held(UnknownAreaCode) Ben []
    4: +14365550102 Ready Cai []
    ListCounts { read: 3, accepted: 3, rejected: 0, duplicate: 0, merged: 0 }
    ");
}

#[test]
fn no_error_and_no_debug_text_holds_a_value() {
    let text = "patient_id,first_name,last_name,dob,mobile,notes\n\
                CANARY1,CANARY2,CANARY3,CANARY4,CANARY5,CANARY6\n\
                CANARY1,CANARY2,CANARY3,1988-01-01,3125550142,CANARY6\n";
    let campaign = campaign(Purpose::Recall);
    let file = list_file(text.as_bytes());
    let intake = Intake::open(&ListSource::File(file.path().to_owned()), &campaign, context()).expect("a list");
    let mut pass = intake.read().expect("rows");
    let results: Vec<_> = pass.by_ref().collect();
    let printed = format!("{intake:?} {results:?} {pass:?}");
    assert!(!printed.contains("CANARY") && !printed.contains("5550142") && !printed.contains("1988"), "{printed}");
}

#[test]
fn a_list_is_read_in_little_time() {
    let mut text = String::from("PatNum,LName,FName,Birthdate,WirelessPhone,HmPhone,Guarantor,DateDue,Preference\n");
    for patient in 0..10_000_u64 {
        let phone = 3_125_550_100 + patient / 100 % 100 + patient % 7 * 100_000_000;
        writeln!(text, "{patient},Ruiz,Ana,1988-03-22,{phone},,{patient},2026-12-24,mornings").expect("written");
    }
    let (result, took) = timed(|| run_intake(&text));
    assert_eq!(result.summary.counts.read, 10_000);
    assert!(took.is_none_or(|took| took < a_second_a_megabyte(text.len())), "{took:?}");
}
