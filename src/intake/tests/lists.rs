//! Whole lists: formats, encodings, mapping, refusals, the rejects file.

use super::*;

/// An unclosed quote turns other rows into one cell: their patients would be left out, and their numbers dialled for
/// somebody else.
#[test]
fn an_unclosed_quote_is_found_and_a_note_with_line_breaks_is_accepted() {
    let header = "patient_id,first_name,last_name,phone,notes\n";
    let refused = |rows: &str| refused(&format!("{header}1,Ana,Diaz,3125550101,\n{rows}"), &campaign(Purpose::Recall));
    for rows in [
        "2,Ben,Diaz,\"3125550102,\n3,Cy,Diaz,3125550103,\n4,Di,Diaz,3125550104,\n",
        "2,Ben,Diaz,\"3125550102,\n3,Cy,Diaz,3125550103\",\n",
        "2,\"Ben,Diaz,3125550102,\n3,Cy\",Diaz,3125550103,\n",
        "2,Ben,Diaz,3125550102,\"likes mornings\n3,Cy,Diaz,3125550103,\n",
    ] {
        let error = refused(rows);
        assert!(
            error
                .starts_with("a quote is opened on line 3 and closed rows later, or never, so one cell has other rows"),
            "{rows}: {error}"
        );
    }
    for row in [
        "2,Ben,Diaz,\"3125550102\n3125550103\",",
        "2,Ben,\"Diaz\n\",3125550102,\"likes, above all,\nmornings, mostly\"",
    ] {
        let result = run_intake(&format!("{header}{row}\n"));
        assert_eq!(result.summary.counts.accepted, 1, "{row}");
    }
}

#[test]
fn a_list_without_a_header_is_refused_without_showing_its_patients() {
    let error = refused("1001,Acheampong,Ana,1949-02-17,312-555-0101\n", &campaign(Purpose::Recall));
    assert!(error.contains("5 columns without a known name (perhaps the header is missing)"), "{error}");
    assert!(!error.contains("Acheampong"), "{error}");
}

#[test]
fn every_format_gives_the_same_entries() {
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
    let expected: Vec<_> = run_intake(&separated(",")).entries;
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
        let result = run_intake(&text);
        assert_eq!(result.summary.counts.accepted, 2, "{text}");
        for (entry, other) in result.entries.iter().zip(&expected) {
            assert!(entry.key == other.key && entry.phone == other.phone && entry.content == other.content, "{text}");
        }
    }
}

#[test]
fn encodings_are_detected_by_their_bytes() {
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
        let result = run_intake_on(&bytes, &campaign(Purpose::Recall)).expect("a list");
        let names: Vec<_> = result.entries.iter().map(|entry| entry.content.patient.first_name.as_str()).collect();
        assert_eq!(names, ["José", "Zoë"]);
    }
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    for end in ["\n", "\r\n"] {
        for last in ["", end] {
            let text = ["Title", "", HEADER, "", "1,\"A\nna\",R,,x,", "", "", "2,Ben,R,,x,", "3,Cai,R,,x,"].join(end);
            let result = run_intake(&(text + last));
            let lines: Vec<u64> = result.rejected.iter().map(|rejection| rejection.line).collect();
            assert_eq!(lines, [5, 9, 10], "{end:?} {last:?}");
        }
    }
}

#[test]
fn the_mapping_is_reported() {
    let mut campaign = campaign(Purpose::Recall);
    campaign.list.columns = vec![("home_phone".to_owned(), "Evening".to_owned())];
    let file = list_file(b"PatNum,Last,First,HmPhone,Mobile,Evening,Notes,Shoe size\n1,R,A,,3125550101,3125550102,,\n");
    let intake = Intake::open(&ListSource::File(file.path().to_owned()), &campaign, context()).expect("a list");
    insta::assert_snapshot!(intake.mapping(), @"PatNum → patient id, Last → last name, First → first name, HmPhone → third phone, Mobile → second phone, Evening → phone; unmapped: Notes, Shoe size");
    let entry = intake.read().expect("rows").find_map(|result| match result {
        Ok(RowResult::Accepted(entry)) => Some(entry),
        _ => None,
    });
    assert_eq!(entry.expect("an entry").phone.expose(), "+13125550102");
}

#[test]
fn an_unusable_list_is_refused_with_a_correction() {
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
    let cases = vec![
        ("", recall()),
        ("\n\n", recall()),
        (header, recall()),
        ("patient_id,first_name,notes\n1,Ana,x\n", recall()),
        ("patient_id,mobile\n1,3125550101\n", recall()),
        ("first_name,mobile\nAna,3125550101\n", recall()),
        ("PatNum,Chart,first_name,mobile\n1,2,Ana,3125550101\n", recall()),
        ("PatNum,PatNum,first_name,mobile\n1,1,Ana,3125550101\n2,3,Ben,3125550102\n", recall()),
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
fn an_old_list_is_refused_if_age_is_checked() {
    let campaign = campaign(Purpose::Recall);
    let file = list_file(b"patient_id,first_name,mobile\n1,Ana,3125550101\n");
    let source = ListSource::File(file.path().to_owned());
    let written = std::fs::metadata(file.path()).and_then(|about| about.modified()).expect("a time");
    let later =
        |days| IntakeContext { now: DateTime::from(written) + TimeDelta::days(days), check_age: true, ..context() };
    assert!(Intake::open(&source, &campaign, later(6)).is_ok());
    let error = Intake::open(&source, &campaign, later(8)).expect_err("an old list");
    assert!(error.to_string().contains("8 days old"), "{error}");
    assert!(Intake::open(&source, &campaign, IntakeContext { check_age: false, ..later(8) }).is_ok());
}

#[test]
fn json_values_keep_their_text() {
    let mut campaign = campaign(Purpose::Recall);
    let text = r#"[{"id": 1, "first name": "Ana", "cell": 3.125550142E+09, "Zip-Code": "02134", "score": 1.10,
        "bio": {"city": "Chicago", "none": null}, "tags": ["a", 2, true], "kin": [{"name": "Ben"}],
        "note": "x", "note": "y"}]"#;
    campaign.message.context =
        template("{{ postcode }}|{{ score }}|{{ bio_city }}|{{ tags }}|{{ kin_1_name }}|{{ note }}|{{ note_2 }}");
    let result = run_intake_on(text.as_bytes(), &campaign).expect("a list");
    assert_eq!(result.entries[0].phone.expose(), "+13125550142");
    assert_eq!(result.entries[0].content.context.as_deref(), Some("02134|1.10|Chicago|a; 2; true|Ben|x|y"));
}

#[test]
fn deep_nesting_becomes_text_without_a_stack_overflow() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let result = run_intake(&format!(r#"[{{"id": 1, "first": "Ana", "cell": "3125550101", "x": {deep}}}]"#));
    assert_eq!(result.summary.counts.accepted, 1);
}

#[test]
fn a_rejects_file_can_be_corrected_and_fed_back() {
    let campaign = campaign(Purpose::Recall);
    let text = "patient_id,first_name,mobile,reason\n1,Ana,312,\"a, \"\"b\"\"\"\n2,Ben,3125550102,\n3,Cai\n";
    let file = list_file(text.as_bytes());
    let intake = Intake::open(&ListSource::File(file.path().to_owned()), &campaign, context()).expect("a list");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rejects.csv");
    std::fs::write(&path, "left over").expect("written");
    let mut rejects = rejects::RejectsFile::create(&path, intake.header()).expect("a file");
    for result in intake.read().expect("rows") {
        if let RowResult::Rejected(rejection, row) = result.expect("a result") {
            rejects.write(&rejection, &row).expect("written");
        }
    }
    assert_eq!(rejects.finish().expect("complete"), 2);
    let written = std::fs::read_to_string(&path).expect("text");
    insta::assert_snapshot!(written, @r#"
    line,reason,patient_id,first_name,mobile,reason
    2,phone: too short,1,Ana,312,"a, ""b"""
    4,phone: missing,3,Cai,,
    "#);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let source = ListSource::File(path.clone());
    let again = Intake::open(&source, &campaign, context()).expect("a list");
    assert!(again.is_partial() && !intake.is_partial());
    assert_eq!(again.header(), intake.header());
    assert_eq!(again.examine().expect("a summary").counts.rejected, 2);
    std::fs::write(&path, written.replace(",312,", ",3125550101,")).expect("corrected");
    let corrected = Intake::open(&source, &campaign, context()).expect("a list");
    assert_eq!(corrected.examine().expect("a summary").counts.accepted, 1);
}

#[test]
fn an_exclude_list_names_patients_however_their_ids_are_written() {
    let campaign = campaign(Purpose::Recall);
    for text in ["patient_id\n1001\n", "patient_id\n1001.0\n", "Patient,PatNum\nAna Ruiz,1001\n"] {
        let excluded = list_file(text.as_bytes());
        let source = ListSource::File(excluded.path().to_owned());
        let excluded = ExcludeList::read(&source, &campaign, context().now).expect("an exclude list");
        for id in ["1001", "1001.0"] {
            let list = list_file(format!("patient_id,first_name,mobile\n{id},Ana,3125550101\n").as_bytes());
            let intake = Intake::open(&ListSource::File(list.path().to_owned()), &campaign, context()).expect("a list");
            let summary = intake.with_exclude_list(Some(excluded.clone())).examine().expect("counts");
            assert_eq!(summary.not_ready_by.get(&Reason::Excluded), Some(&1), "{text:?} {id}");
        }
    }
    let unnamed = list_file(b"patient_id\nNULL\n");
    assert!(ExcludeList::read(&ListSource::File(unnamed.path().to_owned()), &campaign, context().now).is_err());
}

/// The keys of a list's entries, each part behind a `+`.
fn keys_of(text: &str, campaign: &Campaign) -> Vec<String> {
    let result = run_intake_on(text.as_bytes(), campaign).expect("a list");
    result.entries.iter().map(|entry| entry.key.parts().collect::<Vec<_>>().join("+")).collect()
}

#[test]
fn a_key_is_the_same_however_a_list_writes_it() {
    let reminder = campaign(Purpose::Reminder);
    let by_start = ["patient_id", "appointment_start"].map(str::to_owned).to_vec();
    let reminder = Campaign { list: ListRules { key: by_start, ..reminder.list.clone() }, ..reminder };
    for list in [
        "PatNum,FName,Phone,Appt Date,Appt Time\n1,Ana,3125550101,2026-12-18,14:00\n",
        "PatNum,FName,Phone,Appt Date,Appt Time\n1,Ana,3125550101,12/18/2026,2:00 PM\n",
        "PatNum,FName,Phone,Appointment Start\n1.0,Ana,3125550101,2026-12-18T20:00:00Z\n",
        "PatNum,FName,Phone,Appointment Start\n1,Ana,3125550101,Fri 18 Dec 2026 2:00 p.m.\n",
    ] {
        assert_eq!(keys_of(list, &reminder), ["1+2026-12-18T14:00"], "{list}");
    }
    let recall = campaign(Purpose::Recall);
    let by_name = ["first_name", "last_name", "date_of_birth"].map(str::to_owned).to_vec();
    let recall = Campaign { list: ListRules { key: by_name, ..recall.list.clone() }, ..recall };
    for list in [
        "FName,LName,DOB,Phone\nJosé,Núñez,1980-03-14,3125550101\n",
        "FName,LName,DOB,Phone\nJOSE,NUNEZ,3/14/1980,3125550101\n",
        "FName,LName,DOB,Phone\njose\u{301}, nún\u{303}ez,1980-03-14T00:00:00,3125550101\n",
    ] {
        let keys = keys_of(list, &recall);
        assert!(keys.len() == 1 && keys[0].ends_with("+1980-03-14") && keys[0].starts_with("Jose+"), "{keys:?}");
    }
}

#[test]
fn an_exclude_list_finds_its_patients_and_says_how_many() {
    let campaign = campaign(Purpose::Recall);
    let list = list_file(b"PatNum,FName,Phone\n1,Ana,3125550101\nAB2,Ben,3125550102\n3,Cai,3125550103\n");
    let exclude = list_file(b"Chart\n0001\nab2\n77\n");
    let excluded =
        ExcludeList::read(&ListSource::File(exclude.path().to_owned()), &campaign, context().now).expect("a list");
    let intake = Intake::open(&ListSource::File(list.path().to_owned()), &campaign, context()).expect("a list");
    let result = result_of(&intake.with_exclude_list(Some(excluded))).expect("entries");
    assert_eq!(result.summary.excluded, Some(ExcludedOnList { patients: 3, on_list: 2 }));
    let by_reason = &result.summary.not_ready_by;
    assert_eq!(by_reason.get(&Reason::Excluded), Some(&2));
}

#[test]
fn a_ban_on_any_row_of_a_key_counts_whichever_row_wins() {
    let list = "PatNum,FName,Phone,DNC,Status\n1,Ana,3125550101,,Active\n1,Ana,3125550111,Y,Active\n\
                2,Ben,3125550102,,Inactive\n2,Ben,3125550112,,Active\n";
    let recall = campaign(Purpose::Recall);
    let last_wins = Campaign {
        list: ListRules { on_conflict: OnConflict::LastWins, ..recall.list.clone() },
        ..campaign(Purpose::Recall)
    };
    let status = |campaign: &Campaign| -> Vec<ListEligibility> {
        let result = run_intake_on(list.as_bytes(), campaign).expect("a list");
        result.entries.iter().map(|entry| entry.eligibility).collect()
    };
    let barred = ListEligibility::Suppressed(Reason::DoNotCall);
    assert_eq!(status(&recall), [barred, ListEligibility::Suppressed(Reason::Inactive)]);
    assert_eq!(status(&last_wins), [barred, ListEligibility::Ready]);
}
