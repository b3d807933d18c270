//! Batches of calls for the practice's own software.

use super::*;

/// Renders every call as a line with its attempt and what was said.
fn all(contacts: Vec<Contact>) -> BatchContent {
    let calls: Vec<_> = contacts.iter().map(|contact| contact.attempt).collect();
    let line = |contact: Contact| format!("{} {}\n", contact.attempt, contact.patient.first_name);
    BatchContent { content: contacts.into_iter().map(line).collect::<String>().into_bytes(), calls }
}

fn write_back(fixture: &Fixture) -> Option<WritebackBatch> {
    let campaign = &fixture.campaign.name;
    fixture.operator(noon()).write_back(campaign, "csv", "ana", noon(), all).expect("written back")
}

fn call(fixture: &Fixture, outcome: Outcome, at: DateTime<Utc>) -> usize {
    let claimed = fixture.claim_at(at).claimed;
    for claim in &claimed {
        fixture.record(vec![update(claim, Fact::Accepted)]).expect("recorded");
        fixture.record(vec![ended(claim, outcome, None)]).expect("recorded");
    }
    claimed.len()
}

pub(super) fn each_call_is_in_one_batch_and_a_batch_has_the_same_bytes_again(open: Opener) {
    let mut fixture = Fixture::with(open, &[entry("P-1", 101), entry("P-2", 102)]);
    assert_eq!(write_back(&fixture), None, "nobody was called");
    assert_eq!(call(&fixture, Outcome::NoAnswer, noon()), 2);
    let first = write_back(&fixture).expect("a batch");
    assert_eq!((first.number, first.calls), (1, 2));
    assert_eq!(write_back(&fixture), None, "each call is in one batch");
    let kept = fixture.reader().writeback_content(1).expect("content");

    let renamed = |key: &str, last| {
        let mut entry = entry(key, last);
        entry.content.patient.first_name = "Other".into();
        entry
    };
    fixture.next_list(&[renamed("P-1", 101), renamed("P-3", 103)]);
    assert_eq!(call(&fixture, Outcome::Booked, noon() + TimeDelta::hours(1)), 1);
    let second = write_back(&fixture).expect("a batch");
    assert_eq!((second.number, second.calls), (2, 1));
    let reader = fixture.reader();
    assert_eq!(reader.writeback_content(1).expect("content"), kept);
    assert!(matches!(&kept, KeptContent::Bytes(bytes) if bytes.ends_with(b"\n")), "{kept:?}");
    assert_eq!(reader.writeback_content(3).expect("asked"), KeptContent::NoSuchBatch);
    let batches = reader.writeback_batches(Some(&fixture.campaign.name)).expect("batches");
    assert_eq!(batches, [first, second]);
}

pub(super) fn a_call_that_is_not_rendered_waits_for_a_later_batch(open: Opener) {
    let fixture = Fixture::with(open, &[entry("P-1", 101), entry("P-2", 102)]);
    assert_eq!(call(&fixture, Outcome::NoAnswer, noon()), 2);
    let campaign = &fixture.campaign.name;
    let waiting = || fixture.reader().waiting_for_writeback(campaign).expect("counted").ready;
    let mut operator = fixture.operator(noon());
    let none =
        operator.write_back(campaign, "csv", "ana", noon(), |_| BatchContent { content: vec![1], calls: vec![] });
    assert_eq!((none.expect("asked"), waiting()), (None, 2));
    let one = operator.write_back(campaign, "csv", "ana", noon(), |contacts| all(contacts[..1].to_vec()));
    assert_eq!((one.expect("written").map(|batch| batch.calls), waiting()), (Some(1), 1));
    assert_eq!((write_back(&fixture).map(|batch| batch.calls), waiting()), (Some(1), 0));
}
