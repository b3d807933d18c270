//! Untrusted input (`faults.md`, row 14): lists, campaigns, templates, responses and their headers, and webhook deliveries:
//! valid ones with a few bytes changed, and random bytes. `fuzz/` feeds the same readers without an end.

use proptest::prelude::*;

use crate::support::feed;

/// A change to some bytes.
#[derive(Debug, Clone)]
enum Change {
    Set(usize, u8),
    Insert(usize, u8),
    Repeat(usize, usize),
    Remove(usize, usize),
    Cut(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let position = any::<usize>();
    prop_oneof![
        (position, any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (position, prop::sample::select(b"\"',;\n\r\t{}[]()|=:.<>\\#\0\xff0".to_vec()))
            .prop_map(|(at, byte)| Change::Insert(at, byte)),
        (position, 1..40_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
        (position, 1..40_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        position.prop_map(Change::Cut),
    ]
}

fn changed(bytes: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for change in changes {
        let length = bytes.len();
        let stretch = |at: usize, of: usize| {
            let start = at % (length + 1);
            start..(start + of).min(length)
        };
        match *change {
            Change::Set(at, byte) if length > 0 => bytes[at % length] = byte,
            Change::Set(_, byte) => bytes.push(byte),
            Change::Insert(at, byte) => bytes.insert(at % (length + 1), byte),
            Change::Repeat(at, of) => {
                let again = bytes[stretch(at, of)].to_vec();
                bytes.extend(again);
            }
            Change::Remove(at, of) => drop(bytes.drain(stretch(at, of))),
            Change::Cut(at) => bytes.truncate(at % (length + 1)),
        }
    }
    bytes
}

/// Feeds `valid` with changes to `reader`, and then random bytes. `valid` itself must not be read as `nothing`: otherwise
/// the test would try nothing.
fn feed<T: PartialEq>(valid: &[u8], nothing: &T, reader: impl Fn(&[u8]) -> T) {
    assert!(reader(valid) != *nothing, "the valid input is refused");
    let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let read = |bytes: Vec<u8>| {
        let _ = reader(&bytes);
        Ok(())
    };
    let mut feed = |bytes: BoxedStrategy<Vec<u8>>| {
        if let Err(failure) = runner.run(&bytes, read) {
            panic!("{failure}");
        }
    };
    let valid = valid.to_vec();
    feed(prop::collection::vec(change(), 1..6).prop_map(move |changes| changed(&valid, &changes)).boxed());
    feed(prop::collection::vec(any::<u8>(), 0..300).boxed());
}

const LIST: &str = "patient_id,first_name,last_name,phone,dob,last_visit\n\
    1,Ana,Ruiz,(312) 555-0143,1980-01-31,2026-05-24\n2,\"Bo, Jr.\",Lee,312.555.0144 or 312 555 0145,1/31/80,\n";

#[test]
fn a_csv_list_of_any_bytes_is_read_or_refused_and_adds_up() {
    feed(LIST.as_bytes(), &0, |bytes| feed::list("csv", bytes).unwrap_or(0));
}

#[test]
fn a_json_list_of_any_bytes_is_read_or_refused_and_adds_up() {
    let list = r#"{"patients": [{"patient_id": 1, "first_name": "Ana", "phone": "312-555-0143", "tags": ["a"]},
        {"patient_id": "2", "first_name": "Bo", "phone": 3125550145, "email": null}, {"patient_id": 3, "first_name": "Cy", "phone": "3125550144"}]}"#;
    feed(list.as_bytes(), &0, |bytes| feed::list("json", bytes).unwrap_or(0));
}

#[test]
fn a_campaign_of_any_bytes_is_sound_or_what_is_wrong_with_it_can_be_shown() {
    for example in ["demo-recall", "demo-reminder", "demo-follow-up"] {
        let file = crate::support::harness::repository().join(format!("campaigns/{example}.toml"));
        feed(&std::fs::read(file).expect("an example"), &false, feed::campaign);
    }
}

#[test]
fn a_template_of_any_bytes_is_compiled_or_what_is_wrong_with_it_can_be_pointed_at() {
    let template = "{% if last_visit %}{{ first_name | default('there') | capitalize }}, last visit {{ last_visit | \
                    date('%B %Y') }}{% else %}{{ first_name }}{% endif %} {# a remark #}";
    feed(template.as_bytes(), &false, feed::template);
}

#[test]
fn an_answer_of_any_bytes_is_read_or_refused() {
    let answers = [
        r#"{"success": true, "data": {"conversationId": "c-1", "status": "queued"}}"#,
        r#"{"data": {"conversations": [{"id": "c-1", "fromNumber": "+13125550142", "toNumber": "+13125550143",
            "startedAt": "2026-11-24T15:30:00Z", "status": "closed", "tags": ["a"], "summary": "s"}],
            "pagination": {"total": 1, "offset": 0, "limit": 100}}}"#,
    ];
    for answer in answers {
        feed(answer.as_bytes(), &0, feed::answer);
    }
}

#[test]
fn headers_of_any_bytes_say_something_or_nothing() {
    let headers = "x-ratelimit-limit: 60\nx-ratelimit-remaining: 12\nx-ratelimit-reset: 1795707060\nretry-after: 17\n\
                   date: Tue, 24 Nov 2026 15:30:00 GMT\n";
    feed(headers.as_bytes(), &false, feed::headers);
}

#[test]
fn a_delivery_of_any_bytes_names_conversations_or_none() {
    let delivery =
        r#"{"event": "closed", "data": [{"conversation": {"id": "c-1", "duration": 1.5, "tags": ["a", null]}}]}"#;
    feed(delivery.as_bytes(), &0, feed::delivery);
}
