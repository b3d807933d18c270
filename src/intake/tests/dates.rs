//! Dates and appointments.

use super::*;

#[test]
fn the_whole_column_decides_the_date_order() {
    let list = |one: &str, two: &str| {
        format!("patient_id,first_name,mobile,dob\n1,Ana,3125550101,\"{one}\"\n2,Ben,3125550102,\"{two}\"\n")
    };
    let born = |text: &str| {
        let birth = |entry: &NewEntry| entry.content.patient.date_of_birth.expect("a date").to_string();
        run_intake(text).entries.iter().map(birth).collect::<Vec<_>>()
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
    let mut configured = campaign(Purpose::Recall);
    configured.list.date_order = Some(DateOrder::Dmy);
    let result = run_intake_on(list("3/4/1988", "5/6/1988").as_bytes(), &configured).expect("a list");
    let birth = result.entries[0].content.patient.date_of_birth.expect("a date");
    assert_eq!(birth.to_string(), "1988-04-03");
}

#[test]
fn a_placeholder_date_is_empty() {
    for cell in ["", "0001-01-01", "1900-01-01", "00/00/0000", "1/0/1900", "N/A", "0001-01-01T00:00:00", "1/1/0001"] {
        let result = run_intake(&format!("patient_id,first_name,mobile,dob\n1,Ana,3125550101,{cell}\n"));
        assert_eq!(result.entries[0].content.patient.date_of_birth, None, "{cell}");
    }
}

#[test]
fn an_appointment_has_the_practices_offset_and_limits_the_calls() {
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
        let result = run_intake_on(text.as_bytes(), &campaign(Purpose::Reminder)).expect("a list");
        let entry = &result.entries[0];
        let appointment = entry.content.appointment.as_ref().expect("an appointment");
        let iso = |time: Option<DateTime<chrono::FixedOffset>>| time.expect("a time").to_rfc3339();
        assert_eq!(iso(appointment.start), "2026-11-25T09:00:00-06:00", "{start}");
        assert_eq!(iso(appointment.end), "2026-11-25T10:00:00-06:00", "{start}");
        assert_eq!(entry.not_after.map(|time| time.to_rfc3339()).as_deref(), Some("2026-11-25T13:00:00+00:00"));
        assert_eq!(entry.key.parts().collect::<Vec<_>>(), ["1", "A-1"]);
    }
}

#[test]
fn a_reminder_needs_an_appointment() {
    let text = "patient_id,first_name,mobile,appointment_id,appointment_start\n\
                1,Ana,3125550101,A-1,\n2,Ben,3125550102,A-2,2026-11-25\n";
    let result = run_intake_on(text.as_bytes(), &campaign(Purpose::Reminder)).expect("a list");
    insta::assert_snapshot!(render(&result), @r"
    line 2: appointment_start: missing
    line 3: appointment_start: not a date
    ListCounts { read: 2, accepted: 0, rejected: 2, duplicate: 0, merged: 0 }
    ");
}
