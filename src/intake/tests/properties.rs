//! Properties that hold for every input.

use std::collections::BTreeMap;

use super::*;
use crate::entry::PatientInfo;

/// Bytes that may confuse a parser, or make it rescan its input.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let tokens: Vec<&[u8]> = vec![
        b"\"",
        b"\"\"",
        b",",
        b";",
        b"\n",
        b"\r\n",
        b"\r",
        b"\t",
        b"|",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b"{\"a\":",
        b"\\",
        b"\0",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xc3",
        b"3125550101",
        b"312-555-0101 ",
        b"(",
        b"+1 ",
        b"x12",
        b"1/2/3",
        b"12:30 ",
        b"Total: ",
        b"PatNum,FName,Cell\n",
        b"1,Ana,3125550101\n",
        b"Last, First (",
        b" ",
        b"null",
        b"0",
    ];
    prop_oneof![
        4 => prop::sample::select(tokens).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 1..6),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_take_more_than_a_second_a_megabyte(
        head in prop_oneof![Just(&b""[..]), Just(&b"PatNum,FName,Cell\n"[..]), Just(&b"["[..]), Just(&b"PatNum;FName;DOB;Cell\n"[..])],
        pieces in prop::collection::vec(hostile(), 1..8),
        size in 1_000..80_000_usize,
    ) {
        let piece = pieces.concat();
        let bytes: Vec<u8> = head.iter().chain(piece.iter().cycle()).copied().take(size).collect();
        let (_, took) = timed(|| run_intake_on(&bytes, &campaign(Purpose::Recall)));
        let most = a_second_a_megabyte(bytes.len());
        prop_assert!(took.is_none_or(|took| took < most), "{took:?} for {} bytes, all like {piece:?}", bytes.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_intake_panic_or_lose_a_row(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = run_intake_on(&bytes, &campaign(Purpose::Recall));
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
        let _ = run_intake_on(text.as_bytes(), &campaign(Purpose::Recall));
    }

    #[test]
    fn every_row_of_a_valid_list_is_accounted_for(
        rows in prop::collection::vec((0..30_u32, 0..8_u32, 1950..2026_u32, 0..10_u32), 1..60),
        household in prop::sample::select(vec![HouseholdRule::Name, HouseholdRule::Number, HouseholdRule::Off]),
    ) {
        let mut campaign = campaign(Purpose::Recall);
        campaign.calling.household = household;
        let mut text = format!("{HEADER}\n");
        for (id, phone, year, guarantor) in &rows {
            writeln!(text, "{id},Ana,Ruiz,{year}-01-11,312555010{phone},{guarantor}").expect("written");
        }
        let result = run_intake_on(text.as_bytes(), &campaign).expect("a list");
        prop_assert_eq!(result.summary.counts.read, rows.len() as u64);
    }
}

/// Bytes that a damaged row may have.
fn damage() -> impl Strategy<Value = Vec<u8>> {
    let tokens: Vec<&[u8]> = vec![
        b"\"", b"\"\"", b"\",", b",\"", b"\n", b"\r", b"\r\n", b",", b";", b"\t", b"\\", b"\xc3", b"\xff", b"\0", b" ",
    ];
    prop_oneof![3 => prop::sample::select(tokens).prop_map(<[u8]>::to_vec), 1 => prop::collection::vec(any::<u8>(), 0..4)]
}

/// A row's key, as unlike the others' that no damage makes two equal, and its number.
fn key_and_phone(row: usize) -> (String, String) {
    let key = 10_000_000 + row * 7_654_321;
    (key.to_string(), format!("{}55501{:02}", 312 + row % 3, row * 11))
}

/// What a list of eight rows is read as, each entry and each rejected row by its key.
fn read_by_key(list: &[u8]) -> Result<BTreeMap<String, String>, ListError> {
    let file = list_file(list);
    let campaign = campaign(Purpose::Recall);
    let intake = Intake::open(&ListSource::File(file.path().to_owned()), &campaign, context())?;
    let mut read = BTreeMap::new();
    let mut pass = intake.read()?;
    for result in pass.by_ref() {
        match result? {
            RowResult::Accepted(entry) => {
                let NewEntry { key, phone, content, eligibility, .. } = &*entry;
                let PatientInfo { first_name, last_name, .. } = &content.patient;
                let key: String = key.parts().collect();
                read.insert(key, format!("{} {first_name} {last_name:?} {eligibility:?}", phone.expose()));
            }
            RowResult::Rejected(rejection, row) => {
                let key =
                    (0..8).map(|row| key_and_phone(row).0).find(|key| row.cells.iter().any(|cell| cell.contains(key)));
                read.insert(key.unwrap_or_default(), rejection.reason.to_string());
            }
            RowResult::Duplicate { .. } | RowResult::Replaced { .. } => {}
        }
    }
    pass.finish()?;
    Ok(read)
}

/// The rows of a list with one of them damaged, and the damaged one's key.
fn damaged(rows: &[String], at: usize, place: usize, cut: usize, bytes: &[u8]) -> (Vec<u8>, String) {
    let mut list = Vec::new();
    for (row, text) in rows.iter().enumerate() {
        let mut text = text.clone().into_bytes();
        if row == at + 1 {
            let place = place % (text.len() + 1);
            let end = (place + cut).min(text.len());
            text.splice(place..end, bytes.iter().copied());
        }
        list.extend(text);
        list.push(b'\n');
    }
    (list, key_and_phone(at).0)
}

fn assert_others_are_read_as_before(
    before: &BTreeMap<String, String>,
    (list, key): (Vec<u8>, String),
) -> Result<(), TestCaseError> {
    let Ok(after) = read_by_key(&list) else { return Ok(()) };
    for (other, text) in before.iter().filter(|(other, _)| **other != key) {
        prop_assert_eq!(after.get(other), Some(text), "{}", String::from_utf8_lossy(&list));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_of_a_csv_row_change_what_is_read_of_another(
        at in 0..8_usize, place in 0..200_usize, cut in 0..4_usize, bytes in damage(), notes in prop::collection::vec(0..6_usize, 8),
    ) {
        const NOTES: [&str; 6] = ["", "likes mornings", "\"Mr. Poe, once\"", "\"two\nlines, or more\"", "\"says \"\"hi\"\"\"", "5'10\""];
        let mut rows = vec!["PatNum,FName,LName,Notes,WirelessPhone,Status,Zip".to_owned()];
        rows.extend((0..8).map(|row| {
            let (key, phone) = key_and_phone(row);
            format!("{key},Ana,Ruiz,{},{phone},Active,60601", NOTES[notes[row]])
        }));
        let before = read_by_key((rows.join("\n") + "\n").as_bytes()).expect("a list");
        prop_assert_eq!(before.len(), 8);
        assert_others_are_read_as_before(&before, damaged(&rows, at, place, cut, &bytes))?;
    }

    #[test]
    fn no_bytes_of_a_json_line_change_what_is_read_of_another(
        at in 0..7_usize, place in 0..200_usize, cut in 0..4_usize, bytes in damage(),
    ) {
        let rows: Vec<String> = (0..8).map(|row| {
            let (key, phone) = key_and_phone(row);
            format!(r#"{{"patient_id": "{key}", "first_name": "Ana", "last_name": "Ruiz", "phone": "{phone}", "notes": "a \"b\", {{c}}"}}"#)
        }).collect();
        let before = read_by_key((rows.join("\n") + "\n").as_bytes()).expect("a list");
        prop_assert_eq!(before.len(), 8);
        let (list, _) = damaged(&rows, at, place, cut, &bytes);
        assert_others_are_read_as_before(&before, (list, key_and_phone(at + 1).0))?;
    }
}
