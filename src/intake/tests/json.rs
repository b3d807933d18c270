//! JSON lists: one damaged or unusual element leaves the others as they are.

use super::*;

fn row(id: u32) -> String {
    format!(r#"{{"patient_id":{id},"first_name":"Ana","phone":"312555010{id}","tags":["a",{{"b":"c"}}]}}"#)
}

fn patient(id: u32, photo: &str) -> String {
    format!(
        r#"{{"resourceType":"Patient","id":"{id}","name":[{{"given":["Ana"]}}],"photo":[{{"data":"{photo}"}}],"telecom":[{{"system":"phone","value":"312555010{id}"}}]}}"#
    )
}

fn accepted(result: &IntakeResult) -> Vec<String> {
    result.entries.iter().map(|entry| format!("{:?} {}", entry.key, entry.phone.expose())).collect()
}

#[test]
fn a_photo_of_megabytes_does_not_reject_its_patient() {
    let photo = "QUJD".repeat(500_000);
    let bundle = format!(
        r#"{{"resourceType":"Bundle","entry":[{{"resource":{}}},{{"resource":{}}}]}}"#,
        patient(1, &photo),
        patient(2, "")
    );
    let lines = format!("{}\n{}\n", patient(1, &photo), patient(2, ""));
    let plain = format!("[{}, {}]", row(1).replace("\"Ana\"", &format!("\"Ana\",\"photo\":\"{photo}\"")), row(2));
    for text in [bundle, lines, plain] {
        let result = run_intake(&text);
        assert_eq!((result.summary.counts.accepted, result.summary.counts.rejected), (2, 0));
    }
}

#[test]
fn a_row_of_more_than_a_mebibyte_is_rejected_alone() {
    let long = row(2).replace("[\"a\",", &format!("[{}", "\"12345678\",".repeat(100_000)));
    let result = run_intake(&format!("[{},{long},{}]", row(1), row(3)));
    assert_eq!(result.summary.counts.accepted, 2);
    assert_eq!(result.rejected[0].to_string(), "element 2: row: longer than 1 MiB, too long for a row");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// The bytes of one element change: the other elements are read as before, unless the list is refused.
    #[test]
    fn a_change_in_one_element_changes_no_other(
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(b"\"\\{}[],: x1n\xc3".to_vec())), 1..4),
        by_line: bool,
        is_fhir: bool,
    ) {
        let one = |id| if is_fhir { patient(id, "") } else { row(id) };
        let mut changed = one(2).into_bytes();
        for (at, byte) in &changes {
            let at = at.index(changed.len());
            changed[at] = *byte;
        }
        let [first, last] = [one(1), one(3)].map(String::into_bytes);
        let text = if by_line {
            [&first[..], b"\n", &changed, b"\n", &last, b"\n"].concat()
        } else {
            [b"[", &first[..], b",", &changed, b",", &last, b"]"].concat()
        };
        if let Ok(result) = run_intake_on(&text, &campaign(Purpose::Recall)) {
            let read = accepted(&result);
            let others = run_intake(&format!("[{},{}]", one(1), one(3)));
            for other in accepted(&others) {
                let found = read.contains(&other) || result.summary.counts.merged > 0;
                prop_assert!(found, "{} is missing: {:?}", other, String::from_utf8_lossy(&text));
            }
        }
    }
}
