//! What becomes of single rows.

use super::*;

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
    ListTally { read: 14, accepted: 1, rejected: 12, duplicate: 1, merged: 0 }
    ");
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
    let taken = take_bytes(text.as_bytes(), &campaign).expect("a list");
    insta::assert_snapshot!(shown(&taken), @r"
    3: +13125550102 Ready Ben []
    5: +13125550101 Ready Cai []
    4: +13125550103 Ready Ana []
    line 6: phone: too short
    ListTally { read: 6, accepted: 3, rejected: 1, duplicate: 2, merged: 0 }
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
    ListTally { read: 3, accepted: 3, rejected: 0, duplicate: 0, merged: 0 }
    ");
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
    let (taken, took) = timed(|| take(&text));
    assert_eq!(taken.summary.tally.read, 10_000);
    assert!(took.is_none_or(|took| took < a_second_a_megabyte(text.len())), "{took:?}");
}
